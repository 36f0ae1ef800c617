// Record batches become the bytes of a Parquet file in a worker thread, while the next ones are made here.
import { messageOf } from '../errors.js';
import { startThread, type Thread } from '../thread.js';
import type { Bytes, EncoderRequest, EncoderSettings } from './parquet-encoder-worker.js';

/** Ends with `finish`, `abort`, or an error of any of its calls, which is the sink's own where that failed. */
export class ParquetEncoder {
  private readonly thread: Thread<EncoderRequest, readonly Bytes[]>;
  /** The batch before is with the library, and the bytes that had come by then are in the sink. */
  private before: Promise<void> = Promise.resolve();

  constructor(
    settings: EncoderSettings,
    private readonly sink: (bytes: Uint8Array) => Promise<void>,
  ) {
    this.thread = startThread(new URL('./parquet-encoder-worker.js', import.meta.url), {
      data: settings,
      failed: (error) => `the Parquet writer failed: ${messageOf(error)}`,
      stopped: 'the Parquet writer stopped',
    });
  }

  /** Throws Error where Parquet has no such columns, which the streaming writer falls silent at. */
  async check(ipc: Bytes): Promise<void> {
    await this.orAbort(this.send({ kind: 'check', ipc }));
  }

  /** Takes an IPC stream of one batch, whose memory is gone then, as soon as the library has the batch before. */
  async write(ipc: Bytes): Promise<void> {
    await this.orAbort(this.before);
    this.before = this.send({ kind: 'batch', ipc });
    this.before.catch(() => undefined);
  }

  /** Completes the file. */
  async finish(): Promise<void> {
    await this.orAbort(this.before);
    await this.orAbort(this.send({ kind: 'end' }));
    await this.abort();
  }

  async abort(): Promise<void> {
    await this.thread.end();
  }

  private async send(request: EncoderRequest): Promise<void> {
    const came = await this.thread.ask(request, 'ipc' in request ? [request.ipc.buffer] : []);
    for (const bytes of came) await this.sink(bytes);
  }

  private async orAbort(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      await this.abort();
      throw error;
    }
  }
}
