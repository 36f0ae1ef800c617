// float16 vectors: every finite binary16 value goes through the writers and comes back with its bits, -0 included.
import { type Data, DataType, type Vector } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { encodeF16, fromF16, roundToF16, toF16 } from '#src/vectors/f16.js';
import { batchesOf, rowsWithoutKept, vectorsOf, write } from './written.js';

const DIM = 64;
const FINITE = Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits).filter((bits) => (bits & 0x7c00) !== 0x7c00);
const values = Float32Array.from(FINITE, fromF16);
const ROWS = FINITE.length / DIM;

function embeddingBits(column: Vector): number[] {
  return column.data.flatMap((data) => [...((data.children[0] as Data).values as Uint16Array)]);
}

describe('float16', () => {
  it('has 63,488 finite values, which rounding leaves alone', () => {
    const rounded = values.slice();
    roundToF16(rounded);
    expect(FINITE.length).toBe(63_488);
    expect([...encodeF16(rounded)]).toEqual([...FINITE]);
  });

  it.each(['parquet', 'arrow', 'arrow-stream'] as const)('keeps the bits of every one in %s', async (format) => {
    const batches = batchesOf(format, await write(format, rowsWithoutKept(ROWS), values, { dtype: 'float16', dim: DIM }));
    const columns = batches.map((batch) => batch.getChild('embedding') as Vector);
    expect(String(columns[0]?.type)).toBe(`FixedSizeList[${DIM}]<Float16>`);
    expect(columns.flatMap(embeddingBits)).toEqual([...FINITE]);
  });

  it('keeps every one in JSONL', async () => {
    const lines = (await write('jsonl', rowsWithoutKept(ROWS), values, { dtype: 'float16', dim: DIM })).toString().trimEnd().split('\n');
    const read = lines.flatMap((line) => (JSON.parse(line) as { embedding: number[] }).embedding);
    expect(read.map(toF16)).toEqual([...FINITE]);
  });
});

describe('float32', () => {
  it.each(['parquet', 'arrow', 'arrow-stream'] as const)('keeps the bits of awkward values in %s', async (format) => {
    const vectors = vectorsOf(5000, 7);
    const batches = batchesOf(format, await write(format, rowsWithoutKept(5000), vectors, { dim: 7 }));
    const columns = batches.map((batch) => batch.getChild('embedding') as Vector);
    expect(columns.every((column) => DataType.isFixedSizeList(column.type) && String(column.type) === 'FixedSizeList[7]<Float32>')).toBe(
      true,
    );
    const read = columns.flatMap((column) => column.data.map((data) => (data.children[0] as Data).values as Float32Array));
    expect(
      Buffer.concat(read.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength))).equals(Buffer.from(vectors.buffer)),
    ).toBe(true);
  });
});
