// Token ids against PyPI's tokenizers (golden/tokens.py), and texts of any length.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createTokenizer } from '#src/tokens/tokenizer.js';
import { fc } from '../properties.js';
import { describeShared, sharedPath } from '../shared.js';

interface Golden {
  readonly every_code_point_sha256: string;
  readonly own: readonly { readonly text: string; readonly ids: number[] }[];
  readonly corpora: Readonly<Record<string, { readonly texts: number; readonly hashes: string }>>;
}

const root = new URL('../..', import.meta.url);
const golden: Golden = JSON.parse(readFileSync(new URL('test/golden/tokens.json', root), 'utf8'));
const tokenizer = createTokenizer(JSON.parse(readFileSync(new URL('models/bge-small-en-v1.5/tokenizer.json', root), 'utf8')));
const UNBOUNDED = 1 << 30;
const idsOf = (text: string): readonly number[] => tokenizer.encode(text, UNBOUNDED).ids;

describe('ids equal to the Rust library', () => {
  it.each(golden.own.map(({ text, ids }) => [text.slice(0, 40), text, ids] as const))('%s', (_, text, ids) => {
    expect(idsOf(text)).toEqual(ids);
  });

  it('for every code point between letters and alone', () => {
    const digest = createHash('sha256');
    for (let codePoint = 0; codePoint < 0x110000; codePoint++) {
      if (codePoint >= 0xd800 && codePoint < 0xe000) continue;
      const character = String.fromCodePoint(codePoint);
      digest.update(`${idsOf(`a${character}b ${character}`).join(',')}\n`);
    }
    expect(digest.digest('hex')).toBe(golden.every_code_point_sha256);
  });
});

describeShared('ids equal to the Rust library on the shared corpora', () => {
  const lines = (path: string): string[] =>
    readFileSync(sharedPath(`data/${path}`), 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  const fields = (path: string, ...names: string[]): string[] =>
    lines(path).flatMap((line) => names.map((name) => JSON.parse(line)[name] as string).filter(Boolean));
  const texts: Record<string, () => string[]> = {
    'scifact/corpus.jsonl': () => fields('scifact/corpus.jsonl', 'title', 'text'),
    'scifact/queries.jsonl': () => fields('scifact/queries.jsonl', 'text'),
    'prose/calib-2080.txt': () => lines('prose/calib-2080.txt'),
    'prose/bench-10k.txt': () => lines('prose/bench-10k.txt'),
    'naughty-strings/blns.txt': () => lines('naughty-strings/blns.txt'),
    'utf8-tests/separated': () => lines('utf8-tests/UTF-8_sequence_separated/utf8_sequence_0-0x10ffff_assigned_printable.txt'),
    'utf8-tests/unseparated': () =>
      lines('utf8-tests/UTF-8_sequence_unseparated/utf8_sequence_0-0x10ffff_assigned_printable_unseparated.txt'),
  };

  it.each(Object.keys(golden.corpora))('%s', (name) => {
    const expected = golden.corpora[name] as { texts: number; hashes: string };
    const found = (texts[name] as () => string[])();
    expect(found).toHaveLength(expected.texts);
    const differing = found.flatMap((text, index) => {
      const hash = createHash('sha256').update(idsOf(text).join(',')).digest('hex').slice(0, 6);
      return hash === expected.hashes.slice(index * 6, index * 6 + 6) ? [] : [`text ${index}`];
    });
    expect(differing).toEqual([]);
  });
});

describe('long texts', () => {
  const whole = (text: string): readonly number[] => text.split(' ').flatMap((word) => idsOf(word).slice(1, -1));

  it('read in pieces have the ids of their words, whatever the lengths', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '漢', '.', '𠀀'), minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 400 }), fc.integer({ min: 1, max: 12 }), (words, times) => {
        const text = Array(times).fill(words.join(' ')).join(' ');
        expect(idsOf(text).slice(1, -1)).toEqual(whole(text));
      }),
      { numRuns: 30 },
    );
  });

  it('truncation keeps the special tokens and counts what is lost', () => {
    const text = 'river '.repeat(5000).trim();
    const { ids, lost, lostIsExact } = tokenizer.encode(text, 512);
    expect(ids).toHaveLength(512);
    expect([ids[0], ids.at(-1)]).toEqual([101, 102]);
    expect({ lost, lostIsExact }).toEqual({ lost: 5000 - 510, lostIsExact: true });
  });

  it("finds the text behind a long run of blanks, and counts what a long text has beyond any call's arguments", () => {
    expect(tokenizer.encode(`${' '.repeat(1 << 20)} hello world`, 512)).toEqual({
      ids: [101, 7592, 2088, 102],
      lost: 0,
      lostIsExact: true,
    });
    expect(idsOf('漢'.repeat(400_000))).toHaveLength(400_002);
  });

  it('neither a word nor a text of 5 MB is built into arrays of its size, and an uncounted loss is called so', () => {
    const counted = tokenizer.encode('river '.repeat(900_000), 512);
    expect(counted.ids).toHaveLength(512);
    expect(counted.lostIsExact).toBe(false);
    expect(tokenizer.encode('x'.repeat(5_000_000), 512).ids).toContain(100);
    expect(tokenizer.encode(' '.repeat(5_000_000), 512)).toEqual({ ids: [101, 102], lost: 0, lostIsExact: true });
  });
});
