// Arrow IPC, as a file (for a path) or a stream (for a pipe), uncompressed so that every reader can map it.
import { AsyncByteQueue, type RecordBatch, RecordBatchFileWriter, RecordBatchStreamWriter } from 'apache-arrow';
import type { ByteSink, ColumnsWriter, LayoutOptions, OutputRow, RowVectors } from './row.js';
import { RowGroups } from './row-groups.js';

/** Writes Arrow IPC to a sink. File metadata goes into the schema's. */
export class ArrowWriter implements ColumnsWriter {
  private readonly groups: RowGroups;
  private readonly writer: RecordBatchFileWriter | RecordBatchStreamWriter;
  private readonly encoded = new Chunks();
  private wroteBatch = false;

  constructor(
    private readonly sink: ByteSink,
    layout: LayoutOptions,
    form: 'file' | 'stream',
  ) {
    this.groups = new RowGroups(layout);
    this.writer = form === 'file' ? new RecordBatchFileWriter() : new RecordBatchStreamWriter();
    this.writer.reset(this.encoded);
  }

  async append(rows: readonly OutputRow[], vectors: RowVectors): Promise<void> {
    for (const batch of this.groups.add(rows, vectors)) await this.write(batch);
  }

  async finish(): Promise<void> {
    const rest = this.groups.rest();
    if (rest !== undefined || !this.wroteBatch) await this.write(rest ?? this.groups.empty());
    this.writer.close();
    await this.flush();
  }

  /** Holds nothing that outlives it. */
  async abort(): Promise<void> {}

  private async write(batch: RecordBatch): Promise<void> {
    this.wroteBatch = true;
    this.writer.write(batch);
    await this.flush();
  }

  private async flush(): Promise<void> {
    for (const chunk of this.encoded.take()) await this.sink.write(chunk);
  }
}

/** Holds what the library's writer has encoded, which its own queue would gather without bound, until it is taken. */
export class Chunks extends AsyncByteQueue {
  private chunks: Uint8Array[] = [];

  override write(chunk: Uint8Array): void {
    this.chunks.push(chunk);
  }

  take(): Uint8Array[] {
    const taken = this.chunks;
    this.chunks = [];
    return taken;
  }
}
