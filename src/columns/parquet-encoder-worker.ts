// The worker side of parquet-encoder.ts: Arrow IPC comes in, a record batch a request, and goes out as the bytes of a Parquet file.
import { parentPort, workerData } from 'node:worker_threads';
import {
  Compression,
  EnabledStatistics,
  Table,
  transformParquetStream,
  type RecordBatch as WasmBatch,
  type WriterProperties,
  WriterPropertiesBuilder,
  writeParquet,
} from 'parquet-wasm';
import { CHUNK_COLUMNS, OWN_COLUMNS } from './row.js';

export type EncoderRequest =
  /** Kept columns by themselves. */
  | { readonly kind: 'check'; readonly ipc: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'batch'; readonly ipc: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'end' };

export type EncoderReply =
  /** Of the file, in their order; no request asks for them. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array<ArrayBuffer> }
  /** The request is done: the columns fit, the batch is with the library, all bytes were sent. */
  | { readonly kind: 'done' }
  | { readonly kind: 'error'; readonly message: string };

/** What the file says of itself, and how its columns are stored. */
export interface EncoderSettings {
  readonly rowGroupRows: number;
  readonly kept: readonly string[];
  readonly chunks: boolean;
  /** Whether vectors are codes. */
  readonly isCoded: boolean;
  /** Key -> text. */
  readonly metadata: ReadonlyMap<string, string>;
}

const feed = new TransformStream<WasmBatch, WasmBatch>(undefined, { highWaterMark: 1 }, { highWaterMark: 0 });
const input = feed.writable.getWriter();
const output = pump(feed.readable, writerProperties(workerData as EncoderSettings));
output.catch(() => undefined);

async function pump(batches: ReadableStream<WasmBatch>, properties: WriterProperties): Promise<void> {
  const stream = await transformParquetStream(batches, properties);
  for await (const bytes of stream as unknown as AsyncIterable<Uint8Array<ArrayBuffer>>)
    parentPort?.postMessage({ kind: 'bytes', bytes } satisfies EncoderReply, [bytes.buffer]);
}

/**
 * The library cannot address a nested column such as embedding.list.item, so what vectors must not have (a dictionary,
 * which makes them half as large again, bounds, and compression, which takes 8% off them and five times as long) is off for all columns and
 * on for those of plain values. Codes are another matter: Parquet has no number below four bytes, and a dictionary of 256 makes one of each.
 */
function writerProperties({ rowGroupRows, kept, metadata, chunks, isCoded }: EncoderSettings): WriterProperties {
  const properties = new WriterPropertiesBuilder()
    .setCreatedBy('embedkit')
    .setCompression(Compression.UNCOMPRESSED)
    .setMaxRowGroupSize(rowGroupRows)
    .setDictionaryEnabled(isCoded)
    .setStatisticsEnabled(EnabledStatistics.None)
    .setKeyValueMetadata(new Map(metadata));
  const repeating = kept.reduce((built, name) => built.setColumnDictionaryEnabled(name, true), properties);
  const plain = [...OWN_COLUMNS.filter((name) => name !== 'embedding'), ...(chunks ? CHUNK_COLUMNS : [])];
  const bare = isCoded ? plain.reduce((built, name) => built.setColumnDictionaryEnabled(name, false), repeating) : repeating;
  const asPlain = (built: WriterPropertiesBuilder, name: string): WriterPropertiesBuilder =>
    built.setColumnStatisticsEnabled(name, EnabledStatistics.Page).setColumnCompression(name, Compression.ZSTD);
  return [...plain, ...kept].reduce(asPlain, bare).build();
}

/** Copies a batch into the library's memory, as one batch: page bounds, and so the file's bytes, depend on it. */
function toWasm(ipc: Uint8Array): WasmBatch {
  const table = Table.fromIPCStream(ipc);
  try {
    return table.recordBatches()[0] as WasmBatch;
  } finally {
    table.free();
  }
}

async function answer(request: EncoderRequest): Promise<void> {
  if (request.kind === 'check') writeParquet(Table.fromIPCStream(request.ipc));
  // A stream that fails ends `output`; the input would then wait for ever.
  else if (request.kind === 'batch') await Promise.race([input.write(toWasm(request.ipc)), output]);
  else await Promise.all([input.close(), output]);
}

parentPort?.on('message', async (request: EncoderRequest) => {
  try {
    await answer(request);
    parentPort?.postMessage({ kind: 'done' } satisfies EncoderReply);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    parentPort?.postMessage({ kind: 'error', message } satisfies EncoderReply);
  }
});
