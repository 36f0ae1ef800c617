// A Parquet file, read by parquet-wasm in a worker thread: a malformed file can make that library panic, which there ends
// the worker and not the process.
import { Worker } from 'node:worker_threads';
import { type RecordBatch, type Schema, tableFromIPC } from 'apache-arrow';
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

type Ask = (request: ParquetRequest) => Promise<ParquetReply>;

/** Opens a file; whoever does closes it. Throws Error where it is no Parquet file, or one that cannot be read. */
export async function openParquet(path: string): Promise<ParquetFile> {
  const worker = new Worker(new URL('./parquet-worker.js', import.meta.url), { stdout: true, stderr: true, execArgv: [] });
  const close = async (): Promise<void> => void (await worker.terminate());
  try {
    const ask = askerOf(worker);
    const opened = await ask({ kind: 'open', path });
    if (opened.kind !== 'opened') throw new Error('unexpected reply to open');
    const { rows } = opened;
    const { schema } = tableFromIPC(opened.schema);
    const names = schema.fields.map((field) => String(field.name));
    return { names, rows, schema, metadata: schema.metadata, batches: (columns) => readBatches(ask, columns, rows), close };
  } catch (error) {
    await close();
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

/** Requests go to the worker one at a time; each is rejected where the worker refuses it, fails or ends. */
function askerOf(worker: Worker): Ask {
  let failure: Error | undefined;
  let waiting: { resolve(reply: ParquetReply): void; reject(error: Error): void } | undefined;
  const fail = (message: string) => (): void => {
    failure ??= new Error(message);
    waiting?.reject(failure);
  };
  worker.on('error', fail('the Parquet data is malformed'));
  worker.on('exit', fail('the Parquet reader stopped'));
  worker.on('message', (reply: ParquetReply) => {
    if (reply.kind === 'error') waiting?.reject(new Error(reply.message));
    else waiting?.resolve(reply);
  });
  return (request) =>
    new Promise((resolve, reject) => {
      waiting = { resolve, reject };
      if (failure === undefined) worker.postMessage(request);
      else reject(failure);
    });
}
