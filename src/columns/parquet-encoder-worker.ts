// The worker side of parquet-encoder.ts: Arrow IPC comes in, a record batch a request, and goes out as the bytes of a Parquet file.
import { workerData } from 'node:worker_threads';
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
import { answerRequests } from '../thread.js';
import { CHUNK_COLUMNS, OWN_COLUMNS } from './row.js';

export type Bytes = Uint8Array<ArrayBuffer>;

/** Answered, once that is done, with the bytes of the file that have come meanwhile, in their order. */
export type EncoderRequest =
  /** Whether Parquet has these columns: kept ones by themselves. */
  | { readonly kind: 'check'; readonly ipc: Bytes }
  /** The library is to take a batch. */
  | { readonly kind: 'batch'; readonly ipc: Bytes }
  /** All bytes are to come. */
  | { readonly kind: 'end' };

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
const came: Bytes[] = [];
const output = pump(feed.readable, writerProperties(workerData as EncoderSettings));
output.catch(() => undefined);

async function pump(batches: ReadableStream<WasmBatch>, properties: WriterProperties): Promise<void> {
  const stream = await transformParquetStream(batches, properties);
  for await (const bytes of stream as unknown as AsyncIterable<Bytes>) came.push(bytes);
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

async function answer(request: EncoderRequest): Promise<Bytes[]> {
  if (request.kind === 'check') writeParquet(Table.fromIPCStream(request.ipc));
  // A stream that fails ends `output`; the input would then wait for ever.
  else if (request.kind === 'batch') await Promise.race([input.write(toWasm(request.ipc)), output]);
  else await Promise.all([input.close(), output]);
  return came.splice(0);
}

answerRequests(answer, (bytes) => bytes.map(({ buffer }) => buffer));
