// A Parquet file, read by parquet-wasm in a worker thread: a malformed file can make that library panic, which there ends
// the worker and not the process.
import { type RecordBatch, type Schema, tableFromIPC } from 'apache-arrow';
import { startThread, type Thread } from '../thread.js';
import type { ParquetReply, ParquetRequest } from './parquet-worker.js';

export interface ParquetFile {
  /** Top-level columns. */
  readonly names: readonly string[];
  /** As the footer promises. */
  readonly rows: number;
  readonly schema: Schema;
  /** The footer's key-value pairs. */
  readonly metadata: ReadonlyMap<string, string>;
  /** The rows of some columns, a bounded number at a time; to be called once. Throws Error where they cannot all be read. */
  batches(columns: readonly string[]): AsyncGenerator<RecordBatch>;
  close(): Promise<void>;
}

type Ask = Thread<ParquetRequest, ParquetReply>['ask'];

/** Opens a file; whoever does closes it. Throws Error where it is no Parquet file, or one that cannot be read. */
export async function openParquet(path: string): Promise<ParquetFile> {
  const { ask, end } = startThread<ParquetRequest, ParquetReply>(new URL('./parquet-worker.js', import.meta.url), {
    failed: () => 'the Parquet data is malformed',
    stopped: 'the Parquet reader stopped',
  });
  try {
    const opened = await ask({ kind: 'open', path });
    if (opened.kind !== 'opened') throw new Error('unexpected reply to open');
    const { rows } = opened;
    const { schema } = tableFromIPC(opened.schema);
    const names = schema.fields.map((field) => String(field.name));
    return { names, rows, schema, metadata: schema.metadata, batches: (columns) => readBatches(ask, columns, rows), close: end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function* readBatches(ask: Ask, columns: readonly string[], promised: number): AsyncGenerator<RecordBatch> {
  await ask({ kind: 'select', columns });
  let rows = 0;
  // The worker decodes the next one while this one is used.
  let coming = ask({ kind: 'next' });
  for (let reply = await coming; reply.kind === 'batch'; reply = await coming) {
    coming = ask({ kind: 'next' });
    coming.catch(() => undefined);
    for (const batch of tableFromIPC(reply.ipc).batches) {
      rows += batch.numRows;
      yield batch;
    }
  }
  if (rows !== promised) throw new Error(`${rows} rows could be read of the ${promised} that its footer promises`);
}
