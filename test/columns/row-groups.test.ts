// Row groups hold 4,096 rows whatever pieces the rows came in, so the bytes do not depend on the pieces either.
import { tableFromIPC } from 'apache-arrow';
import { ParquetFile } from 'parquet-wasm';
import { describe, expect, it } from 'vitest';
import { OUTPUT_FORMAT_NAMES } from '#src/columns/formats.js';
import { fc } from '../properties.js';
import { batchesOf, columnsOf, rowsOf, rowsWithoutKept, vectorsOf, write } from './written.js';

const ROWS = 9000;
const rows = rowsOf(Array.from({ length: ROWS }, (_, index) => [index % 7 === 0 ? null : index, { a: index }, `t${index % 40}`]));
const vectors = vectorsOf(ROWS, 4);
const keep = columnsOf('number', 'object', 'text');

describe.each(OUTPUT_FORMAT_NAMES)('%s', (format) => {
  it('has the same bytes however the rows are cut', async () => {
    const whole = await write(format, rows, vectors, { keep });
    const pieces = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 900, max: 6000 })), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(pieces, async (cut) => {
        // A floor keeps the number of appends, and so the time, in bounds.
        const bytes = await write(format, rows, vectors, { keep, pieces: [...cut, 2500] });
        expect(bytes.equals(whole)).toBe(true);
      }),
      { numRuns: 8, examples: [[[4096]], [[1, 4095]], [[4095, 2]], [[7]]] },
    );
  });
});

const SIZES: readonly (readonly [number, readonly number[]])[] = [
  [1, [1]],
  [4095, [4095]],
  [4096, [4096]],
  [4097, [4096, 1]],
  [8192, [4096, 4096]],
  [9000, [4096, 4096, 808]],
];

describe.each(SIZES)('%i rows', (count, groups) => {
  it('make row groups of 4,096 in Parquet', async () => {
    const bytes = await write('parquet', rowsWithoutKept(count), vectorsOf(count, 4));
    const file = await ParquetFile.fromFile(new Blob([bytes]));
    const found = Array.from({ length: file.metadata().numRowGroups() }, (_, index) => file.metadata().rowGroup(index).numRows());
    expect(found).toEqual(groups);
  });

  it.each(['arrow', 'arrow-stream'] as const)('make record batches of 4,096 in %s', async (format) => {
    const batches = batchesOf(format, await write(format, rowsWithoutKept(count), vectorsOf(count, 4)));
    expect(batches.map((batch) => batch.numRows)).toEqual(groups);
  });
});

describe('no rows', () => {
  it.each(['parquet', 'arrow', 'arrow-stream'] as const)('make a %s file with the schema and no rows', async (format) => {
    const bytes = await write(format, [], new Float32Array(), { keep: columnsOf('k') });
    const whole = await write('arrow', rowsOf([['v']]), vectorsOf(1, 4), { keep: columnsOf('k') });
    const read = batchesOf(format, bytes);
    expect(read.reduce((sum, batch) => sum + batch.numRows, 0)).toBe(0);
    if (format !== 'parquet') expect(String(tableFromIPC(bytes).schema)).toBe(String(tableFromIPC(whole).schema));
    else expect((await ParquetFile.fromFile(new Blob([bytes]))).metadata().fileMetadata().numRows()).toBe(0);
  });

  it('make an empty JSONL file', async () => {
    expect((await write('jsonl', [], new Float32Array(), { keep: columnsOf('k') })).length).toBe(0);
  });
});
