// Parquet by parquet-wasm, a row group at a time, with the Arrow schema inside so that readers see fixed-size lists.
import { RecordBatch, RecordBatchStreamWriter } from 'apache-arrow';
import {
  Compression,
  EnabledStatistics,
  Table,
  transformParquetStream,
  type RecordBatch as WasmBatch,
  type WriterProperties,
  WriterPropertiesBuilder,
} from 'parquet-wasm';
import type { ByteSink, ColumnsWriter, LayoutOptions, OutputRow, RowVectors } from './row.js';
import { ROW_GROUP_ROWS, RowGroups } from './row-groups.js';

const EMBEDDING_LEAF = 'embedding.list.item';

/** Writes Parquet to a sink. File metadata goes into the footer's key-value pairs. */
export class ParquetWriter implements ColumnsWriter {
  private readonly groups: RowGroups;
  private readonly feed = new TransformStream<WasmBatch, WasmBatch>(undefined, { highWaterMark: 1 }, { highWaterMark: 0 });
  private readonly input = this.feed.writable.getWriter();
  private readonly output: Promise<void>;
  private wroteBatch = false;

  constructor(sink: ByteSink, layout: LayoutOptions) {
    this.groups = new RowGroups({ ...layout, metadata: new Map() });
    this.output = pump(this.feed.readable, writerProperties(layout.metadata), sink);
    this.output.catch(() => undefined);
  }

  async append(rows: readonly OutputRow[], vectors: RowVectors): Promise<void> {
    for (const batch of this.groups.add(rows, vectors)) await this.write(batch);
  }

  async finish(): Promise<void> {
    const rest = this.groups.rest();
    if (rest !== undefined || !this.wroteBatch) await this.write(rest ?? emptyBatch(this.groups));
    await this.input.close();
    await this.output;
  }

  private async write(batch: RecordBatch): Promise<void> {
    this.wroteBatch = true;
    // A sink that fails ends `output`; the input would then wait for ever.
    await Promise.race([this.input.write(toWasm(batch)), this.output.then(() => undefined)]);
  }
}

async function pump(batches: ReadableStream<WasmBatch>, properties: WriterProperties, sink: ByteSink): Promise<void> {
  const bytes = await transformParquetStream(batches, properties);
  for await (const chunk of bytes as unknown as AsyncIterable<Uint8Array>) await sink.write(chunk);
}

function writerProperties(metadata: ReadonlyMap<string, string>): WriterProperties {
  return new WriterPropertiesBuilder()
    .setCreatedBy('embedkit')
    .setCompression(Compression.ZSTD)
    .setMaxRowGroupSize(ROW_GROUP_ROWS)
    .setColumnDictionaryEnabled(EMBEDDING_LEAF, false)
    .setColumnStatisticsEnabled(EMBEDDING_LEAF, EnabledStatistics.None)
    .setKeyValueMetadata(new Map(metadata))
    .build();
}

/** Copies a batch into the library's memory, as one batch: page bounds, and so the file's bytes, depend on it. */
function toWasm(batch: RecordBatch): WasmBatch {
  const ipc = new RecordBatchStreamWriter().writeAll([batch]).toUint8Array(true);
  const table = Table.fromIPCStream(ipc);
  try {
    return table.recordBatches()[0] as WasmBatch;
  } finally {
    table.free();
  }
}

function emptyBatch(groups: RowGroups): RecordBatch {
  return new RecordBatch(groups.schema());
}
