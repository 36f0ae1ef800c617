// The calibration text that ships: its manifest is true, it covers what it should, and its start is a fair sample of it.
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createTokenizer } from '#src/tokens/tokenizer.js';

const ROOT = new URL('../../', import.meta.url);
const KINDS =
  'query question ticket product news long science medical legal finance short encyclopedia code log table chat sentence language recipe fiction';

interface Kind {
  readonly about: string;
  readonly count: number;
  readonly tokens: { minimum: number; median: number; maximum: number };
  readonly lines: readonly number[];
}

const manifest = JSON.parse(readFileSync(new URL('calibration/manifest.json', ROOT), 'utf8'));
const kinds: Record<string, Kind> = manifest.kinds;
const bytes = readFileSync(new URL(`calibration/${manifest.file}`, ROOT));
const texts = bytes.toString('utf8').replace(/\n$/, '').split('\n');
const tokenizer = createTokenizer(JSON.parse(readFileSync(new URL('models/bge-small-en-v1.5/tokenizer.json', ROOT), 'utf8')));
const tokens = texts.map((text) => tokenizer.encode(text, Number.MAX_SAFE_INTEGER).ids.length);

function spreadOf(counts: readonly number[]): Kind['tokens'] {
  const sorted = [...counts].sort((a, b) => a - b);
  const at = (index: number): number => sorted[index] as number;
  return { minimum: at(0), median: at(Math.floor((sorted.length - 1) / 2)), maximum: at(sorted.length - 1) };
}

const tokensOf = (kind: Kind): number[] => kind.lines.map((line) => tokens[line - 1] as number);

describe('the default calibration text', () => {
  it('is what its manifest says', () => {
    expect(manifest).toMatchObject({ format: 1, licence: 'MIT', bytes: bytes.length, texts: texts.length });
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(manifest.sha256);
    expect(tokens.reduce((sum, count) => sum + count, 0)).toBe(manifest.tokens);
    expect(Object.keys(kinds).sort()).toEqual(KINDS.split(' ').sort());
    for (const kind of Object.values(kinds)) {
      expect(kind.about).toMatch(/\w/);
      expect({ count: kind.count, tokens: kind.tokens }).toEqual({ count: kind.lines.length, tokens: spreadOf(tokensOf(kind)) });
    }
  });

  it('has every line in exactly one kind', () => {
    const lines = Object.values(kinds).flatMap((kind) => kind.lines);
    expect(lines.sort((a, b) => a - b)).toEqual(texts.map((_, index) => index + 1));
  });

  it('holds a thousand texts and more, from two words to beyond 512 tokens', () => {
    expect(texts.length).toBeGreaterThanOrEqual(1000);
    expect(kinds.query?.lines.filter((line) => texts[line - 1]?.split(' ').length === 2).length).toBeGreaterThanOrEqual(2);
    expect(kinds.long?.count).toBeGreaterThanOrEqual(30);
    expect(kinds.long?.tokens.minimum).toBeGreaterThan(512);
    const doublings = new Set(tokens.map((count) => Math.floor(Math.log2(count))));
    expect([...doublings].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('holds no text twice, no blank line, no line ends or white space to trip over', () => {
    expect(bytes.at(-1)).toBe(0x0a);
    expect(isUtf8(bytes)).toBe(true);
    const folded = texts.map((text) => text.normalize('NFKC').toLowerCase());
    const seen = new Set<string>();
    expect(folded.filter((text) => seen.size === seen.add(text).size)).toEqual([]);
    expect(texts.filter((text) => text.trim() !== text || text === '' || /[\p{Cc}\u2028\u2029\ufeff]/u.test(text))).toEqual([]);
  });

  it('gives a fair sample of itself in its first lines, wherever they are cut', () => {
    for (const start of [100, 250, 500, 900]) {
      for (const { count, lines } of Object.values(kinds)) {
        const fair = (count * start) / texts.length;
        expect(Math.abs(lines.filter((line) => line <= start).length - fair)).toBeLessThanOrEqual(1);
      }
      expect(Math.abs(spreadOf(tokens.slice(0, start)).median - spreadOf(tokens).median)).toBeLessThanOrEqual(3);
    }
  });
});
