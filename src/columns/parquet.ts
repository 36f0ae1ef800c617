// Parquet by parquet-wasm, a row group at a time, with the Arrow schema inside so that readers see fixed-size lists.
import { type Data, RecordBatch, RecordBatchStreamWriter } from 'apache-arrow';
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
import { wrapError } from '../errors.js';
import {
  type ByteSink,
  CHUNK_COLUMNS,
  type ColumnsWriter,
  isCoded,
  type KeepColumn,
  type LayoutOptions,
  type OutputRow,
  OWN_COLUMNS,
  type RowVectors,
} from './row.js';
import { ROW_GROUP_ROWS, RowGroups } from './row-groups.js';

/** Writes Parquet to a sink. File metadata goes into the footer's key-value pairs. */
export class ParquetWriter implements ColumnsWriter {
  private readonly groups: RowGroups;
  private readonly feed = new TransformStream<WasmBatch, WasmBatch>(undefined, { highWaterMark: 1 }, { highWaterMark: 0 });
  private readonly input = this.feed.writable.getWriter();
  private readonly output: Promise<void>;
  private wroteBatch = false;

  constructor(
    sink: ByteSink,
    private readonly layout: LayoutOptions,
  ) {
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
    if (!this.wroteBatch) checkKept(batch, this.layout.keep);
    this.wroteBatch = true;
    // A sink that fails ends `output`; the input would then wait for ever.
    await Promise.race([this.input.write(toWasm(batch)), this.output.then(() => undefined)]);
  }
}

async function pump(batches: ReadableStream<WasmBatch>, properties: WriterProperties, sink: ByteSink): Promise<void> {
  const bytes = await transformParquetStream(batches, properties);
  for await (const chunk of bytes as unknown as AsyncIterable<Uint8Array>) await sink.write(chunk);
}

/** At a column that it cannot write the streaming writer falls silent and never ends; the plain one says why. */
function checkKept(batch: RecordBatch, keep: readonly KeepColumn[]): void {
  if (keep.length === 0) return;
  const columns = keep.map(({ name }) => [name, batch.getChild(name)?.data[0] as Data]);
  try {
    writeParquet(toTable(new RecordBatch(Object.fromEntries(columns))));
  } catch (error) {
    throw wrapError(error, 'output-unwritable', 'Parquet cannot hold a kept column', 'leave it out of --keep, or write Arrow (--to arrow)');
  }
}

/**
 * The library cannot address a nested column such as embedding.list.item, so what vectors must not have (a dictionary,
 * which makes them half as large again, bounds, and compression, which takes 8% off them and five times as long) is off for all columns and
 * on for those of plain values. Codes are another matter: Parquet has no number below four bytes, and a dictionary of 256 makes one of each.
 */
function writerProperties({ keep, metadata, chunks, dtype }: LayoutOptions): WriterProperties {
  const properties = new WriterPropertiesBuilder()
    .setCreatedBy('embedkit')
    .setCompression(Compression.UNCOMPRESSED)
    .setMaxRowGroupSize(ROW_GROUP_ROWS)
    .setDictionaryEnabled(isCoded(dtype))
    .setStatisticsEnabled(EnabledStatistics.None)
    .setKeyValueMetadata(new Map(metadata));
  const kept = keep.map(({ name }) => name);
  const repeating = kept.reduce((built, name) => built.setColumnDictionaryEnabled(name, true), properties);
  const plain = [...OWN_COLUMNS.filter((name) => name !== 'embedding'), ...(chunks ? CHUNK_COLUMNS : [])];
  const bare = isCoded(dtype) ? plain.reduce((built, name) => built.setColumnDictionaryEnabled(name, false), repeating) : repeating;
  const asPlain = (built: WriterPropertiesBuilder, name: string): WriterPropertiesBuilder =>
    built.setColumnStatisticsEnabled(name, EnabledStatistics.Page).setColumnCompression(name, Compression.ZSTD);
  return [...plain, ...kept].reduce(asPlain, bare).build();
}

/** Copies a batch into the library's memory, as one batch: page bounds, and so the file's bytes, depend on it. */
function toWasm(batch: RecordBatch): WasmBatch {
  const table = toTable(batch);
  try {
    return table.recordBatches()[0] as WasmBatch;
  } finally {
    table.free();
  }
}

function toTable(batch: RecordBatch): Table {
  return Table.fromIPCStream(new RecordBatchStreamWriter().writeAll([batch]).toUint8Array(true));
}
