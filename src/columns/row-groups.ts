// Rows and vectors become Arrow record batches of exactly 4,096 rows, whatever pieces they came in.
import { type Data, Field, Int32, makeData, RecordBatch, Schema, Struct, Utf8, vectorFromArray } from 'apache-arrow';
import { KeptColumn } from './kept.js';
import { vectorColumns, vectorFields } from './own-columns.js';
import { CHUNK_COLUMNS, type LayoutOptions, type OutputRow, type RowVectors } from './row.js';
import { utf8Column } from './utf8.js';

/** Rows a record batch and a Parquet row group hold; the last one holds the rest. */
export const ROW_GROUP_ROWS = 4096;

/** Collects rows; hands out a record batch whenever a row group is full, and the rest at the end. */
export class RowGroups {
  private readonly kept: readonly KeptColumn[];
  private readonly vectors: Float32Array;
  private rows: OutputRow[] = [];

  constructor(private readonly layout: LayoutOptions) {
    this.kept = layout.keep.map((column, index) => new KeptColumn(column, index));
    this.vectors = new Float32Array(ROW_GROUP_ROWS * layout.dim);
  }

  /** Adds rows and yields the row groups that they fill. */
  *add(rows: readonly OutputRow[], vectors: RowVectors): Generator<RecordBatch> {
    const { dim } = this.layout;
    for (let taken = 0; taken < rows.length; ) {
      const count = Math.min(rows.length - taken, ROW_GROUP_ROWS - this.rows.length);
      this.vectors.set(vectors.data.subarray(taken * dim, (taken + count) * dim), this.rows.length * dim);
      this.rows.push(...rows.slice(taken, taken + count));
      taken += count;
      if (this.rows.length === ROW_GROUP_ROWS) yield this.flush();
    }
  }

  /** The rows left over as a last, shorter row group; undefined where there are none. */
  rest(): RecordBatch | undefined {
    return this.rows.length > 0 ? this.flush() : undefined;
  }

  /** A record batch without rows, for a file without any. */
  empty(): RecordBatch {
    const schema = this.schema();
    const children = schema.fields.map(({ type }) => vectorFromArray([], type).data[0] as Data);
    return new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: 0, nullCount: 0, children }));
  }

  /** The schema of the file; settled once a row group was handed out. */
  schema(): Schema {
    return new Schema(
      [
        new Field('id', new Utf8(), false),
        ...(this.layout.chunks ? chunkFields() : []),
        ...this.kept.map(({ field }) => field),
        ...vectorFields(this.layout),
      ],
      new Map(this.layout.metadata),
    );
  }

  private flush(): RecordBatch {
    const rows = this.rows;
    const children = [
      utf8Column(rows.map((row) => row.id)),
      ...(this.layout.chunks ? chunkColumns(rows) : []),
      ...this.kept.map((kept) => kept.vector(rows).data[0] as Data),
      ...vectorColumns(rows, this.vectors.slice(0, rows.length * this.layout.dim), this.layout),
    ];
    this.rows = [];
    const schema = this.schema();
    return new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: rows.length, nullCount: 0, children }));
  }
}

/** The fields of CHUNK_COLUMNS. */
export function chunkFields(): Field[] {
  const [parent, start, end] = CHUNK_COLUMNS;
  return [new Field(parent, new Utf8(), false), new Field(start, new Int32(), false), new Field(end, new Int32(), false)];
}

export function chunkColumns(rows: readonly OutputRow[]): Data[] {
  const numbers = (of: 'start' | 'end'): Data =>
    makeData({ type: new Int32(), data: Int32Array.from(rows, ({ chunk }) => chunk?.[of] ?? 0), nullCount: 0 }) as Data;
  return [utf8Column(rows.map(({ id, chunk }) => chunk?.parentId ?? id)), numbers('start'), numbers('end')];
}
