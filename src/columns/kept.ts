// The kept columns of a row group as Arrow vectors. Types are settled by the first group and hold for the whole file.
import { type DataType, makeVector, type Vector } from 'apache-arrow';
import { EmbedkitError } from '../errors.js';
import { concat, plainType, sliceOf } from './concat.js';
import { arrowType, inferType, type KeptType, valuesToVector } from './kept-values.js';
import type { KeepColumn, OutputRow } from './row.js';

type Settled = { readonly kind: 'values'; readonly type: KeptType } | { readonly kind: 'arrow'; readonly type: DataType };

/** One kept column: remembers the type that its first row group settled. */
export class KeptColumn {
  private settled: Settled | undefined;

  constructor(
    readonly column: KeepColumn,
    private readonly index: number,
  ) {}

  /** The Arrow type; text where no row has settled one. */
  get type(): DataType {
    const settled = this.settled ?? { kind: 'values', type: { scalar: this.column.type ?? 'string', list: false } };
    return settled.kind === 'arrow' ? settled.type : arrowType(settled.type);
  }

  /** This column of `rows`, as one contiguous vector. */
  vector(rows: readonly OutputRow[]): Vector {
    this.settled ??= this.settle(rows);
    if (this.settled.kind === 'arrow') return this.gather(rows, this.settled.type);
    const values = rows.map((row) => this.valueOf(row));
    return valuesToVector(
      this.column,
      this.settled.type,
      values,
      rows.map((row) => row.place),
    );
  }

  private settle(rows: readonly OutputRow[]): Settled {
    const first = rows[0]?.kept;
    if (first?.kind === 'arrow') {
      if (this.column.type !== undefined) throw this.fixedType();
      return { kind: 'arrow', type: plainType((first.columns[this.index] as Vector).type) };
    }
    const values = rows.map((row) => this.valueOf(row));
    if (values.every((value) => value === undefined)) throw this.neverSeen(rows.length);
    if (this.column.type !== undefined) return { kind: 'values', type: { scalar: this.column.type, list: false } };
    return { kind: 'values', type: inferType(values) };
  }

  private valueOf(row: OutputRow): unknown {
    if (row.kept.kind === 'values') return row.kept.values[this.index];
    throw this.mixed(row);
  }

  /** Joins the runs of rows that stand one after the other in the same batch. */
  private gather(rows: readonly OutputRow[], type: DataType): Vector {
    const parts = [];
    for (let start = 0; start < rows.length; ) {
      const { kept } = rows[start] as OutputRow;
      if (kept.kind !== 'arrow') throw this.mixed(rows[start] as OutputRow);
      const vector = kept.columns[this.index] as Vector;
      if (String(plainType(vector.type)) !== String(type)) throw this.mixed(rows[start] as OutputRow);
      const length = runLength(rows, start);
      parts.push(sliceOf(vector, kept.row, length));
      start += length;
    }
    return makeVector(concat(type, parts));
  }

  private fixedType(): EmbedkitError {
    const found = `--keep ${this.column.name}:${this.column.type}: this input's columns have types of their own`;
    return new EmbedkitError('usage', found, { hint: `write --keep ${this.column.name}` });
  }

  private neverSeen(rows: number): EmbedkitError {
    const found = `--keep ${this.column.name}: no field of that name in the first ${rows} rows`;
    return new EmbedkitError('bad-row', found, { hint: 'correct the name or leave it out' });
  }

  private mixed(row: OutputRow): EmbedkitError {
    const found = `${row.place.source}: column "${this.column.name}" is of another type than in the inputs before it`;
    return new EmbedkitError('bad-row', found, { hint: 'embed the files apart, or convert one of them' });
  }
}

function runLength(rows: readonly OutputRow[], start: number): number {
  const first = rows[start]?.kept;
  if (first?.kind !== 'arrow') return 1;
  let length = 1;
  for (; start + length < rows.length; length++) {
    const next = rows[start + length]?.kept;
    if (next?.kind !== 'arrow' || next.columns !== first.columns || next.row !== first.row + length) break;
  }
  return length;
}
