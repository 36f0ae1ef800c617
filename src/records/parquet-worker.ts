// The worker side of parquet-file.ts: opens a file and hands out its record batches as Arrow IPC, one a request.
import { openAsBlob } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { ParquetFile, type RecordBatch } from 'parquet-wasm';

export type ParquetRequest =
  | { readonly kind: 'open'; readonly path: string }
  | { readonly kind: 'select'; readonly columns: readonly string[] }
  | { readonly kind: 'next' };

export type ParquetReply =
  | { readonly kind: 'opened'; readonly schema: Uint8Array; readonly rows: number }
  | { readonly kind: 'selected' }
  | { readonly kind: 'batch'; readonly ipc: Uint8Array }
  | { readonly kind: 'end' }
  | { readonly kind: 'error'; readonly message: string };

const ROWS_A_BATCH = 1024;

let file: ParquetFile | undefined;
let batches: ReadableStreamDefaultReader<RecordBatch> | undefined;

async function open(path: string): Promise<ParquetReply> {
  file = await ParquetFile.fromFile(await openAsBlob(path));
  return { kind: 'opened', schema: file.schema().intoIPCStream(), rows: file.metadata().fileMetadata().numRows() };
}

async function select(columns: readonly string[]): Promise<ParquetReply> {
  const stream = await file?.stream({ columns: [...columns], batchSize: ROWS_A_BATCH });
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
    parentPort?.postMessage(reply, reply.kind === 'batch' ? [reply.ipc.buffer as ArrayBuffer] : []);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    parentPort?.postMessage({ kind: 'error', message } satisfies ParquetReply);
  }
});
