// The outputs read by pyarrow, DuckDB and Polars: every bit of every vector. Needs TEST_PYTHON, an interpreter with these.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { OUTPUT_FORMATS } from '#src/columns/formats.js';
import type { LayoutOptions, OutputRow } from '#src/columns/row.js';
import { openFileSink } from '#src/columns/sinks.js';
import { runJob } from '#src/job/run.js';
import { encoderOf } from '#src/job/storage.js';
import { roundToF16 } from '#src/vectors/f16.js';
import { runCli, temporaryFolder } from '../run.js';

const PYTHON = process.env.TEST_PYTHON;
const SCRIPT = fileURLToPath(new URL('./readback.py', import.meta.url));
const AWKWARD = [-0, 1e-45, 2 ** -126, 0.1, -1 / 3, 65504, 6e-8];

function readBack(folder: string): string {
  return execFileSync(PYTHON as string, [SCRIPT, folder], { encoding: 'utf8' });
}

async function write(
  path: string,
  format: 'parquet' | 'arrow',
  layout: LayoutOptions,
  rows: OutputRow[],
  data: Float32Array,
): Promise<void> {
  const sink = await openFileSink(path);
  const writer = await OUTPUT_FORMATS[format].create(sink, layout);
  const vectors = layout.dtype === 'float16' ? data.slice() : data;
  if (layout.dtype === 'float16') roundToF16(vectors);
  await writer.append(rows, { rows: rows.length, dim: layout.dim, data: vectors });
  await writer.finish();
  await sink.commit();
}

describe.runIf(PYTHON)('read by pyarrow, DuckDB and Polars (skipped without TEST_PYTHON)', () => {
  it('9,000 rows of awkward floats', async () => {
    const folder = temporaryFolder();
    const [count, dim] = [9000, 24];
    const data = Float32Array.from({ length: count * dim }, (_, at) =>
      at % 5 === 0 ? (AWKWARD[(at / 5) % AWKWARD.length] as number) : Math.sin(at),
    );
    const rows: OutputRow[] = Array.from({ length: count }, (_, row) => ({
      id: `id ${row} é漢`,
      kept: { kind: 'values', values: [row % 3 === 0 ? null : 2 ** 40 + row] },
      place: { source: 'made', unit: 'row', number: row },
      tokenCount: row,
      truncated: row % 2 === 0,
      contentHash: row.toString(16).padStart(32, '0'),
    }));
    const provenance = { model: 'none' };
    const layout: LayoutOptions = {
      keep: [{ name: 'year', type: undefined }],
      chunks: false,
      dtype: 'float32',
      dim,
      encode: encoderOf({ dtype: 'float32', ranges: undefined }),
      metadata: new Map([['embedkit', JSON.stringify(provenance)]]),
    };
    await write(join(folder, 'out.parquet'), 'parquet', layout, rows, data);
    await write(join(folder, 'out.arrow'), 'arrow', layout, rows, data);
    const ranges = { minimum: new Array<number>(dim).fill(-0.9), maximum: new Array<number>(dim).fill(0.9) };
    for (const [name, format, dtype] of [
      ['half.parquet', 'parquet', 'float16'],
      ['int8.parquet', 'parquet', 'int8'],
      ['int8.arrow', 'arrow', 'int8'],
      ['binary.parquet', 'parquet', 'binary'],
      ['binary.arrow', 'arrow', 'binary'],
    ] as const) {
      await write(join(folder, name), format, { ...layout, dtype, encode: encoderOf({ dtype, ranges }) }, rows, data);
    }
    writeFileSync(join(folder, 'expected.f32'), new Uint8Array(data.buffer));
    const years = rows.map((_, row) => (row % 3 === 0 ? null : 2 ** 40 + row));
    writeFileSync(
      join(folder, 'expected.json'),
      JSON.stringify({ rows: count, dim, ids: rows.map((row) => row.id), years, provenance, ranges }),
    );
    expect(readBack(folder)).toMatch(/9000 x 24 bit for bit/);
  });

  it('a real run of the program', async () => {
    const folder = temporaryFolder();
    const passages = readFileSync(new URL('../../examples/passages.jsonl', import.meta.url), 'utf8')
      .trim()
      .split('\n')
      .slice(0, 30);
    const input = join(folder, 'in.jsonl');
    writeFileSync(input, `${passages.join('\n')}\n`);
    const keep = [{ name: 'year', type: undefined }];
    for (const [name, dtype] of [
      ['out.parquet', 'float32'],
      ['half.parquet', 'float16'],
      ['out.arrow', 'float32'],
      ['int8.parquet', 'int8'],
      ['int8.arrow', 'int8'],
      ['binary.parquet', 'binary'],
      ['binary.arrow', 'binary'],
    ] as const) {
      await runJob({ input: { paths: [input], keep }, output: { path: join(folder, name), dtype } });
    }
    const jsonl = await runCli(['embed', input, '-o', '-', '--keep', 'year', '--quiet']);
    const lines = jsonl.stdout
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    writeFileSync(join(folder, 'expected.f32'), new Uint8Array(Float32Array.from(lines.flatMap((line) => line.embedding)).buffer));
    const said = execFileSync(
      PYTHON as string,
      [
        '-c',
        `import pyarrow.parquet as p; print(p.read_metadata(${JSON.stringify(join(folder, 'out.parquet'))}).metadata[b'embedkit'].decode())`,
      ],
      { encoding: 'utf8' },
    );
    const provenance = JSON.parse(said);
    expect(provenance).toMatchObject({ model: 'bge-small-en-v1.5', dim: 384, dtype: 'float32', pooling: 'cls', prompt: '' });
    expect(said).not.toMatch(/20\d\d-\d\d-\d\dT|\/tmp|in\.jsonl/);
    const expected = {
      rows: 30,
      dim: 384,
      ids: lines.map((line) => line.id),
      years: lines.map((line) => line.year),
      provenance,
      ranges: null,
    };
    writeFileSync(join(folder, 'expected.json'), JSON.stringify(expected));
    expect(readBack(folder)).toMatch(/30 x 384 bit for bit/);
  });
});
