// Arrow record batches become TextRecords. Kept columns stay Arrow vectors, so that their types and bits survive.
import { DataType, type RecordBatch, type Vector } from 'apache-arrow';
import { itemsOf } from './bad-rows.js';
import type { Item, TextRecord } from './record.js';
import { badRow, type RowAccess, type RowReader, rowReader, type Selection } from './select.js';

export type BatchReader = (batch: RecordBatch, firstRow: number) => Generator<Item[]>;

// A file may hold all its rows in one batch.
const ROWS_A_CHUNK = 1024;

/**
 * Builds the function that turns the batches of one source into records, some at a time; `firstRow` is the batch's first
 * row there.
 */
export function batchReader(selection: Selection, source: string, allNames?: readonly string[]): BatchReader {
  // Kept columns are taken as vectors below, not value by value.
  const toRecord: RowReader = rowReader({ ...selection, keep: [] });
  return function* read(batch, firstRow) {
    const access = new BatchRow(batch, allNames);
    const columns = selection.keep.map((name) => keptColumn(access, name, source, firstRow));
    const readRow = (row: number): TextRecord => {
      access.row = row;
      const record = toRecord(access, { source, unit: 'row', number: firstRow + row });
      return { ...record, kept: { kind: 'arrow', columns, row } };
    };
    for (let start = 0; start < batch.numRows; start += ROWS_A_CHUNK) {
      const length = Math.min(ROWS_A_CHUNK, batch.numRows - start);
      const rows = Array.from({ length }, (_, index) => start + index);
      yield itemsOf(rows, readRow, (row) => ({ place: { source, unit: 'row', number: firstRow + row }, raw: undefined }));
    }
  };
}

function keptColumn(access: BatchRow, name: string, source: string, row: number): Vector {
  const column = access.column(name);
  if (column !== undefined) return column;
  const hint = `name some of these with --keep: ${access.names().slice(0, 20).join(', ')}`;
  throw badRow({ source, unit: 'row', number: row }, `no column "${name}"`, hint);
}

/** One row at a time of a batch; moved by setting `row`. */
class BatchRow implements RowAccess {
  row = 0;
  private readonly found = new Map<string, Vector | undefined>();

  constructor(
    private readonly batch: RecordBatch,
    private readonly allNames?: readonly string[],
  ) {}

  get(path: string): unknown {
    return this.column(path)?.get(this.row);
  }

  names(): readonly string[] {
    return this.allNames ?? this.batch.schema.fields.map((field) => field.name);
  }

  column(path: string): Vector | undefined {
    if (!this.found.has(path)) this.found.set(path, childAt(this.batch, path));
    return this.found.get(path);
  }
}

function childAt(batch: RecordBatch, path: string): Vector | undefined {
  const whole = batch.getChild(path);
  if (whole) return whole;
  const [first, ...rest] = path.split('.');
  let column: Vector | null = batch.getChild(first ?? '');
  for (const name of rest) {
    column = column !== null && DataType.isStruct(column.type) ? column.getChild(name) : null;
  }
  return column ?? undefined;
}
