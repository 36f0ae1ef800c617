// Tokens -> batches -> engine -> vectors, joined once: what embed, serve, evaluate and bench all call.
import { lengthsOf, packBatch, unsort } from '../batches/pack.js';
import { type BatchLimits, type BatchRows, planBatches } from '../batches/plan.js';
import { BatchError, type WorkerPool } from '../engine/pool.js';
import { EmbedkitError } from '../errors.js';
import type { TokenizedTexts } from '../tokens/tokenize.js';
import type { Matrix } from '../vectors/matrix.js';
import { brokenRows, normalise, truncateDims } from '../vectors/normalise.js';

export interface BatchSettings extends BatchLimits {
  /** Length of a full vector of the model. */
  readonly dim: number;
}

export interface VectorOptions {
  /** Length of the vectors to return. */
  readonly dims: number;
  /** Whether cut vectors are brought back to length 1. */
  readonly normalize: boolean;
  /** Called after each batch with the tokens and texts it held. */
  readonly onTokens?: (tokens: number, texts: number) => void;
  /** Told which texts a worker gets, before it does, and which came back from it, with their vectors or without. */
  readonly flight?: { sent(rows: BatchRows): void; landed(rows: BatchRows): void };
  /** Told of a text that has no vector, whose row then holds nothing to be used; without it the first one is thrown. */
  readonly onFailedRow?: (row: number, error: EmbedkitError) => void;
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
  const rows = texts.offsets.length - 1;
  const { dims } = options;
  const all: Matrix = { rows, dim: dims, data: new Float32Array(rows * dims) };
  await embedBatches(texts, { pool, batches, ...options }, (some, { data }) => unsort(data, some, dims, all.data));
  return all;
}

export interface BatchRun extends VectorOptions {
  readonly pool: WorkerPool;
  readonly batches: BatchSettings;
}

/**
 * Embeds tokenized texts and hands over the vectors batch by batch, as they come: a row for each of `rows`, in their order. Those of texts that
 * failed hold nothing to be used. Throws as `embedTokens` does.
 */
export async function embedBatches(
  texts: TokenizedTexts,
  { pool, batches, ...options }: BatchRun,
  onVectors: (rows: BatchRows, vectors: Matrix) => void,
): Promise<void> {
  const onFailedRow = (row: number, error: EmbedkitError): void => {
    if (options.onFailedRow === undefined) throw error;
    options.onFailedRow(row, error);
  };
  const runs = planBatches(lengthsOf(texts.offsets), batches).map(async (planned) => {
    await runOrSplit(planned, onFailedRow, async (rows) => {
      const batch = packBatch(texts, rows);
      const tokens = batch.ids.length;
      const data = await pool.run(batch, () => options.flight?.sent(rows)).finally(() => options.flight?.landed(rows));
      const vectors: Matrix = { rows: rows.length, dim: batches.dim, data };
      for (const at of brokenRows(vectors, { unit: options.normalize })) onFailedRow(rows[at] as number, brokenVector(rows[at] as number));
      onVectors(rows, shorten(vectors, options));
      options.onTokens?.(tokens, rows.length);
    });
  });
  await Promise.all(runs);
}

type RunRows = (rows: BatchRows) => Promise<void>;

/** A batch that fails is tried once more, then in halves, until a text fails alone. */
async function runOrSplit(rows: BatchRows, onFailedRow: (row: number, error: EmbedkitError) => void, run: RunRows): Promise<void> {
  try {
    await run(rows).catch((error: unknown) => (error instanceof BatchError ? run(rows) : Promise.reject(error)));
  } catch (error) {
    if (!(error instanceof BatchError)) throw error;
    if (rows.length === 1) return onFailedRow(rows[0] as number, error);
    const half = rows.length >> 1;
    await runOrSplit(rows.subarray(0, half), onFailedRow, run);
    await runOrSplit(rows.subarray(half), onFailedRow, run);
  }
}

function brokenVector(row: number): EmbedkitError {
  const hint = 'the model file may be damaged: verify it, or export it again';
  return new EmbedkitError(
    'vector-invalid',
    `the model gave text ${row} a vector that is not finite, is all zeros or has a length other than 1`,
    { hint },
  );
}

function shorten(matrix: Matrix, options: VectorOptions): Matrix {
  if (options.dims === matrix.dim) return matrix;
  const cut = truncateDims(matrix, options.dims);
  if (options.normalize) normalise(cut);
  return cut;
}
