// Chunks: within their limit, nothing lost, in order, cut where a reader would cut.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { chunkText } from '#src/tokens/chunk.js';
import { createTokenizer } from '#src/tokens/tokenizer.js';
import { fc } from '../properties.js';

/** A token for each letter of a word, at most three. */
const count = (text: string): number => [...text.matchAll(/\S+/gu)].reduce((sum, [word]) => sum + Math.min(3, [...word].length), 0);
/** A token a character. */
const characters = (text: string): number => [...text.replace(/\s/gu, '')].length;
const texts = fc.string({ unit: fc.constantFrom('a', 'bc', ' ', '. ', '\n', 'é', '😀', '漢'), maxLength: 120 });
const cut = (text: string, tokens: number, overlap = 0, by = characters): string[] =>
  chunkText(text, { tokens, overlap }, by).map(({ start, end }) => text.slice(start, end));

describe('chunkText', () => {
  it('keeps to its limit, loses nothing and goes on, whatever the text', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 2, max: 20 }), fc.double({ min: 0, max: 0.5, noNaN: true }), (text, tokens, share) => {
        const overlap = Math.floor(tokens * share);
        const chunks = chunkText(text, { tokens, overlap }, characters);
        const seen = new Uint8Array(text.length);
        let before = { start: -1, end: 0 };
        for (const chunk of chunks) {
          const piece = text.slice(chunk.start, chunk.end);
          expect(characters(piece)).toBeLessThanOrEqual(tokens);
          expect(piece.trim()).not.toBe('');
          expect(piece.isWellFormed()).toBe(true);
          expect(chunk.start).toBeGreaterThan(before.start);
          expect(chunk.end).toBeGreaterThan(before.end);
          if (chunk.start < before.end) expect(characters(text.slice(chunk.start, before.end))).toBeLessThanOrEqual(overlap);
          seen.fill(1, chunk.start, chunk.end);
          before = chunk;
        }
        for (let at = 0; at < text.length; at++) if (seen[at] === 0) expect(text[at]).toMatch(/\s/u);
      }),
      { numRuns: 2000 },
    );
  });

  it('gives no chunk that another holds whole, where the word after the overlap does not fit beside it', () => {
    expect(cut('aaaaa bbbbb cccccccc', 10, 5)).toEqual(['aaaaa bbbbb', 'cccccccc']);
    expect(cut('aaa bb. cccccccc', 10, 5)).toEqual(['aaa bb.', 'cccccccc']);
  });

  it('cuts at the end of a sentence where that fills half of it, else at a word, else within one', () => {
    expect(cut('One two three. Four five six seven. Eight.', 14)).toEqual(['One two three.', 'Four five six', 'seven. Eight.']);
    expect(cut('One two three. Four five.', 16)).toEqual(['One two three.', 'Four five.']);
    expect(cut('aaaaaaaa bb', 3)).toEqual(['aa', 'aa', 'aa', 'aa', 'bb']);
    expect(cut('', 5)).toEqual([]);
    expect(cut('one two', 9)).toEqual(['one two']);
  });

  it('begins with the end of the chunk before, as far as the overlap allows', () => {
    expect(cut('a b c d e f g', 4, 1, count)).toEqual(['a b c d', 'd e f g']);
    expect(cut('a b c d e f g h', 4, 2, count)).toEqual(['a b c d', 'c d e f', 'e f g h']);
  });

  it('counts as the shipped tokenizer does, for a document far beyond the model', () => {
    const json = JSON.parse(readFileSync(new URL('../../models/bge-small-en-v1.5/tokenizer.json', import.meta.url), 'utf8'));
    const tokenizer = createTokenizer(json);
    const real = (text: string): number => tokenizer.encode(text, 1_000_000).ids.length - 2;
    const lines = readFileSync(new URL('../../examples/passages.jsonl', import.meta.url), 'utf8')
      .trimEnd()
      .split('\n');
    const document = lines
      .slice(0, 60)
      .map((line) => (JSON.parse(line) as { text: string }).text)
      .join('\n');
    const chunks = cut(document, 510, 50, real);
    expect(chunks.length).toBeGreaterThan(4);
    for (const chunk of chunks) expect(real(chunk)).toBeLessThanOrEqual(510);
    for (const chunk of chunks.slice(0, -1)) expect(real(chunk)).toBeGreaterThan(255);
  });
});
