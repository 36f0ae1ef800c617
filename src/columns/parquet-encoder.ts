// Record batches become the bytes of a Parquet file in a worker thread, while the next ones are made here.
import { Worker } from 'node:worker_threads';
import { messageOf } from '../errors.js';
import type { EncoderReply, EncoderRequest, EncoderSettings } from './parquet-encoder-worker.js';

type Ipc = Uint8Array<ArrayBuffer>;

/** Ends with `finish`, `abort`, or an error of any of its calls, which is the sink's own where that failed. */
export class ParquetEncoder {
  private readonly worker: Worker;
  private failure: Error | undefined;
  private waiting: { resolve(): void; reject(error: Error): void } | undefined;
  /** The batch before is with the library. */
  private taken: Promise<void> = Promise.resolve();
  /** What has come so far is in the sink. */
  private written: Promise<void> = Promise.resolve();

  constructor(
    settings: EncoderSettings,
    private readonly sink: (bytes: Uint8Array) => Promise<void>,
  ) {
    const script = new URL('./parquet-encoder-worker.js', import.meta.url);
    this.worker = new Worker(script, { workerData: settings, stdout: true, stderr: true, execArgv: [] });
    this.worker.on('message', (reply: EncoderReply) => this.onReply(reply));
    this.worker.on('error', (error) => this.fail(new Error(`the Parquet writer failed: ${messageOf(error)}`)));
    this.worker.on('exit', () => this.fail(new Error('the Parquet writer stopped')));
  }

  /** Throws Error where Parquet has no such columns, which the streaming writer falls silent at. */
  async check(ipc: Ipc): Promise<void> {
    await this.orAbort(this.ask({ kind: 'check', ipc }));
  }

  /** Takes an IPC stream of one batch, whose memory is gone then, when the batch before is with the library and its bytes are in the sink. */
  async write(ipc: Ipc): Promise<void> {
    await this.orAbort(this.settled());
    this.taken = this.ask({ kind: 'batch', ipc });
    this.taken.catch(() => undefined);
  }

  /** Completes the file. */
  async finish(): Promise<void> {
    await this.orAbort(this.settled());
    await this.orAbort(this.ask({ kind: 'end' }));
    await this.orAbort(this.settled());
    await this.abort();
  }

  async abort(): Promise<void> {
    await this.worker.terminate();
  }

  private async settled(): Promise<void> {
    await this.taken;
    await this.written;
  }

  private async orAbort(work: Promise<void>): Promise<void> {
    try {
      // Where both fail, the sink is why.
      await Promise.all([this.written, work]);
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  private ask(request: EncoderRequest): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) return reject(this.failure);
      this.waiting = { resolve, reject };
      this.worker.postMessage(request, 'ipc' in request ? [request.ipc.buffer] : []);
    });
  }

  private onReply(reply: EncoderReply): void {
    if (reply.kind === 'done') this.waiting?.resolve();
    else if (reply.kind === 'error') this.fail(new Error(reply.message));
    else {
      this.written = this.written.then(() => this.sink(reply.bytes));
      this.written.catch(() => undefined);
    }
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.waiting?.reject(this.failure);
  }
}
