// Length-1 vectors and shorter ones, in place or copied; plain loops over typed arrays.
import type { Matrix } from './matrix.js';

/** Divides each row by its L2 norm, in place; sums in double precision. A row of zeros stays as it is. */
export function normalise(matrix: Matrix): void {
  for (let start = 0; start < matrix.data.length; start += matrix.dim) {
    const norm = normOf(matrix.data, start, matrix.dim);
    if (norm === 0) continue;
    for (let index = start; index < start + matrix.dim; index++) {
      matrix.data[index] = (matrix.data[index] as number) / norm;
    }
  }
}

/** The first `dim` columns as a new matrix (Matryoshka truncation); normalise again where the model does. */
export function truncateDims(matrix: Matrix, dim: number): Matrix {
  const data = new Float32Array(matrix.rows * dim);
  for (let row = 0; row < matrix.rows; row++) {
    data.set(matrix.data.subarray(row * matrix.dim, row * matrix.dim + dim), row * dim);
  }
  return { rows: matrix.rows, dim, data };
}

/** Norms of normalised vectors are within this of 1, also after rounding to binary16. */
const UNIT_TOLERANCE = 0.01;

/** The rows that are no usable embeddings: not finite, all zeros, or, where vectors are of length 1, of one not `within` so much of it. */
export function brokenRows(matrix: Matrix, expect: { readonly unit: boolean; readonly within?: number }): number[] {
  const { unit, within = UNIT_TOLERANCE } = expect;
  const broken: number[] = [];
  for (let row = 0; row < matrix.rows; row++) {
    const norm = normOf(matrix.data, row * matrix.dim, matrix.dim);
    const isUsable = norm > 0 && norm < Number.POSITIVE_INFINITY && (!unit || Math.abs(norm - 1) < within);
    if (!isUsable) broken.push(row);
  }
  return broken;
}

/** The first row that is not a usable embedding (not finite, or all zeros), or -1. */
export function firstBrokenRow(matrix: Matrix): number {
  return brokenRows(matrix, { unit: false })[0] ?? -1;
}

function normOf(data: Float32Array, start: number, dim: number): number {
  let sum = 0;
  for (let index = start; index < start + dim; index++) {
    const value = data[index] as number;
    sum += value * value;
  }
  return Math.sqrt(sum);
}
