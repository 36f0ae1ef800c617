// A model for tests of the job: the real tokenizer, and vectors that are a plain function of the ids, at once.
import { DEFAULT_BATCH_SIZE, DEFAULT_BATCH_TOKENS } from '#src/batches/plan.js';
import type { EmbeddingModel, OpenOptions } from '#src/embedder/open.js';
import { BatchError, type WorkerPool } from '#src/engine/pool.js';
import type { ModelFolder } from '#src/model/folder.js';
import { fingerprint } from '#src/model/settings.js';
import { createTokenizer } from '#src/tokens/tokenizer.js';

export interface StubOptions {
  /** Called before each batch; what it throws is the batch's failure. */
  readonly onBatch?: (texts: readonly (readonly number[])[]) => void;
  /** The vector of a text, of the model's length; default: unit vectors that differ from text to text. */
  readonly vectorOf?: (ids: readonly number[], dim: number) => Float32Array;
}

export interface Stub {
  readonly startModel: (folder: ModelFolder, options: OpenOptions) => EmbeddingModel;
  /** Texts that went through the engine. */
  computed: number;
}

export function stubModel(options: StubOptions = {}): Stub {
  const stub: Stub = {
    computed: 0,
    startModel: (folder, { maxTokens = folder.manifest.max_tokens }) => {
      const { dim } = folder.manifest;
      type Batch = { ids: Int32Array; rows: number; width: number };
      const run = async ({ ids, rows, width }: Batch, onSent?: () => void): Promise<Float32Array> => {
        onSent?.();
        const texts = Array.from({ length: rows }, (_, row) => [...ids.subarray(row * width, (row + 1) * width)]);
        options.onBatch?.(texts);
        stub.computed += rows;
        const vectors = new Float32Array(rows * dim);
        texts.forEach((text, row) => void vectors.set((options.vectorOf ?? unitVector)(text, dim), row * dim));
        return vectors;
      };
      const pool = { run, ready: async () => undefined, close: async () => undefined, busySeconds: 0 } as unknown as WorkerPool;
      return {
        folder,
        dim,
        maxTokens,
        fingerprint: fingerprint(folder.manifest, maxTokens),
        threads: 1,
        tokenizer: createTokenizer(folder.tokenizer),
        batches: { maxTokens: DEFAULT_BATCH_TOKENS, maxRows: DEFAULT_BATCH_SIZE, workers: 1, dim },
        pool,
        embed: () => Promise.reject(new Error('not of use here')),
        close: async () => undefined,
      };
    },
  };
  return stub;
}

export function batchFailure(why: string): BatchError {
  return new BatchError('engine-failed', why);
}

function unitVector(ids: readonly number[], dim: number): Float32Array {
  let state = ids.reduce((hash, id) => (Math.imul(hash, 31) + id) | 0, 7);
  const vector = Float32Array.from({ length: dim }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
}
