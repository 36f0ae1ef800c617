// The worker side of parquet.ts: opens a file and hands out its record batches as Arrow IPC, one a request.
import { openAsBlob } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { tableFromIPC } from 'apache-arrow';
import { ParquetFile, type RecordBatch } from 'parquet-wasm';

export type ParquetRequest =
  | { readonly kind: 'open'; readonly path: string }
  | { readonly kind: 'select'; readonly columns: string[] }
  | { readonly kind: 'next' };

export type ParquetReply =
  | { readonly kind: 'opened'; readonly names: string[]; readonly rows: number }
  | { readonly kind: 'selected' }
  | { readonly kind: 'batch'; readonly ipc: Uint8Array }
  | { readonly kind: 'end' }
  | { readonly kind: 'error'; readonly message: string };

const ROWS_A_BATCH = 1024;

let file: ParquetFile | undefined;
let batches: ReadableStreamDefaultReader<RecordBatch> | undefined;

async function open(path: string): Promise<ParquetReply> {
  file = await ParquetFile.fromFile(await openAsBlob(path));
  const schema = tableFromIPC(file.schema().intoIPCStream()).schema;
  const names = schema.fields.map((field) => String(field.name));
  return { kind: 'opened', names, rows: file.metadata().fileMetadata().numRows() };
}

async function select(columns: string[]): Promise<ParquetReply> {
  const stream = await file?.stream({ columns, batchSize: ROWS_A_BATCH });
  batches = stream?.getReader();
  return { kind: 'selected' };
}

async function next(): Promise<ParquetReply> {
  const step = await batches?.read();
  if (step === undefined || step.done) return { kind: 'end' };
  return { kind: 'batch', ipc: step.value.intoIPCStream() };
}

function answer(request: ParquetRequest): Promise<ParquetReply> {
  if (request.kind === 'open') return open(request.path);
  return request.kind === 'select' ? select(request.columns) : next();
}

parentPort?.on('message', async (request: ParquetRequest) => {
  try {
    const reply = await answer(request);
    parentPort?.postMessage(reply);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    parentPort?.postMessage({ kind: 'error', message } satisfies ParquetReply);
  }
});
