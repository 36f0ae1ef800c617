// Arrow IPC, as a file (for a path) or a stream (for a pipe), uncompressed so that every reader can map it.
import { setImmediate } from 'node:timers/promises';
import { type RecordBatch, RecordBatchFileWriter, RecordBatchStreamWriter } from 'apache-arrow';
import type { ByteSink, ColumnsWriter, LayoutOptions, OutputRow, RowVectors } from './row.js';
import { RowGroups } from './row-groups.js';

/** Writes Arrow IPC to a sink. File metadata goes into the schema's. */
export class ArrowWriter implements ColumnsWriter {
  private readonly groups: RowGroups;
  private readonly writer: RecordBatchFileWriter | RecordBatchStreamWriter;
  private readonly output: Promise<void>;
  private chunks = 0;
  private writing = false;

  constructor(
    private readonly sink: ByteSink,
    layout: LayoutOptions,
    form: 'file' | 'stream',
  ) {
    this.groups = new RowGroups(layout);
    this.writer = form === 'file' ? new RecordBatchFileWriter() : new RecordBatchStreamWriter();
    this.output = this.pump();
    this.output.catch(() => undefined);
  }

  async append(rows: readonly OutputRow[], vectors: RowVectors): Promise<void> {
    for (const batch of this.groups.add(rows, vectors)) await this.write(batch);
  }

  async finish(): Promise<void> {
    const rest = this.groups.rest();
    if (rest !== undefined) await this.write(rest);
    else this.writer.reset(undefined, this.groups.schema());
    this.writer.close();
    await this.output;
  }

  private async write(batch: RecordBatch): Promise<void> {
    this.writer.write(batch);
    await Promise.race([this.drained(), this.output]);
  }

  private async pump(): Promise<void> {
    for await (const chunk of this.writer) {
      this.writing = true;
      await this.sink.write(chunk);
      this.writing = false;
      this.chunks++;
    }
  }

  /** The library's writer queues without bound: this waits until the sink has taken all that was queued. */
  private async drained(): Promise<void> {
    for (let seen = -1; this.writing || seen !== this.chunks; ) {
      seen = this.chunks;
      await setImmediate();
    }
  }
}
