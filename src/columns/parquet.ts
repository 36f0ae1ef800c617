// Parquet by parquet-wasm, a row group at a time, with the Arrow schema inside so that readers see fixed-size lists.
import { type Data, RecordBatch, RecordBatchStreamWriter } from 'apache-arrow';
import { wrapError } from '../errors.js';
import { ParquetEncoder } from './parquet-encoder.js';
import { type ByteSink, type ColumnsWriter, isCoded, type LayoutOptions, type OutputRow, type RowVectors } from './row.js';
import { ROW_GROUP_ROWS, RowGroups } from './row-groups.js';

/** Writes Parquet to a sink. File metadata goes into the footer's key-value pairs. */
export class ParquetWriter implements ColumnsWriter {
  private readonly groups: RowGroups;
  private readonly encoder: ParquetEncoder;
  private readonly kept: readonly string[];
  private wroteBatch = false;

  constructor(sink: ByteSink, { keep, metadata, chunks, dtype, ...layout }: LayoutOptions) {
    this.groups = new RowGroups({ ...layout, keep, chunks, dtype, metadata: new Map() });
    this.kept = keep.map(({ name }) => name);
    const settings = { rowGroupRows: ROW_GROUP_ROWS, kept: this.kept, chunks, isCoded: isCoded(dtype), metadata };
    this.encoder = new ParquetEncoder(settings, (bytes) => sink.write(bytes));
  }

  async append(rows: readonly OutputRow[], vectors: RowVectors): Promise<void> {
    for (const batch of this.groups.add(rows, vectors)) await this.write(batch);
  }

  async finish(): Promise<void> {
    const rest = this.groups.rest();
    if (rest !== undefined || !this.wroteBatch) await this.write(rest ?? this.groups.empty());
    await this.encoder.finish();
  }

  async abort(): Promise<void> {
    await this.encoder.abort();
  }

  private async write(batch: RecordBatch): Promise<void> {
    if (!this.wroteBatch && this.kept.length > 0) await this.checkKept(batch);
    this.wroteBatch = true;
    await this.encoder.write(ipcOf(batch));
  }

  private async checkKept(batch: RecordBatch): Promise<void> {
    const columns = Object.fromEntries(this.kept.map((name) => [name, batch.getChild(name)?.data[0] as Data]));
    await this.encoder.check(ipcOf(new RecordBatch(columns))).catch((error: unknown) => {
      throw wrapError(
        error,
        'output-unwritable',
        'Parquet cannot hold a kept column',
        'leave it out of --keep, or write Arrow (--to arrow)',
      );
    });
  }
}

function ipcOf(batch: RecordBatch): Uint8Array<ArrayBuffer> {
  return new RecordBatchStreamWriter().writeAll([batch]).toUint8Array(true) as Uint8Array<ArrayBuffer>;
}
