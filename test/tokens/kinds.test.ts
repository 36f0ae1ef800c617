// Token ids of each kind of tokenizer against PyPI's tokenizers (golden/kinds.py): WordPiece, byte-level BPE, Unigram.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createTokenizer } from '#src/tokens/tokenizer.js';
import { describeShared, sharedPath } from '../shared.js';

interface Kind {
  readonly family: string;
  readonly sha256: string;
  readonly own: readonly { readonly text: string; readonly ids: number[] }[];
  readonly corpora: Readonly<Record<string, string>>;
}

const folder = new URL('../golden/', import.meta.url);
const kinds: Record<string, Kind> = JSON.parse(readFileSync(new URL('kinds.json', folder), 'utf8')).kinds;
const UNBOUNDED = 1 << 30;

function* range(from: number, to: number): Generator<number> {
  for (let at = from; at < to; at++) yield at;
}

/** Texts of letters newer than Unicode 13, which Node's NFKC takes apart and the Rust library leaves whole: known to differ. */
const NEWER = /[\u{a7f2}-\u{a7f4}\u{10780}-\u{107ba}\u{1ccd6}-\u{1ccf9}\u{1e030}-\u{1e06d}\u{1fbf0}-\u{1fbf9}]/u;

/** 64 code points a text, each between letters and alone; every fourth text from the second half of plane 0 on. */
function codePointTexts(): (string | undefined)[] {
  const points = [...range(0, 0xd800), ...range(0xe000, 0x34000), ...range(0xe0000, 0xe0200)].map((point) => String.fromCodePoint(point));
  const blocks = Array.from({ length: Math.floor(points.length / 64) }, (_, at) => points.slice(at * 64, at * 64 + 64));
  const texts = blocks.filter((_, at) => at < 512 || at % 4 === 0).map((block) => block.map((one) => `a${one}b ${one}`).join(' '));
  return texts.map((text) => (NEWER.test(text) ? undefined : text));
}

/** Some 30,000 characters of words and runs of blanks, as kinds.py makes them. */
function longText(start: number): string {
  let seed = start;
  let text = '';
  for (let word = 0; word < 3000; word++) {
    seed = Number((BigInt(seed) * 1103515245n + 12345n) % 2147483648n);
    text += ['ferry', '1000', "don't", 'café', '漢字', 'x'.repeat(40)][(seed % 97) % 6];
    text += [' ', ' ', ' ', '  ', '    ', '\n', '\n\n  ', '\t '][Math.floor(seed / 97) % 8];
  }
  return text;
}

const lines = (path: string): string[] =>
  readFileSync(sharedPath(`data/${path}`), 'utf8')
    .split('\n')
    .filter((line) => line !== '');
const everySeventh = (texts: string[]): string[] => texts.filter((_, at) => at % 7 === 0);

const SHARED: Readonly<Record<string, () => string[]>> = {
  'scifact/corpus.jsonl': () =>
    everySeventh(
      lines('scifact/corpus.jsonl').flatMap((line) => {
        const { title, text } = JSON.parse(line);
        return [title, text].filter(Boolean) as string[];
      }),
    ),
  'prose/calib-2080.txt': () => everySeventh(lines('prose/calib-2080.txt')),
  'naughty-strings/blns.txt': () => lines('naughty-strings/blns.txt'),
};

describe.each(Object.keys(kinds))('%s', (name) => {
  const { family, sha256, own, corpora } = kinds[name] as Kind;
  const json = readFileSync(new URL(`families/${family}/tokenizer.json`, folder));
  const tokenizer = createTokenizer(JSON.parse(json.toString('utf8')));
  const idsOf = (text: string): readonly number[] => tokenizer.encode(text, UNBOUNDED).ids;

  /** Numbers of the texts whose ids are others. */
  function differing(texts: readonly (string | undefined)[], hashes: string): number[] {
    expect(hashes.length).toBe(texts.length * 6);
    return texts.flatMap((text, at) => {
      if (text === undefined) return [];
      const hash = createHash('sha256').update(idsOf(text).join(',')).digest('hex').slice(0, 6);
      return hash === hashes.slice(at * 6, at * 6 + 6) ? [] : [at];
    });
  }

  it('is the tokenizer that the ids are of', () => {
    expect(createHash('sha256').update(json).digest('hex')).toBe(sha256);
  });

  it.each(own.map(({ text, ids }) => [JSON.stringify(text).slice(0, 40), text, ids] as const))('%s', (_, text, ids) => {
    expect(idsOf(text)).toEqual(ids);
  });

  it('has the ids of the Rust library for assigned code points', () => {
    expect(differing(codePointTexts(), corpora['code points'] as string)).toEqual([]);
  }, 60_000);

  it('has them for long texts too, which are read in pieces', () => {
    expect(differing([0, 1, 2, 3].map(longText), corpora['long'] as string)).toEqual([]);
  });

  describeShared('on the shared corpora', () => {
    it.each(Object.keys(SHARED))(
      '%s',
      (corpus) => {
        expect(differing((SHARED[corpus] as () => string[])(), corpora[corpus] as string)).toEqual([]);
      },
      60_000,
    );
  });
});
