// The script of an engine thread: token batches in, pooled and normalised vectors out, one at a time.
import { parentPort, workerData } from 'node:worker_threads';
import type { Engine, EngineInput } from '../engine/contract.js';
import { openOrt } from '../engine/ort.js';
import type { PoolReply, PoolRequest } from '../engine/pool.js';
import { EmbedkitError, messageOf } from '../errors.js';
import { checkProbe } from '../model/probe-vectors.js';
import { applyDense, type DenseMap } from '../vectors/dense.js';
import { normalise } from '../vectors/normalise.js';
import { type Pooling, pool } from '../vectors/pool.js';

export interface WorkerSettings {
  readonly modelPath: string;
  readonly output: string | undefined;
  readonly pooling: Pooling;
  /** Linear maps of the pooled vectors. */
  readonly dense: readonly DenseMap[];
  readonly normalize: boolean;
  /** Length of a pooled vector. */
  readonly dim: number;
  /** Texts whose vectors are known: the first thing that the engine computes. */
  readonly probes: readonly WorkerProbe[];
}

export interface WorkerProbe {
  readonly text: string;
  readonly ids: Int32Array;
  readonly vector: Float32Array;
}

const settings = workerData as WorkerSettings;

async function embed(engine: Engine, batch: EngineInput): Promise<Float32Array<ArrayBuffer>> {
  const { hidden, dims } = await engine.run(batch);
  const expected = batch.rows * settings.dim * (settings.pooling === 'none' ? 1 : batch.width);
  if (hidden.length !== expected) {
    const shape = `the model gave ${dims.join(' x ')} values for ${batch.rows} texts of ${batch.width} tokens`;
    throw new EmbedkitError('model-unsupported', shape, { hint: 'check pooling and dim in embedkit.json' });
  }
  const { rows, width } = batch;
  const { dim } = settings;
  const pooled = { rows, dim, data: pool(hidden, { rows, width, dim }, settings.pooling) };
  const vectors = applyDense(pooled, settings.dense);
  if (settings.normalize) normalise(vectors);
  return vectors.data;
}

async function checkProbes(engine: Engine): Promise<void> {
  for (const { text, ids, vector } of settings.probes) {
    checkProbe(text, vector, await embed(engine, { ids, rows: 1, width: ids.length }));
  }
}

function reply(message: PoolReply, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

function replyFailure(job: number | undefined, error: unknown): void {
  reply({ kind: 'failed', job, message: error instanceof EmbedkitError ? error.sentence : messageOf(error) });
}

async function handle(engine: Engine, request: PoolRequest): Promise<void> {
  if (request.kind === 'close') {
    parentPort?.close();
    return engine.close();
  }
  try {
    const started = performance.now();
    const vectors = await embed(engine, request.batch);
    reply({ kind: 'done', job: request.job, vectors, milliseconds: performance.now() - started }, [vectors.buffer]);
  } catch (error) {
    // A model that is not what its manifest says fails every batch alike.
    const isModel = error instanceof EmbedkitError && error.code === 'model-unsupported';
    replyFailure(isModel ? undefined : request.job, error);
  }
}

try {
  const engine = await openOrt(settings.modelPath, { threads: 1, output: settings.output });
  await checkProbes(engine);
  // Requests are answered in their order, one after the other.
  let last = Promise.resolve();
  parentPort?.on('message', (request: PoolRequest) => {
    last = last.then(() => handle(engine, request));
  });
  reply({ kind: 'ready' });
} catch (error) {
  replyFailure(undefined, error);
  parentPort?.close();
}
