// Rows whose kept values are not of the type that the first row group settles are put aside where they are read, not found when the output is written.

import { neverSeen } from '../columns/kept-errors.js';
import { fitsType, inferType, type KeptType, misfitOf } from '../columns/kept-values.js';
import type { KeepColumn } from '../columns/row.js';
import { ROW_GROUP_ROWS } from '../columns/row-groups.js';
import { isBad } from '../records/bad-rows.js';
import type { BadRow } from '../records/record.js';
import type { Row, RunItem } from './items.js';

export interface KeptTypesOptions {
  /** Only named types count: JSONL has no others. */
  readonly named: boolean;
}

/** Passes items on, with a bad row in the place of each that does not fit. Throws `usage` for a column that no row of the first row group has. */
export async function* fittingKept(
  chunks: AsyncIterable<RunItem[]>,
  keep: readonly KeepColumn[],
  { named }: KeptTypesOptions,
): AsyncGenerator<RunItem[]> {
  const all = keep.map((column, index) => new ColumnTypes(column, index));
  const columns = named ? all.filter(({ isNamed }) => isNamed) : all;
  for await (const items of chunks) yield columns.length === 0 ? items : items.map((item) => (isBad(item) ? item : fitted(item, columns)));
  if (!named) for (const column of columns) column.end();
}

function fitted(row: Row, columns: readonly ColumnTypes[]): RunItem {
  // The columns of typed inputs are compared as a whole, file by file.
  if (row.kept.kind !== 'values') return row;
  for (const column of columns) {
    const bad = column.misfit(row, row.kept.values);
    if (bad !== undefined) return bad;
  }
  for (const column of columns) column.add(row.kept.values);
  return row;
}

/** The type of one column: named, or settled once a row group of good rows has come by. */
class ColumnTypes {
  private type: KeptType | undefined;
  private first: unknown[] = [];
  private rows = 0;

  constructor(
    private readonly column: KeepColumn,
    private readonly index: number,
  ) {
    if (column.type !== undefined) this.type = { scalar: column.type, list: false };
  }

  get isNamed(): boolean {
    return this.column.type !== undefined;
  }

  misfit({ id, place }: Row, values: readonly unknown[]): BadRow | undefined {
    const value = values[this.index];
    if (this.type === undefined || fitsType(this.column, this.type, value)) return undefined;
    return { error: misfitOf(this.column, this.type, value, place), id, place, raw: undefined };
  }

  add(values: readonly unknown[]): void {
    if (this.rows >= ROW_GROUP_ROWS) return;
    this.rows++;
    this.first.push(values[this.index]);
    if (this.rows < ROW_GROUP_ROWS) return;
    this.checkSeen();
    this.type ??= inferType(this.first);
    this.first = [];
  }

  /** The input ends before its first row group is full. */
  end(): void {
    if (this.rows < ROW_GROUP_ROWS) this.checkSeen();
  }

  private checkSeen(): void {
    if (this.rows > 0 && this.first.every((value) => value === undefined)) throw neverSeen(this.column, this.rows);
  }
}
