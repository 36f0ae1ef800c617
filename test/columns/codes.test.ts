// int8 and binary vectors: the codes go through every writer and come back, one byte of the file each.
import type { Data, Vector } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { encoderOf } from '#src/job/storage.js';
import { batchesOf, rowsWithoutKept, write } from './written.js';

const DIM = 64;
const ROWS = 5000;
const values = Float32Array.from({ length: ROWS * DIM }, (_, at) => Math.sin(at * at));
const ranges = { minimum: new Array<number>(DIM).fill(-0.9), maximum: new Array<number>(DIM).fill(0.9) };

describe.each([
  ['int8', { dtype: 'int8', ranges } as const, `FixedSizeList[${DIM}]<Int8>`, DIM],
  ['binary', { dtype: 'binary', ranges: undefined } as const, `FixedSizeList[${DIM / 8}]<Uint8>`, DIM / 8],
])('%s', (dtype, storage, type, length) => {
  const encode = encoderOf(storage);
  const options = { dtype: storage.dtype, dim: DIM, encode };

  it.each(['parquet', 'arrow', 'arrow-stream'] as const)('keeps every code in %s', async (format) => {
    const bytes = await write(format, rowsWithoutKept(ROWS), values, { ...options, pieces: [700, 1] });
    const columns = batchesOf(format, bytes).map((batch) => batch.getChild('embedding') as Vector);
    expect(new Set(columns.map(({ type: found }) => String(found)))).toEqual(new Set([type]));
    const codes = columns.flatMap((column) => column.data.flatMap((data) => [...((data.children[0] as Data).values as Int8Array)]));
    expect(codes).toEqual([...encode(values)]);
    // Ids, counts and hashes take some 50 bytes a row; a plain Parquet column would take four a code.
    const rest = (await write(format, rowsWithoutKept(ROWS), values, { dim: DIM })).length - ROWS * DIM * 4;
    expect(bytes.length).toBeLessThan(rest + ROWS * length * 1.25 + 20_000);
  });

  it('keeps every code in JSONL, as whole numbers', async () => {
    const lines = (await write('jsonl', rowsWithoutKept(ROWS), values, options)).toString().trimEnd().split('\n');
    const read = lines.flatMap((line) => (JSON.parse(line) as { embedding: number[] }).embedding);
    expect([dtype, read]).toEqual([dtype, [...encode(values)]]);
  });
});
