// A loaded model as a function: token batches in, pooled and normalised vectors out. What an engine's thread or process runs.
import type { EngineInput } from '../engine/contract.js';
import { openOrt } from '../engine/ort.js';
import { EmbedkitError } from '../errors.js';
import { checkProbe } from '../model/probe-vectors.js';
import { applyDense, type DenseMap } from '../vectors/dense.js';
import { normalise } from '../vectors/normalise.js';
import { type Pooling, pool } from '../vectors/pool.js';

export interface RunnerSettings {
  readonly modelPath: string;
  /** Threads that this engine computes with. */
  readonly threads: number;
  readonly output: string | undefined;
  readonly pooling: Pooling;
  /** Linear maps of the pooled vectors. */
  readonly dense: readonly DenseMap[];
  readonly normalize: boolean;
  /** Length of a pooled vector. */
  readonly dim: number;
  /** Texts whose vectors are known: the first thing that the engine computes. */
  readonly probes: readonly RunnerProbe[];
}

export interface RunnerProbe {
  readonly text: string;
  readonly ids: Int32Array;
  readonly vector: Float32Array;
}

export interface Runner {
  /** rows x dim. Throws `model-unsupported` for a model that is not what its manifest says. */
  run(batch: EngineInput): Promise<Float32Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Loads the model into a session and checks the probes. Throws `model-invalid` or `model-unsupported`. */
export async function openRunner(settings: RunnerSettings): Promise<Runner> {
  const engine = await openOrt(settings.modelPath, { threads: settings.threads, output: settings.output });
  const run = async (batch: EngineInput): Promise<Float32Array<ArrayBuffer>> => {
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
  };
  for (const { text, ids, vector } of settings.probes) checkProbe(text, vector, await run({ ids, rows: 1, width: ids.length }));
  return { run, close: () => engine.close() };
}
