// Worker threads that share one queue of batches. Knows nothing of models: a worker script turns a batch into vectors.
import './no-telemetry.js';
import { Worker } from 'node:worker_threads';
import { EmbedkitError, messageOf } from '../errors.js';
import type { EngineInput } from './contract.js';

export interface PoolOptions {
  /** Worker threads, each with one engine. */
  readonly workers: number;
  /** The module that a worker runs; it answers each PoolRequest with a PoolReply. */
  readonly script: URL;
  /** Handed to every worker as workerData. */
  readonly settings: unknown;
}

type Batch = EngineInput & { readonly ids: Int32Array<ArrayBuffer> };

export type PoolRequest = { readonly kind: 'run'; readonly job: number; readonly batch: Batch } | { readonly kind: 'close' };

export type PoolReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly job: number; readonly vectors: Float32Array<ArrayBuffer>; readonly milliseconds: number }
  | { readonly kind: 'failed'; readonly job: number | undefined; readonly message: string };

/** One batch failed; the thread goes on, and other batches with it. */
export class BatchError extends EmbedkitError {}

interface Job {
  readonly batch: Batch;
  readonly onSent: (() => void) | undefined;
  readonly resolve: (vectors: Float32Array) => void;
  readonly reject: (error: Error) => void;
}

interface Seat {
  readonly worker: Worker;
  /** Settles when the thread is gone, however it went. */
  readonly ended: Promise<unknown>;
  readonly jobs: Map<number, Job>;
}

const HINT = 'the input is unharmed; run again, with fewer --threads if memory was short';

// A worker always has its next batch at hand, so that it does not wait while the main thread tokenizes or writes.
const JOBS_A_WORKER = 2;

/** Runs batches on worker threads, in the order they come, whichever worker is free. */
export class WorkerPool {
  private readonly seats: Seat[];
  private readonly queue: Job[] = [];
  private nextJob = 0;
  /** Time that the workers spent on batches, added up over all of them. */
  busySeconds = 0;
  private failure: EmbedkitError | undefined;
  private closing = false;
  private readonly started: Promise<unknown>;

  constructor(options: PoolOptions) {
    this.seats = Array.from({ length: options.workers }, () => {
      // Not the caller's own flags: `node --input-type=module -e ...` would break every worker.
      const worker = new Worker(options.script, { workerData: options.settings, execArgv: [] });
      return { worker, ended: new Promise((resolve) => worker.once('exit', resolve)), jobs: new Map() };
    });
    this.started = Promise.all(this.seats.map((seat) => this.start(seat)));
    this.started.catch(() => undefined);
  }

  /** Settles when every worker has loaded its model, or with the reason why one could not. */
  async ready(): Promise<void> {
    await this.started;
  }

  /**
   * Computes a batch; `onSent` is called when a worker gets it. Rejects with a BatchError where this batch alone failed, with `engine-failed` when a worker threw or
   * ended, then and for every later batch, and with `interrupted` once the pool is closed.
   */
  run(batch: Batch, onSent?: () => void): Promise<Float32Array> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) return reject(this.failure);
      if (this.closing) return reject(closedError());
      this.queue.push({ batch, onSent, resolve, reject });
      this.dispatch();
    });
  }

  /**
   * Ends the workers once they have answered the batches they hold, and forgets those that wait. By message: terminating a worker
   * inside the runtime aborts the whole process. May be called at any time and more than once; a worker that still loads
   * its model finds the message when it has. Until then the threads keep the process alive.
   */
  async close(): Promise<void> {
    this.closing = true;
    for (const job of this.queue.splice(0)) job.reject(closedError());
    for (const { worker } of this.seats) worker.postMessage({ kind: 'close' } satisfies PoolRequest);
    await Promise.all(this.seats.map((seat) => seat.ended));
    this.drop(closedError());
  }

  private start(seat: Seat): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (why: string, cause?: unknown): void => {
        this.fail(why, cause);
        reject(this.failure);
      };
      seat.worker.on('message', (reply: PoolReply) => {
        if (reply.kind === 'ready') resolve();
        else if (reply.kind === 'done') this.finish(seat, reply);
        else if (reply.job === undefined) fail(reply.message);
        else this.rejectBatch(seat, reply.job, reply.message);
      });
      seat.worker.on('error', (error) => fail(`an engine thread threw: ${messageOf(error)}`, error));
      seat.worker.on('exit', (code) => (this.closing ? reject(closedError()) : fail(`an engine thread ended by itself (code ${code})`)));
    });
  }

  private finish(seat: Seat, done: Extract<PoolReply, { kind: 'done' }>): void {
    const job = seat.jobs.get(done.job);
    seat.jobs.delete(done.job);
    this.busySeconds += done.milliseconds / 1000;
    this.dispatch();
    job?.resolve(done.vectors);
  }

  private rejectBatch(seat: Seat, number: number, message: string): void {
    const job = seat.jobs.get(number);
    seat.jobs.delete(number);
    this.dispatch();
    job?.reject(new BatchError('engine-failed', message, { hint: HINT }));
  }

  private dispatch(): void {
    for (let depth = 0; depth < JOBS_A_WORKER; depth++) {
      for (const seat of this.seats) {
        if (seat.jobs.size > depth) continue;
        const job = this.queue.shift();
        if (job === undefined) return;
        this.send(seat, job);
      }
    }
  }

  private send(seat: Seat, job: Job): void {
    const number = this.nextJob++;
    seat.jobs.set(number, job);
    job.onSent?.();
    const request: PoolRequest = { kind: 'run', job: number, batch: job.batch };
    seat.worker.postMessage(request, [job.batch.ids.buffer]);
  }

  private fail(why: string, cause: unknown): void {
    this.failure ??= new EmbedkitError('engine-failed', why, { hint: HINT, cause });
    this.drop(this.failure);
  }

  private drop(error: EmbedkitError): void {
    for (const seat of this.seats) {
      for (const job of seat.jobs.values()) job.reject(error);
      seat.jobs.clear();
    }
    for (const job of this.queue.splice(0)) job.reject(error);
  }
}

function closedError(): EmbedkitError {
  return new EmbedkitError('interrupted', 'the engine was closed');
}
