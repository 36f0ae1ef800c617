// An Arrow stream that answers another one: for each record batch of the input one of the output, its columns untouched and the vectors beside them.
import { type Data, type Field, makeData, RecordBatch, RecordBatchStreamWriter, Schema, Struct } from 'apache-arrow';
import { EmbedkitError } from '../errors.js';
import { Chunks } from './arrow.js';
import { concat } from './concat.js';
import { vectorColumns, vectorFields } from './own-columns.js';
import type { ByteSink, LayoutOptions, OutputRow, RowVectors } from './row.js';

/** A record batch of the input all of whose rows that have a vector were appended. */
export interface AnsweredBatch {
  readonly batch: RecordBatch;
  /** Number of its first row in the input. */
  readonly start: number;
}

/** Writes one record batch for each of the input, also where no row of it is left. */
export class ArrowPipeWriter {
  private readonly writer = new RecordBatchStreamWriter();
  private readonly encoded = new Chunks();
  private readonly kept: readonly number[];
  private readonly schema: Schema;
  /** Rows whose batch has not ended. */
  private rows: OutputRow[] = [];
  private vectors: Float32Array[] = [];

  private constructor(
    private readonly sink: ByteSink,
    private readonly layout: LayoutOptions,
    input: Schema,
  ) {
    this.kept = keptColumns(layout, input);
    const fields = this.kept.map((index) => input.fields[index] as Field);
    this.schema = new Schema([...fields, ...vectorFields(layout)], new Map([...input.metadata, ...layout.metadata]));
  }

  /** Starts the stream: its schema is written at once. Throws `usage` for columns that are not there, or that the output has of its own. */
  static async open(sink: ByteSink, layout: LayoutOptions, input: Schema): Promise<ArrowPipeWriter> {
    const opened = new ArrowPipeWriter(sink, layout, input);
    opened.writer.reset(opened.encoded, opened.schema);
    await opened.flush();
    return opened;
  }

  /** Rows in the order of the input, and the batches that end with them. */
  async append(rows: readonly OutputRow[], { data, dim }: RowVectors, ended: readonly AnsweredBatch[]): Promise<void> {
    for (const row of rows) this.rows.push(row);
    for (let row = 0; row < rows.length; row++) this.vectors.push(data.subarray(row * dim, (row + 1) * dim));
    for (const batch of ended) await this.write(batch);
  }

  async finish(): Promise<void> {
    this.writer.close();
    await this.flush();
  }

  private async write({ batch, start }: AnsweredBatch): Promise<void> {
    const end = start + batch.numRows;
    const after = this.rows.findIndex((row) => row.place.number >= end);
    const count = after === -1 ? this.rows.length : after;
    const rows = this.rows.splice(0, count);
    const at = rows.map((row) => row.place.number - start);
    const children = this.kept.map((index) => someRows(batch.data.children[index] as Data, at));
    children.push(...vectorColumns(rows, joinVectors(this.vectors.splice(0, count), this.layout.dim), this.layout));
    const struct = makeData({ type: new Struct(this.schema.fields), length: count, nullCount: 0, children });
    this.writer.write(new RecordBatch(this.schema, struct));
    await this.flush();
  }

  private async flush(): Promise<void> {
    for (const chunk of this.encoded.take()) await this.sink.write(chunk);
  }
}

/** Numbers of the columns that pass: those named, or all. */
function keptColumns({ keep, metadata: _, ...layout }: LayoutOptions, input: Schema): number[] {
  const names = input.fields.map(({ name }) => String(name));
  const missing = keep.find(({ name }) => !names.includes(name));
  if (missing !== undefined) {
    throw new EmbedkitError('usage', `--keep ${missing.name}: the stream has no column of that name`, {
      hint: `name some of these: ${names.slice(0, 20).join(', ')}`,
    });
  }
  const kept = keep.length > 0 ? keep.map(({ name }) => names.indexOf(name)) : [...names.keys()];
  const own = new Set(vectorFields(layout).map(({ name }) => name));
  const taken = kept.map((index) => names[index] as string).find((name) => own.has(name));
  if (taken === undefined) return kept;
  throw new EmbedkitError('usage', `the stream has a column "${taken}", and the output one of its own`, {
    hint: 'rename or drop it, or name the columns that are to pass with --keep',
  });
}

function joinVectors(vectors: readonly Float32Array[], dim: number): Float32Array<ArrayBuffer> {
  const all = new Float32Array(vectors.length * dim);
  vectors.forEach((vector, row) => {
    all.set(vector, row * dim);
  });
  return all;
}

/** The rows of an array, in rising order: the array itself where that is all of them. */
function someRows(data: Data, rows: readonly number[]): Data {
  if (rows.length === data.length) return data;
  const parts: Data[] = [];
  for (let start = 0; start < rows.length; ) {
    let length = 1;
    while (rows[start + length] === (rows[start] as number) + length) length++;
    parts.push(data.slice(rows[start] as number, length));
    start += length;
  }
  return concat(data.type, parts.length > 0 ? parts : [data.slice(0, 0)]);
}
