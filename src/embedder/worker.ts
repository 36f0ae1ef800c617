// The script of an engine thread: token batches in, pooled and normalised vectors out, one at a time.
import { parentPort, workerData } from 'node:worker_threads';
import type { PoolReply, PoolRequest } from '../engine/pool.js';
import { EmbedkitError, messageOf } from '../errors.js';
import { openRunner, type Runner, type RunnerSettings } from './runner.js';

function reply(message: PoolReply, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

function replyFailure(job: number | undefined, error: unknown): void {
  reply({ kind: 'failed', job, message: error instanceof EmbedkitError ? error.sentence : messageOf(error) });
}

async function handle(runner: Runner, request: PoolRequest): Promise<void> {
  if (request.kind === 'close') {
    parentPort?.close();
    return runner.close();
  }
  try {
    const started = performance.now();
    const vectors = await runner.run(request.batch);
    reply({ kind: 'done', job: request.job, vectors, milliseconds: performance.now() - started }, [vectors.buffer]);
  } catch (error) {
    // A model that is not what its manifest says fails every batch alike.
    const isModel = error instanceof EmbedkitError && error.code === 'model-unsupported';
    replyFailure(isModel ? undefined : request.job, error);
  }
}

try {
  const runner = await openRunner(workerData as RunnerSettings);
  // Requests are answered in their order, one after the other.
  let last = Promise.resolve();
  parentPort?.on('message', (request: PoolRequest) => {
    last = last.then(() => handle(runner, request));
  });
  reply({ kind: 'ready' });
} catch (error) {
  replyFailure(undefined, error);
  parentPort?.close();
}
