// Texts of an exact length, counted by the tokenizer that made them, and samples of a corpus.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readWords, sampleCorpus, textsOfLength } from '#src/bench/texts.js';
import { createTokenizer } from '#src/tokens/tokenizer.js';
import { temporaryFolder } from '../run.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const tokenizer = createTokenizer(JSON.parse(readFileSync(`${ROOT}models/bge-small-en-v1.5/tokenizer.json`, 'utf8')));
const lengthOf = (text: string): number => tokenizer.encode(text, 10_000).ids.length;

describe('textsOfLength', async () => {
  const words = await readWords(`${ROOT}calibration/default.txt`);

  it.each([3, 4, 8, 50, 333, 512])('makes texts of exactly %i tokens', (tokens) => {
    const texts = textsOfLength(words, tokenizer, tokens, 20);
    expect(texts.map(lengthOf)).toEqual(Array(20).fill(tokens));
  });

  it('makes different ones, and the same ones again', () => {
    const texts = textsOfLength(words, tokenizer, 50, 400);
    expect(new Set(texts).size).toBe(400);
    expect(textsOfLength(words, tokenizer, 50, 400)).toEqual(texts);
  });
});

describe('sampleCorpus', () => {
  const limits = { maxTokens: 512, tokens: 200, least: 4 };

  it('spreads its sample over the corpus and keeps to its budget, blank and bad rows left out', async () => {
    const path = join(temporaryFolder(), 'corpus.jsonl');
    const rows = Array.from({ length: 100 }, (_, at) => JSON.stringify({ body: `a b c d e f g h ${at}` }));
    writeFileSync(path, [...rows, '{"body":" "}', 'no json'].join('\n'));
    const sample = await sampleCorpus(path, 'body', tokenizer, limits);
    expect(sample.rows).toBe(100);
    expect(sample.texts).toHaveLength(18);
    expect(sample.texts[0]).toBe('a b c d e f g h 0');
    expect(sample.texts.at(-1)).toBe('a b c d e f g h 94');
    expect(sample.tokens).toEqual(sample.texts.map(lengthOf));
  });

  it('takes all of a small one', async () => {
    const path = join(temporaryFolder(), 'corpus.txt');
    writeFileSync(path, 'one\ntwo\n');
    expect((await sampleCorpus(path, undefined, tokenizer, limits)).texts).toEqual(['one', 'two']);
  });

  it.each([
    ['gone.txt', undefined, 'no file, folder or match'],
    ['corpus.jsonl', 'texd', 'no row holds a text'],
  ])('ends in a sentence for %s', async (name, field, sentence) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'corpus.jsonl'), '{"text":"a"}\n');
    await expect(sampleCorpus(join(folder, name), field, tokenizer, limits)).rejects.toThrow(sentence);
  });
});
