// Vectors read where they stand in a Parquet file are those that a library reads from it; where they do not stand plainly, nothing is said.
import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Data, Field, FixedSizeList, Float32, makeData, RecordBatch, RecordBatchStreamWriter, Schema, Struct } from 'apache-arrow';
import { Compression, Table, WriterPropertiesBuilder, writeParquet } from 'parquet-wasm';
import { describe, expect, it } from 'vitest';
import { openParquet } from '#src/records/parquet-file.js';
import { type ColumnPlaces, placesOf } from '#src/records/parquet-places.js';
import { fc } from '../properties.js';
import { temporaryFolder } from '../run.js';

type Settings = (properties: WriterPropertiesBuilder) => WriterPropertiesBuilder;

const PLAIN: Settings = (properties) => properties.setCompression(Compression.UNCOMPRESSED).setDictionaryEnabled(false);

function valuesOf(rows: number, dim: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: rows * dim }, (_, index) => Math.sin(index * 1.7) * 3);
}

function batchOf(rows: number, dim: number): RecordBatch {
  const type = new FixedSizeList(dim, new Field('item', new Float32(), false));
  const child = makeData({ type: new Float32(), data: valuesOf(rows, dim), nullCount: 0 });
  const schema = new Schema([new Field('embedding', type, false)]);
  const list = makeData({ type, length: rows, nullCount: 0, child }) as Data;
  return new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: rows, nullCount: 0, children: [list] }));
}

function write(rows: number, dim: number, settings: Settings): string {
  const path = join(temporaryFolder(), 'vectors.parquet');
  const table = Table.fromIPCStream(new RecordBatchStreamWriter().writeAll([batchOf(rows, dim)]).toUint8Array(true));
  writeFileSync(path, writeParquet(table, settings(new WriterPropertiesBuilder()).build()));
  return path;
}

function readAll(path: string, { firstRows, at }: ColumnPlaces, rows: number, dim: number): Float32Array {
  const values = new Float32Array(rows * dim);
  const file = openSync(path, 'r');
  firstRows.forEach((first, page) => {
    const end = firstRows[page + 1] ?? rows;
    const bytes = new Uint8Array(values.buffer, first * dim * 4, (end - first) * dim * 4);
    expect(readSync(file, bytes, 0, bytes.length, at[page] as number)).toBe(bytes.length);
  });
  closeSync(file);
  return values;
}

describe('places of vectors in a Parquet file', () => {
  it('are where the writer put them, over pages and row groups', async () => {
    const sizes = fc.record({
      rows: fc.integer({ min: 0, max: 3000 }),
      dim: fc.constantFrom(1, 8, 96, 384),
      group: fc.integer({ min: 1, max: 4096 }),
      page: fc.integer({ min: 100, max: 2 ** 20 }),
    });
    await fc.assert(
      fc.asyncProperty(sizes, async ({ rows, dim, group, page }) => {
        const path = write(rows, dim, (properties) => PLAIN(properties).setMaxRowGroupSize(group).setDataPageSizeLimit(page));
        const places = await placesOf(path, 'embedding', dim);
        expect(places).toBeDefined();
        expect(readAll(path, places as ColumnPlaces, rows, dim)).toEqual(valuesOf(rows, dim));
      }),
      { numRuns: 40 },
    );
  });

  it.each<[string, Settings]>([
    ['compressed', (properties) => PLAIN(properties).setCompression(Compression.ZSTD)],
    ['with a dictionary', (properties) => PLAIN(properties).setDictionaryEnabled(true)],
  ])('are not known in a file that is %s', async (_, settings) => {
    const path = write(100, 8, settings);
    expect(await placesOf(path, 'embedding', 8)).toBeUndefined();
    const file = await openParquet(path);
    expect(file.rows).toBe(100);
    await file.close();
  });

  it('are not known of another column, of vectors of another length, and in what is no Parquet file', async () => {
    const path = write(100, 8, PLAIN);
    expect(await placesOf(path, 'other', 8)).toBeUndefined();
    expect(await placesOf(path, 'embedding', 7)).toBeUndefined();
    const bytes = readFileSync(path);
    for (const length of [0, 3, 100, bytes.length - 20]) {
      writeFileSync(path, bytes.subarray(0, length));
      expect(await placesOf(path, 'embedding', 8)).toBeUndefined();
    }
  });
});
