// The worker side of parquet-file.ts: opens a file and hands out its record batches as Arrow IPC, one a request.
import { openAsBlob } from 'node:fs';
import { ParquetFile, type RecordBatch } from 'parquet-wasm';
import { answerRequests } from '../thread.js';

export type ParquetRequest =
  | { readonly kind: 'open'; readonly path: string }
  | { readonly kind: 'select'; readonly columns: readonly string[] }
  | { readonly kind: 'next' };

export type ParquetReply =
  | { readonly kind: 'opened'; readonly schema: Uint8Array; readonly rows: number }
  | { readonly kind: 'selected' }
  | { readonly kind: 'batch'; readonly ipc: Uint8Array }
  | { readonly kind: 'end' };

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

answerRequests(answer, (reply) => (reply.kind === 'batch' ? [reply.ipc.buffer as ArrayBuffer] : []));
