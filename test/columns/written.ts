// Rows, vectors and a sink in memory, for tests of the writers.
import type { RecordBatch, Vector } from 'apache-arrow';
import { tableFromIPC } from 'apache-arrow';
import { readParquet } from 'parquet-wasm';
import { OUTPUT_FORMATS, type OutputFormatName } from '#src/columns/formats.js';
import type { ByteSink, KeepColumn, LayoutOptions, OutputRow } from '#src/columns/row.js';
import { encoderOf } from '#src/job/storage.js';

export const SOURCE = 'corpus.jsonl';

/** Rows whose kept values are those given, one array a row. */
export function rowsOf(kept: readonly (readonly unknown[])[]): OutputRow[] {
  return kept.map((values, index) => ({
    id: `id-${index}`,
    kept: { kind: 'values', values },
    place: { source: SOURCE, unit: 'line', number: index + 1 },
    tokenCount: (index % 510) + 2,
    truncated: index % 3 === 0,
    contentHash: index.toString(16).padStart(32, '0'),
  }));
}

/** Rows that stand in Arrow batches: each batch gives its rows one after the other. */
export function arrowRows(batches: readonly (readonly Vector[])[]): OutputRow[] {
  const cells = batches.flatMap((columns) => Array.from({ length: columns[0]?.length ?? 0 }, (_, row) => ({ columns, row })));
  return rowsOf(cells.map(() => [])).map((row, index) => ({ ...row, kept: { kind: 'arrow', ...(cells[index] as (typeof cells)[0]) } }));
}

export function rowsWithoutKept(count: number): OutputRow[] {
  return rowsOf(Array.from({ length: count }, () => []));
}

/** Float32 values of many magnitudes, -0 and denormals among them. */
export function vectorsOf(rows: number, dim: number): Float32Array {
  const specials = [0, -0, 1, -1, 1e-45, -1e-38, 0.1, 3.4028234663852886e38];
  return Float32Array.from({ length: rows * dim }, (_, index) => specials[index % 11] ?? Math.sin(index) / (index + 1));
}

export class MemorySink implements ByteSink {
  readonly chunks: Uint8Array[] = [];

  async write(bytes: Uint8Array): Promise<void> {
    this.chunks.push(bytes.slice());
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

export interface Written extends Partial<LayoutOptions> {
  /** How many rows each append gets, over and over; default: all at once. */
  readonly pieces?: readonly number[];
}

export function columnsOf(...names: string[]): KeepColumn[] {
  return names.map((name) => ({ name, type: undefined }));
}

export function layoutOf(options: Partial<LayoutOptions> = {}): LayoutOptions {
  const encode = encoderOf({ dtype: options.dtype ?? 'float32', ranges: undefined });
  return { keep: [], chunks: false, dtype: 'float32', dim: 4, encode, metadata: new Map([['embedkit', '{}']]), ...options };
}

/** What a writer makes of the rows. */
export async function write(
  format: OutputFormatName,
  rows: readonly OutputRow[],
  data: Float32Array,
  options: Written = {},
): Promise<Buffer> {
  const layout = layoutOf(options);
  const sink = new MemorySink();
  const writer = await OUTPUT_FORMATS[format].create(sink, layout);
  const pieces = options.pieces ?? [Math.max(rows.length, 1)];
  for (let start = 0, turn = 0; start < rows.length; turn++) {
    const end = Math.min(rows.length, start + (pieces[turn % pieces.length] as number));
    const piece = { rows: end - start, dim: layout.dim, data: data.subarray(start * layout.dim, end * layout.dim) };
    await writer.append(rows.slice(start, end), piece);
    start = end;
  }
  await writer.finish();
  return sink.bytes;
}

/** The record batches of a Parquet or Arrow file. */
export function batchesOf(format: 'parquet' | 'arrow' | 'arrow-stream', bytes: Uint8Array): RecordBatch[] {
  return tableFromIPC(format === 'parquet' ? readParquet(bytes).intoIPCStream() : bytes).batches;
}

/** Writes kept columns of plain values as Arrow and gives one of them back. */
export async function keptColumn(values: readonly unknown[], type?: KeepColumn['type']): Promise<Vector> {
  const rows = rowsOf(values.map((value) => [value]));
  const bytes = await write('arrow', rows, vectorsOf(rows.length, 4), { keep: [{ name: 'k', type }] });
  return tableFromIPC(bytes).getChild('k') as Vector;
}
