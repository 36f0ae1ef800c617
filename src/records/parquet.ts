// Parquet files, read by parquet-wasm in a worker thread: a malformed file can make that library panic, which there ends
// the worker and not the process.
import { Worker } from 'node:worker_threads';
import { tableFromIPC } from 'apache-arrow';
import { EmbedkitError } from '../errors.js';
import { batchReader } from './arrow-rows.js';
import type { OnBadRow } from './bad-rows.js';
import type { ParquetReply, ParquetRequest } from './parquet-worker.js';
import type { TextRecord } from './record.js';
import { DEFAULT_ID_FIELDS, type Selection } from './select.js';
import { type ReadProgress, type Source, unreadable } from './source.js';
import { parseTemplate } from './template.js';

export async function* readParquet(
  source: Source,
  selection: Selection,
  progress: ReadProgress,
  onBadRow: OnBadRow,
): AsyncGenerator<TextRecord[]> {
  if (source.path === undefined) {
    throw new EmbedkitError('usage', 'Parquet cannot be read from a pipe', { hint: 'name the file' });
  }
  const worker = new Worker(new URL('./parquet-worker.js', import.meta.url), { stderr: true });
  try {
    const opened = await ask(worker, { kind: 'open', path: source.path });
    if (opened.kind !== 'opened') throw new Error('unexpected reply to open');
    const read = batchReader(selection, source.name, onBadRow, opened.names);
    await ask(worker, { kind: 'select', columns: wantedColumns(selection, opened.names) });
    yield* readRows(worker, source, opened.rows, read, progress);
  } catch (error) {
    throw unreadable(source, error);
  } finally {
    await worker.terminate();
  }
}

async function* readRows(
  worker: Worker,
  source: Source,
  rows: number,
  read: ReturnType<typeof batchReader>,
  progress: ReadProgress,
): AsyncGenerator<TextRecord[]> {
  let row = 0;
  for (;;) {
    const reply = await ask(worker, { kind: 'next' });
    if (reply.kind !== 'batch') break;
    for (const batch of tableFromIPC(reply.ipc).batches) {
      yield read(batch, row);
      row += batch.numRows;
      progress.bytesDone += (source.bytes * batch.numRows) / rows;
    }
  }
  if (row !== rows) throw new Error(`${row} rows could be read of the ${rows} that its footer promises`);
}

/** The top-level columns that the selection touches; a file's other columns are not decoded. */
function wantedColumns(selection: Selection, names: readonly string[]): string[] {
  const text = selection.template === undefined ? [selection.textField] : templateFields(selection.template);
  const ids = selection.idField === undefined ? DEFAULT_ID_FIELDS : [selection.idField];
  const wanted = new Set([...text, ...ids, ...selection.keep].flatMap((path) => [path, path.split('.')[0] ?? path]));
  const found = names.filter((name) => wanted.has(name));
  return found.length > 0 ? found : names.slice(0, 1);
}

function templateFields(template: string): string[] {
  return parseTemplate(template).flatMap((part) => (part.kind === 'field' ? [part.path] : []));
}

function ask(worker: Worker, request: ParquetRequest): Promise<ParquetReply> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      worker.removeAllListeners();
      act();
    };
    worker.once('message', (reply: ParquetReply) =>
      settle(() => (reply.kind === 'error' ? reject(new Error(reply.message)) : resolve(reply))),
    );
    worker.once('error', () => settle(() => reject(new Error('the Parquet data is malformed'))));
    worker.once('exit', () => settle(() => reject(new Error('the Parquet reader stopped'))));
    worker.postMessage(request);
  });
}
