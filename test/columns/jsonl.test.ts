// JSON lines: every float32 reads back to the same bits, and kept values stand as JSON has them.

import { parse } from 'lossless-json';
import { describe, expect, it } from 'vitest';
import type { KeepColumn } from '#src/columns/row.js';
import { fc } from '../properties.js';
import { columnsOf, rowsOf, rowsWithoutKept, vectorsOf, write } from './written.js';

async function linesOf(kept: readonly (readonly unknown[])[], keep: readonly KeepColumn[]): Promise<string[]> {
  const bytes = await write('jsonl', rowsOf(kept), vectorsOf(kept.length, 2), { keep, dim: 2 });
  return bytes.toString().trimEnd().split('\n');
}

/** The text of the kept column "k". */
async function keptText(value: unknown, type?: KeepColumn['type']): Promise<string | undefined> {
  const [line] = await linesOf([[value]], [{ name: 'k', type }]);
  return /"k":(.*),"embedding":/.exec(line as string)?.[1];
}

describe('embedding', () => {
  const bitsOf = (floats: Float32Array): number[] => [...new Uint32Array(floats.buffer)];

  async function readBack(floats: Float32Array): Promise<Float32Array> {
    const line = await write('jsonl', rowsWithoutKept(1), floats, { dim: floats.length });
    return Float32Array.from((JSON.parse(line.toString()) as { embedding: number[] }).embedding);
  }

  it('reads back to the same float32, of all finite bit patterns', async () => {
    const finite = fc.integer({ min: 0, max: 0xffffffff }).filter((word) => (word & 0x7f800000) !== 0x7f800000);
    await fc.assert(
      fc.asyncProperty(fc.array(finite, { minLength: 400, maxLength: 400 }), async (words) => {
        const floats = new Float32Array(Uint32Array.from(words).buffer);
        expect(bitsOf(await readBack(floats))).toEqual(words);
      }),
      { numRuns: 100 },
    );
  });

  it('reads back at every power of two and beside it', async () => {
    const exponents = Array.from({ length: 255 }, (_, exponent) => exponent << 23);
    const words = exponents.flatMap((word) => [word, word + 1, word + 0x7fffff, (word | 0x80000000) >>> 0]);
    expect(bitsOf(await readBack(new Float32Array(Uint32Array.from(words).buffer)))).toEqual(words);
  });

  it('is written with no more digits than it takes', async () => {
    const floats = Float32Array.of(0.1, 0.25, -0, 0, 1 / 3, 16777216, 1e-45, 123456.7, 5e10);
    const line = (await write('jsonl', rowsWithoutKept(1), floats, { dim: floats.length })).toString();
    expect(/"embedding":\[(.*?)\]/.exec(line)?.[1]).toBe('0.1,0.25,-0.0,0,0.33333334,16777216,1.4013e-45,123456.7,50000000000');
  });
});

describe('a row', () => {
  it('has its columns in the order of the other formats', async () => {
    const [line] = await linesOf([['v', 1]], columnsOf('b', 'a'));
    expect(line).toBe(
      '{"id":"id-0","b":"v","a":1,"embedding":[0,-0.0],"token_count":2,"truncated":true,"content_hash":"00000000000000000000000000000000"}',
    );
  });

  it('escapes ids and names', async () => {
    const rows = rowsOf([['v']]).map((row) => ({ ...row, id: 'a"b\n\u2028' }));
    const line = (await write('jsonl', rows, vectorsOf(1, 2), { keep: columnsOf('k"\\'), dim: 2 })).toString();
    expect(JSON.parse(line)).toMatchObject({ id: 'a"b\n\u2028', 'k"\\': 'v' });
    expect(line.trimEnd()).not.toContain('\n');
  });
});

describe('kept values', () => {
  it.each([
    [null, 'null'],
    ['ü "quoted"', '"ü \\"quoted\\""'],
    [9007199254740993n, '9007199254740993'],
    [2.5, '2.5'],
    [[1, null, 'a'], '[1,null,"a"]'],
    [{ a: { b: 2n ** 63n } }, '{"a":{"b":9223372036854775808}}'],
    [true, 'true'],
  ])('%o stands as it came', async (value, text) => {
    expect(await keptText(value)).toBe(text);
  });

  it('that a row lacks are null', async () => {
    const lines = await linesOf([[undefined], [1]], columnsOf('k'));
    expect(lines.map((line) => (parse(line) as { k: unknown }).k)).toMatchObject([null, { value: '1' }]);
  });

  it.each([
    ['12', 'int64', '12'],
    ['', 'int64', 'null'],
    [5, 'string', '"5"'],
    ['1.50', 'float64', '1.5'],
    ['TRUE', 'bool', 'true'],
    [{ a: 1 }, 'json', '{"a":1}'],
  ] as const)('%o is read as the type named for it, %s', async (value, type, text) => {
    expect(await keptText(value, type)).toBe(text);
  });

  it('that do not fit their named type are an error', async () => {
    await expect(keptText('many', 'int64')).rejects.toMatchObject({
      message: 'corpus.jsonl, line 1: kept column "k" is int64, but here is the text "many"',
    });
  });
});
