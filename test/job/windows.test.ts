// Windows: bounded by rows, bytes and tokens, and whatever the bounds are, joined they are the input.

import { describe, expect, it } from 'vitest';
import type { WindowLimits } from '#src/job/config.js';
import { type ItemOptions, identify } from '#src/job/items.js';
import { cutWindows, type Window, type WindowOptions } from '#src/job/windows.js';
import { contentHash } from '#src/model/settings.js';
import type { TextRecord } from '#src/records/record.js';
import type { TextTokenizer } from '#src/tokens/tokenizer.js';
import { fc } from '../properties.js';

const MAX_TOKENS = 6;
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** A token a character: its code. */
const tokenizer: TextTokenizer = {
  encode: (text, maxTokens) => {
    const codes = Array.from(text, (character) => character.codePointAt(0) as number);
    return { ids: codes.slice(0, maxTokens), lost: Math.max(0, codes.length - maxTokens), lostIsExact: true };
  },
};

const options: WindowOptions = {
  tokenizer,
  maxTokens: MAX_TOKENS,
  onOverflow: 'truncate',
  limits: { rows: NO_LIMIT, bytes: NO_LIMIT, tokens: NO_LIMIT },
  known: () => undefined,
};

const numbering: ItemOptions = { prompt: '', fingerprint: 'f', limit: NO_LIMIT };

function recordsOf(texts: readonly string[], id = (row: number): string | undefined => `id-${row}`): TextRecord[] {
  return texts.map((text, row) => ({
    id: id(row),
    text,
    kept: { kind: 'values', values: [row] },
    place: { source: 'in.txt', unit: 'line', number: row + 1 },
  }));
}

async function* chunked(records: readonly TextRecord[], size: number): AsyncGenerator<TextRecord[]> {
  for (let start = 0; start < records.length; start += size) yield records.slice(start, start + size);
}

async function collect(windows: AsyncIterable<Window>): Promise<Window[]> {
  const all: Window[] = [];
  for await (const window of windows) all.push(window);
  return all;
}

async function cut(texts: readonly string[], changes: Partial<WindowOptions & ItemOptions> = {}, size = 3): Promise<Window[]> {
  const items = identify(chunked(recordsOf(texts), size), { ...numbering, ...changes });
  return collect(cutWindows(items, { ...options, ...changes }));
}

/** The window that a row's text is computed for, its own or the one before, and the number of the text there. */
function textOf(window: Window, row: number, before: Window | undefined): [Window, number] {
  const source = window.sources[row];
  if (source !== undefined && 'text' in source) return [window, source.text];
  if (source !== undefined && 'before' in source && before !== undefined) return [before, source.before];
  throw new Error(`row ${row} is not computed`);
}

/** The ids of each row of a window. */
function idsOf(window: Window, index = 0, all: readonly Window[] = []): number[][] {
  return window.rows.map((_, row) => {
    const [{ tokens }, text] = textOf(window, row, all[index - 1]);
    return [...tokens.ids.subarray(tokens.offsets[text], tokens.offsets[text + 1])];
  });
}

function lostOf(window: Window, index = 0, all: readonly Window[] = []): number[] {
  return window.rows.map((_, row) => {
    const [{ tokens }, text] = textOf(window, row, all[index - 1]);
    return tokens.lost[text] as number;
  });
}

// Some of them stand more than once.
const texts = fc.array(fc.oneof(fc.string({ minLength: 1, maxLength: 9 }), fc.constantFrom('a', 'bb', 'ccc')), { maxLength: 40 });
const limits: fc.Arbitrary<WindowLimits> = fc.record({
  rows: fc.integer({ min: 1, max: 50 }),
  bytes: fc.integer({ min: 1, max: 200 }),
  tokens: fc.integer({ min: 1, max: 200 }),
});

