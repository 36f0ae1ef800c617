// Parquet by parquet-wasm, a row group at a time, with the Arrow schema inside so that readers see fixed-size lists.
import { type RecordBatch, RecordBatchStreamWriter } from 'apache-arrow';
import {
  Compression,
  EnabledStatistics,
  Table,
  transformParquetStream,
  type RecordBatch as WasmBatch,
  type WriterProperties,
  WriterPropertiesBuilder,
} from 'parquet-wasm';
import { EmbedkitError } from '../errors.js';
import { type ByteSink, type ColumnsWriter, type LayoutOptions, type OutputRow, OWN_COLUMNS, type RowVectors } from './row.js';
import { ROW_GROUP_ROWS, RowGroups } from './row-groups.js';

/** What a whole Parquet file ends in. */
const MAGIC = 'PAR1';

/** Writes Parquet to a sink. File metadata goes into the footer's key-value pairs. */
export class ParquetWriter implements ColumnsWriter {
  private readonly groups: RowGroups;
  private readonly feed = new TransformStream<WasmBatch, WasmBatch>(undefined, { highWaterMark: 1 }, { highWaterMark: 0 });
  private readonly input = this.feed.writable.getWriter();
  private readonly output: Promise<void>;
  private wroteBatch = false;

  constructor(sink: ByteSink, layout: LayoutOptions) {
    this.groups = new RowGroups({ ...layout, metadata: new Map() });
    this.output = pump(this.feed.readable, writerProperties(layout), sink);
    this.output.catch(() => undefined);
  }

  async append(rows: readonly OutputRow[], vectors: RowVectors): Promise<void> {
    for (const batch of this.groups.add(rows, vectors)) await this.write(batch);
  }

  async finish(): Promise<void> {
    const rest = this.groups.rest();
    if (rest !== undefined || !this.wroteBatch) await this.write(rest ?? this.groups.empty());
    // Where the sink has failed, that is the reason to give, not that the input cannot be closed any more.
    this.input.close().catch(() => undefined);
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
  let last = new Uint8Array();
  for await (const chunk of bytes as unknown as AsyncIterable<Uint8Array<ArrayBuffer>>) {
    await sink.write(chunk);
    last = chunk;
  }
  // The library ends the stream early, without a word, at a column type that it cannot write.
  if (Buffer.from(last.slice(-MAGIC.length)).toString('latin1') !== MAGIC) throw cutShort();
}

function cutShort(): EmbedkitError {
  const hint = 'write Arrow instead (--to arrow), or leave columns of odd types out of --keep';
  return new EmbedkitError('output-unwritable', 'Parquet cannot hold one of the kept columns', { hint });
}

/**
 * The library cannot address a nested column such as embedding.list.item, so what vectors must not have (a dictionary,
 * which makes them half as large again, and bounds) is off for all columns and on for those of plain values.
 */
function writerProperties({ keep, metadata }: LayoutOptions): WriterProperties {
  const properties = new WriterPropertiesBuilder()
    .setCreatedBy('embedkit')
    .setCompression(Compression.ZSTD)
    .setMaxRowGroupSize(ROW_GROUP_ROWS)
    .setDictionaryEnabled(false)
    .setStatisticsEnabled(EnabledStatistics.None)
    .setKeyValueMetadata(new Map(metadata));
  const kept = keep.map(({ name }) => name);
  const repeating = kept.reduce((built, name) => built.setColumnDictionaryEnabled(name, true), properties);
  const plain = OWN_COLUMNS.filter((name) => name !== 'embedding');
  return [...plain, ...kept].reduce((built, name) => built.setColumnStatisticsEnabled(name, EnabledStatistics.Page), repeating).build();
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
