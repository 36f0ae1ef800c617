// Tokens -> batches -> engine -> vectors, joined once: what embed, serve, evaluate and bench all call.
import { lengthsOf, packBatch, unsort } from '../batches/pack.js';
import { type BatchLimits, planBatches } from '../batches/plan.js';
import type { WorkerPool } from '../engine/pool.js';
import { EmbedkitError } from '../errors.js';
import type { TokenizedTexts } from '../tokens/tokenize.js';
import type { Matrix } from '../vectors/matrix.js';
import { firstBrokenRow, normalise, truncateDims } from '../vectors/normalise.js';

export interface BatchSettings extends BatchLimits {
  /** Length of a full vector of the model. */
  readonly dim: number;
}

export interface VectorOptions {
  /** Length of the vectors to return. */
  readonly dims: number;
  /** Whether cut vectors are brought back to length 1. */
  readonly normalize: boolean;
  /** Called after each batch with the tokens it held. */
  readonly onTokens?: (tokens: number) => void;
}

/**
 * Embeds tokenized texts.
 * @returns n x dims, row i for text i
 * @throws EmbedkitError `engine-failed`; `vector-invalid` for a vector that is not finite or all zeros
 */
export async function embedTokens(
  texts: TokenizedTexts,
  pool: WorkerPool,
  batches: BatchSettings,
  options: VectorOptions,
): Promise<Matrix> {
  const lengths = lengthsOf(texts.offsets);
  const full: Matrix = { rows: lengths.length, dim: batches.dim, data: new Float32Array(lengths.length * batches.dim) };
  const runs = planBatches(lengths, batches).map(async (rows) => {
    const batch = packBatch(texts, rows);
    const tokens = batch.ids.length;
    unsort(await pool.run(batch), rows, batches.dim, full.data);
    options.onTokens?.(tokens);
  });
  await Promise.all(runs);
  checkVectors(full);
  return shorten(full, options);
}

function checkVectors(matrix: Matrix): void {
  const row = firstBrokenRow(matrix);
  if (row === -1) return;
  const hint = 'the model file may be damaged: verify it, or export it again';
  throw new EmbedkitError('vector-invalid', `the model gave text ${row} a vector that is not finite or is all zeros`, { hint });
}

function shorten(matrix: Matrix, options: VectorOptions): Matrix {
  if (options.dims === matrix.dim) return matrix;
  const cut = truncateDims(matrix, options.dims);
  if (options.normalize) normalise(cut);
  return cut;
}
