// A row that cannot become a record takes its place in the stream: whoever reads decides what becomes of it.
import { EmbedkitError } from '../errors.js';
import type { BadRow, Item, Place, TextRecord } from './record.js';

/** Why a row is none, with its id where that could be read. */
export class RowError extends EmbedkitError {
  rowId: string | undefined;
}

/** The bad row whose text is empty or only white space, for those who count it apart from the others. */
export class BlankText extends RowError {}

/** Where a row stands and, for text formats, its bytes. */
export interface RowOrigin {
  readonly place: Place;
  readonly raw: Buffer | undefined;
}

/** Turns rows into items; `toRecord` gives undefined for what is no row at all, such as a blank line. */
export function itemsOf<Row>(
  rows: readonly Row[],
  toRecord: (row: Row) => TextRecord | undefined,
  originOf: (row: Row) => RowOrigin,
): Item[] {
  const items: Item[] = [];
  for (const row of rows) {
    try {
      const record = toRecord(row);
      if (record !== undefined) items.push(record);
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      items.push({ error, id: error.rowId, ...originOf(row) });
    }
  }
  return items;
}

export function isBad(item: Item): item is BadRow {
  return 'error' in item;
}

/** The records of a stream that is to hold nothing else: throws the error of its first bad row. */
export async function* recordsOnly(chunks: AsyncIterable<Item[]>): AsyncGenerator<TextRecord[]> {
  for await (const items of chunks) {
    const good = items.findIndex(isBad);
    const records = (good === -1 ? items : items.slice(0, good)) as TextRecord[];
    // None at all is a chunk too: the last one of an empty record batch.
    if (records.length > 0 || items.length === 0) yield records;
    if (good !== -1) throw (items[good] as BadRow).error;
  }
}
