// The kept columns of a row group as Arrow vectors. Types are settled by the first group and hold for the whole file.
import { type DataType, Field, makeVector, type Vector } from 'apache-arrow';
import { concat } from './concat.js';
import { neverSeen, otherType, typeOfItsOwn } from './kept-errors.js';
import { arrowType, inferType, type KeptType, valuesToVector } from './kept-values.js';
import { plainType } from './plain-types.js';
import type { KeepColumn, OutputRow } from './row.js';

/** Tells JSON text from other text. */
const KEPT_JSON = new Map([['embedkit.type', 'json']]);

type Settled = { readonly kind: 'values'; readonly type: KeptType } | { readonly kind: 'arrow'; readonly type: DataType };

/** One kept column: remembers the type that its first row group settled. */
export class KeptColumn {
  private settled: Settled | undefined;

  constructor(
    readonly column: KeepColumn,
    private readonly index: number,
  ) {}

  /** Its field in the schema; text where no row has settled a type. */
  get field(): Field {
    const { name, type = 'string' } = this.column;
    const settled = this.settled ?? { kind: 'values', type: { scalar: type, list: false } };
    if (settled.kind === 'arrow') return new Field(name, settled.type, true);
    return new Field(name, arrowType(settled.type), true, settled.type.scalar === 'json' ? KEPT_JSON : undefined);
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
      if (this.column.type !== undefined) throw typeOfItsOwn(this.column);
      return { kind: 'arrow', type: plainType((first.columns[this.index] as Vector).type) };
    }
    const values = rows.map((row) => this.valueOf(row));
    if (values.every((value) => value === undefined)) throw neverSeen(this.column, rows.length);
    if (this.column.type !== undefined) return { kind: 'values', type: { scalar: this.column.type, list: false } };
    return { kind: 'values', type: inferType(values) };
  }

  private valueOf(row: OutputRow): unknown {
    if (row.kept.kind === 'values') return row.kept.values[this.index];
    throw otherType(this.column, row.place);
  }

  /** Joins the runs of rows that stand one after the other in the same batch. */
  private gather(rows: readonly OutputRow[], type: DataType): Vector {
    const parts = [];
    for (let start = 0; start < rows.length; ) {
      const row = rows[start] as OutputRow;
      const { kept } = row;
      if (kept.kind !== 'arrow') throw otherType(this.column, row.place);
      const vector = kept.columns[this.index] as Vector;
      if (String(plainType(vector.type)) !== String(type)) throw otherType(this.column, row.place);
      const length = runLength(rows, start);
      parts.push(...vector.slice(kept.row, kept.row + length).data);
      start += length;
    }
    return makeVector(concat(type, parts));
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
