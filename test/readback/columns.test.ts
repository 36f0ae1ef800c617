// Kept columns of every kind, and float16, read back by pyarrow, DuckDB and Polars: types, values, row groups.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as arrow from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import type { OutputRow } from '#src/columns/row.js';
import { roundToF16 } from '#src/vectors/f16.js';
import { arrowRows, columnsOf, rowsOf, vectorsOf, type Written, write } from '../columns/written.js';
import { temporaryFolder } from '../run.js';

const PYTHON = process.env['TEST_PYTHON'] ?? '';
const SCRIPT = fileURLToPath(new URL('./columns.py', import.meta.url));
const suite = PYTHON === '' ? 'read back (skipped: TEST_PYTHON names no Python with pyarrow, duckdb and polars)' : 'read back';

interface Case {
  readonly dim: number;
  readonly dtype: 'float32' | 'float16';
  readonly vectors: Float32Array;
  readonly rowGroups: readonly number[];
  readonly columns: Record<string, readonly unknown[]>;
  readonly types: Record<string, string>;
  readonly provenance: Record<string, unknown>;
}

/** Runs the script over `out.parquet` and `out.arrow` in the folder; gives the number of its checks. */
function readBack(folder: string, { vectors, rowGroups, ...rest }: Case): number {
  const files = { parquet: join(folder, 'out.parquet'), arrow: join(folder, 'out.arrow') };
  writeFileSync(join(folder, 'vectors.f32'), new Uint8Array(vectors.buffer));
  const facts = { ...rest, files, vectors: join(folder, 'vectors.f32'), row_groups: rowGroups, rows: vectors.length / rest.dim };
  // Whole numbers beyond 2^53 stand in JSON with all their digits.
  const json = JSON.stringify(facts, (_, value) => (typeof value === 'bigint' ? `#${value}#` : value)).replace(/"#(-?\d+)#"/g, '$1');
  writeFileSync(join(folder, 'case.json'), json);
  const ran = spawnSync(PYTHON, [SCRIPT, join(folder, 'case.json')], { encoding: 'utf8' });
  expect(ran.stderr).toBe('');
  return (JSON.parse(ran.stdout) as { checks: number }).checks;
}

async function writeBoth(folder: string, rows: readonly OutputRow[], vectors: Float32Array, options: Written): Promise<void> {
  for (const format of ['parquet', 'arrow'] as const) {
    writeFileSync(join(folder, `out.${format}`), await write(format, rows, vectors, { ...options, pieces: [1000, 7, 5000] }));
  }
}

const OWN_TYPES = { id: 'string', token_count: 'int32', truncated: 'bool', content_hash: 'string' };

function ownColumns(rows: readonly OutputRow[]): Record<string, readonly unknown[]> {
  return {
    id: rows.map((row) => row.id),
    token_count: rows.map((row) => row.tokenCount),
    truncated: rows.map((row) => row.truncated),
    content_hash: rows.map((row) => row.contentHash),
  };
}

describe.skipIf(PYTHON === '')(suite, () => {
  const ROWS = 9000;
  const provenance = { model: 'm', dim: 96, list: [1, 'ü'] };
  const metadata = new Map([['embedkit', JSON.stringify(provenance)]]);

  it.each(['float32', 'float16'] as const)('%s, with kept columns of plain values', async (dtype) => {
    const folder = temporaryFolder();
    const dim = 96;
    const names = ['text', 'whole', 'fraction', 'flag', 'list', 'object'];
    const values = Array.from({ length: ROWS }, (_, index) => [
      index % 5 === 0 ? null : `tëxt ${index % 50}`,
      2n ** 60n + BigInt(index),
      index / 8,
      index % 2 === 0,
      index % 9 === 0 ? null : [index, -index],
      { a: index },
    ]);
    const rows = rowsOf(values);
    const vectors = vectorsOf(ROWS, dim).map((value) => (dtype === 'float16' ? Math.max(-65504, Math.min(65504, value)) : value));
    if (dtype === 'float16') roundToF16(vectors);
    await writeBoth(folder, rows, vectors, { dim, dtype, metadata, keep: columnsOf(...names) });
    const kept = Object.fromEntries(names.map((name, column) => [name, values.map((row) => row[column])]));
    const columns = { ...ownColumns(rows), ...kept, object: values.map((row) => JSON.stringify(row[5])) };
    const types = {
      ...OWN_TYPES,
      text: 'string',
      whole: 'int64',
      fraction: 'double',
      flag: 'bool',
      list: 'list<item: int64>',
      object: 'string',
    };
    expect(readBack(folder, { dim, dtype, vectors, rowGroups: [4096, 4096, 808], columns, types, provenance })).toBeGreaterThan(50);
  });

  it('kept columns of Arrow types', async () => {
    const folder = temporaryFolder();
    const numbers = Array.from({ length: ROWS }, (_, index) => (index % 4 === 0 ? null : index));
    const columns: readonly (readonly [string, string, arrow.DataType, readonly unknown[]])[] = [
      ['i16', 'int16', new arrow.Int16(), numbers],
      ['f32', 'float', new arrow.Float32(), numbers.map((value) => value && value / 4)],
      ['word', 'string', new arrow.Dictionary(new arrow.Utf8(), new arrow.Int16()), numbers.map((value) => value && `w${value % 7}`)],
      ['view', 'string', new arrow.Utf8View(), numbers.map((value) => value && `a view of more than twelve bytes ${value}`)],
      ['nested', 'list<item: list<item: int32>>', listOf(listOf(new arrow.Int32())), numbers.map((value) => value && [[value], []])],
      ['pair', 'fixed_size_list<item: int32>[2]', fixedOf(2, new arrow.Int32()), numbers.map((value) => value && [value, -value])],
      ['point', 'struct<x: int32, y: string>', pointOf(), numbers.map((value) => value && { x: value, y: `y${value}` })],
    ];
    const batches = [0, 3001, 5000].map((start, index, starts) =>
      columns.map(([, , type, values]) => arrow.vectorFromArray(values.slice(start, starts[index + 1] ?? ROWS), type)),
    );
    const rows = arrowRows(batches);
    const vectors = vectorsOf(ROWS, 8);
    await writeBoth(folder, rows, vectors, { dim: 8, metadata, keep: columnsOf(...columns.map(([name]) => name)) });
    const expected = { ...ownColumns(rows), ...Object.fromEntries(columns.map(([name, , , values]) => [name, values])) };
    const types = { ...OWN_TYPES, ...Object.fromEntries(columns.map(([name, type]) => [name, type])) };
    const facts = { dim: 8, dtype: 'float32', vectors, rowGroups: [4096, 4096, 808], columns: expected, types, provenance } as const;
    expect(readBack(folder, facts)).toBeGreaterThan(50);
  });
});

function listOf(type: arrow.DataType): arrow.List {
  return new arrow.List(new arrow.Field('item', type, true));
}

function fixedOf(size: number, type: arrow.DataType): arrow.FixedSizeList {
  return new arrow.FixedSizeList(size, new arrow.Field('item', type, true));
}

function pointOf(): arrow.Struct {
  return new arrow.Struct([new arrow.Field('x', new arrow.Int32(), true), new arrow.Field('y', new arrow.Utf8(), true)]);
}
