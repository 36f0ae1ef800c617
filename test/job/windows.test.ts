// Windows: bounded by rows, bytes and tokens, and whatever the bounds are, joined they are the input.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WindowLimits } from '#src/job/config.js';
import { cutWindows, type Window, type WindowOptions } from '#src/job/windows.js';
import { contentHash } from '#src/model/settings.js';
import type { TextRecord } from '#src/records/record.js';
import type { TextTokenizer } from '#src/tokens/tokenizer.js';

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
  prompt: '',
  fingerprint: 'f',
  onOverflow: 'truncate',
  limits: { rows: NO_LIMIT, bytes: NO_LIMIT, tokens: NO_LIMIT },
  limit: NO_LIMIT,
};

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

async function cut(texts: readonly string[], changes: Partial<WindowOptions> = {}, size = 3): Promise<Window[]> {
  return collect(cutWindows(chunked(recordsOf(texts), size), { ...options, ...changes }));
}

/** The ids of each row of a window. */
function idsOf({ tokens, rows }: Window): number[][] {
  return rows.map((_, row) => [...tokens.ids.subarray(tokens.offsets[row], tokens.offsets[row + 1])]);
}

const texts = fc.array(fc.string({ minLength: 1, maxLength: 9 }), { maxLength: 40 });
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
        expect(windows.flatMap(({ tokens }) => [...tokens.lost])).toEqual([...(whole?.tokens.lost ?? [])]);
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
          const counts = window.rows.map(({ tokenCount }) => tokenCount);
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
    const windows = await collect(cutWindows(chunked(records, 2), { ...options, limits: { ...options.limits, rows: 3 } }));
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
    const windows = await collect(cutWindows(counted(), { ...options, limit, limits: { ...options.limits, rows: 2 } }));
    const rows = Math.min(limit, 5);
    expect(windows.map((window) => window.rows.length)).toEqual(
      Array.from({ length: Math.ceil(rows / 2) }, (_, at) => Math.min(2, rows - 2 * at)),
    );
    expect([read, closed]).toEqual([rows, rows > 0]);
  });

  it('fails at a text that is too long where it is told to, naming file and line', async () => {
    const message = "in.txt, line 2: the text has 4 tokens more than the model's 6";
    await expect(cut(['short', '0123456789'], { onOverflow: 'fail' })).rejects.toMatchObject({ code: 'text-too-long', message });
  });
});

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function kept(row: number): unknown {
  return { kind: 'values', values: [row] };
}

function place(number: number): unknown {
  return { source: 'in.txt', unit: 'line', number };
}
