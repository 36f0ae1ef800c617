// An Arrow stream that comes out again batch by batch: its rows become items, and each record batch is told of when its last row has been.
import type { RecordBatch } from 'apache-arrow';
import { EmbedkitError } from '../errors.js';
import type { ArrowStream } from './arrow.js';
import { batchReader } from './arrow-rows.js';
import type { Item } from './record.js';
import type { Selection } from './select.js';

/** A record batch all of whose rows have been handed on. */
export interface EndedBatch {
  readonly batch: RecordBatch;
  /** Number of its first row in the stream. */
  readonly start: number;
}

/** Vectors of a record batch are held until all of them are there. */
export const MOST_BATCH_ROWS = 65_536;

/**
 * The rows of a stream, some at a time. Before the last rows of a record batch are yielded (none, of an empty one) the batch is put into
 * `ended`: whoever takes the rows takes it from there.
 */
export async function* readPipe({ batches }: ArrowStream, selection: Selection, name: string, ended: EndedBatch[]): AsyncGenerator<Item[]> {
  const read = batchReader({ ...selection, keep: [], needsId: false }, name);
  let start = 0;
  for await (const batch of batches) {
    if (batch.numRows > MOST_BATCH_ROWS) throw tooManyRows(batch, name);
    let last: Item[] = [];
    for (const items of read(batch, start)) {
      if (last.length > 0) yield last;
      last = items;
    }
    ended.push({ batch, start });
    yield last;
    start += batch.numRows;
  }
}

function tooManyRows({ numRows }: RecordBatch, name: string): EmbedkitError {
  return new EmbedkitError(
    'input-unreadable',
    `${name}: a record batch of ${numRows} rows, more than the ${MOST_BATCH_ROWS} that the pipe takes`,
    {
      hint: 'send smaller ones, of a few thousand rows (pyarrow: max_chunksize=4096)',
    },
  );
}
