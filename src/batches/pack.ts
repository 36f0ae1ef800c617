// Tokenized texts and a plan become the matrices that an engine takes, and its results go back to their rows.
import type { BatchRows } from './plan.js';

/** `rows` texts of `width` tokens each, row after row: no padding, so no mask. */
export interface TokenBatch {
  /** rows x width token ids. */
  readonly ids: Int32Array<ArrayBuffer>;
  readonly rows: number;
  readonly width: number;
}

/** Flat ids of n texts: text i has ids[offsets[i] .. offsets[i+1]). */
interface FlatIds {
  readonly ids: Int32Array;
  readonly offsets: Int32Array;
}

/** Token counts of the n texts. */
export function lengthsOf(offsets: Int32Array): Int32Array {
  const lengths = new Int32Array(offsets.length - 1);
  for (let row = 0; row < lengths.length; row++) lengths[row] = (offsets[row + 1] ?? 0) - (offsets[row] ?? 0);
  return lengths;
}

/** Copies the ids of `rows`, which all have one length, into a batch. */
export function packBatch(texts: FlatIds, rows: BatchRows): TokenBatch {
  const first = rows[0] ?? 0;
  const width = (texts.offsets[first + 1] ?? 0) - (texts.offsets[first] ?? 0);
  const ids = new Int32Array(rows.length * width);
  rows.forEach((row, index) => {
    const start = texts.offsets[row] ?? 0;
    ids.set(texts.ids.subarray(start, start + width), index * width);
  });
  return { ids, rows: rows.length, width };
}

/**
 * Puts the vectors of a batch at the places of their texts: the one place where the order is restored.
 * @param vectors rows.length x dim
 * @param target n x dim, written at `rows`
 */
export function unsort(vectors: Float32Array, rows: BatchRows, dim: number, target: Float32Array): void {
  rows.forEach((row, index) => {
    target.set(vectors.subarray(index * dim, (index + 1) * dim), row * dim);
  });
}