describe('cutWindows', () => {
  it('joined gives the input, whatever the limits and the chunks', async () => {
    await fc.assert(
      fc.asyncProperty(texts, limits, fc.integer({ min: 1, max: 9 }), async (given, bounds, size) => {
        const windows = await cut(given, { limits: bounds }, size);
        const [whole] = await cut(given);
        expect(windows.flatMap((window) => window.rows)).toEqual(whole?.rows ?? []);
        expect(windows.flatMap(idsOf)).toEqual(whole === undefined ? [] : idsOf(whole));
        expect(windows.flatMap(lostOf)).toEqual(whole === undefined ? [] : lostOf(whole));
      }),
    );
  });

  it('ends a window with the row that reaches a limit, never later', async () => {
    await fc.assert(
      fc.asyncProperty(texts, limits, async (given, bounds) => {
        const windows = await cut(given, { limits: bounds });
        let row = 0;
        for (const [index, window] of windows.entries()) {
          const bytes = given.slice(row, row + window.rows.length).map((text) => text.length);
          row += window.rows.length;
          // A text that stands twice in a window is tokenized once.
          const counts = window.rows.map(({ tokenCount }, at) => (isFirst(window, at) ? tokenCount : 0));
          const isFull = (end: number): boolean =>
            end >= bounds.rows || sum(bytes.slice(0, end)) >= bounds.bytes || sum(counts.slice(0, end)) >= bounds.tokens;
          expect(isFull(window.rows.length - 1) && window.rows.length > 1).toBe(false);
          if (index < windows.length - 1) expect(isFull(window.rows.length)).toBe(true);
        }
      }),
    );
  });

  it('gives rows their tokens, truncation, hash and kept values', async () => {
    const [window] = await cut(['ab', 'truncated'], { prompt: 'q' });
    expect(window?.rows).toEqual([
      { id: 'id-0', kept: kept(0), place: place(1), tokenCount: 3, truncated: false, contentHash: contentHash('f', 'qab') },
      { id: 'id-1', kept: kept(1), place: place(2), tokenCount: 6, truncated: true, contentHash: contentHash('f', 'qtruncated') },
    ]);
    expect([...(window?.tokens.lost ?? [])]).toEqual([0, 4]);
  });

  it('numbers rows without an id over all windows', async () => {
    const records = recordsOf(['a', 'b', 'c', 'd'], (row) => (row === 1 ? 'named' : undefined));
    const items = identify(chunked(records, 2), numbering);
    const windows = await collect(cutWindows(items, { ...options, limits: { ...options.limits, rows: 3 } }));
    expect(windows.map(({ rows }) => rows.map(({ id }) => id))).toEqual([['0', 'named', '2'], ['3']]);
  });

  it.each([0, 1, 3, 4, 7])('stops after a limit of %i rows, and stops reading', async (limit) => {
    let read = 0;
    let closed = false;
    async function* counted(): AsyncGenerator<TextRecord[]> {
      try {
        for (const record of recordsOf(['a', 'b', 'c', 'd', 'e'])) {
          read++;
          yield [record];
        }
      } finally {
        closed = read > 0;
      }
    }
    const items = identify(counted(), { ...numbering, limit });
    const windows = await collect(cutWindows(items, { ...options, limits: { ...options.limits, rows: 2 } }));
    const rows = Math.min(limit, 5);
    expect(windows.map((window) => window.rows.length)).toEqual(
      Array.from({ length: Math.ceil(rows / 2) }, (_, at) => Math.min(2, rows - 2 * at)),
    );
    expect([read, closed]).toEqual([rows, rows > 0]);
  });

  it('quarantines a text that is too long where it is told to, and tokenizes the others as if it were not there', async () => {
    const [window] = await cut(['short', '0123456789', 'last', 'short'], { onOverflow: 'quarantine' });
    const [without] = await cut(['short', 'last', 'short']);
    expect(window?.rows.map(({ id }) => id)).toEqual(['id-0', 'id-2', 'id-3']);
    expect([window?.items, window && idsOf(window), window?.tokens]).toEqual([4, without && idsOf(without), without?.tokens]);
    expect(window?.bad).toEqual([expect.objectContaining({ id: 'id-1', place: place(2), raw: Buffer.from('0123456789') })]);
    expect(window?.bad[0]?.error.code).toBe('text-too-long');
  });

  it('takes a text of the window before, which nothing knows yet, from there', async () => {
    const windows = await cut(['aa', 'bb', 'bb', 'cc', 'aa', 'cc'], { limits: { ...options.limits, rows: 2 } });
    expect(windows.map(({ sources }) => sources)).toMatchObject([
      [{ text: 0 }, { text: 1 }],
      [{ before: 1 }, { text: 0 }],
      // The first window is kept by now, and known.
      [{ text: 0 }, { before: 0 }],
    ]);
    expect(windows.map(({ hashes }) => hashes.length)).toEqual([2, 1, 1]);
  });

  it('tokenizes no text that is known, and none twice', async () => {
    const known = { file: 0, row: 7, tokenCount: 5, truncated: true };
    const [window] = await cut(['aa', 'bb', 'aa', 'cc'], { known: (hash) => (hash === contentHash('f', 'bb') ? known : undefined) });
    expect(window?.sources.map((source) => ('row' in source ? source.row : source))).toMatchObject([
      { text: 0 },
      7,
      { text: 0 },
      { text: 1 },
    ]);
    expect(window?.rows.map(({ tokenCount, truncated }) => [tokenCount, truncated])).toEqual([
      [2, false],
      [5, true],
      [2, false],
      [2, false],
    ]);
    expect([...(window?.tokens.ids ?? [])].map((id) => String.fromCodePoint(id)).join('')).toBe('aacc');
  });

  it('fails at a text that is too long where it is told to, naming file and line', async () => {
    const message = "in.txt, line 2: the text has 4 tokens more than the model's 6";
    await expect(cut(['short', '0123456789'], { onOverflow: 'fail' })).rejects.toMatchObject({ code: 'text-too-long', message });
  });
});

/** Whether a row is the first of its window with its text. */
/** Whether a row is the first of its text in all windows still known, and so the one that it was tokenized for. */
function isFirst({ sources }: Window, row: number): boolean {
  const text = (at: number): number | undefined => {
    const source = sources[at];
    return source !== undefined && 'text' in source ? source.text : undefined;
  };
  return text(row) !== undefined && sources.findIndex((_, other) => text(other) === text(row)) === row;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function kept(row: number): unknown {
  return { kind: 'values', values: [row] };
}

function place(number: number): unknown {
  return { source: 'in.txt', unit: 'line', number };
}
