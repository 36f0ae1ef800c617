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

/** The first row that is not a usable embedding (not finite, or all zeros), or -1. */
export function firstBrokenRow(matrix: Matrix): number {
  for (let row = 0; row < matrix.rows; row++) {
    const norm = normOf(matrix.data, row * matrix.dim, matrix.dim);
    if (!(norm > 0 && norm < Number.POSITIVE_INFINITY)) return row;
  }
  return -1;
}

function normOf(data: Float32Array, start: number, dim: number): number {
  let sum = 0;
  for (let index = start; index < start + dim; index++) {
    const value = data[index] as number;
    sum += value * value;
  }
  return Math.sqrt(sum);
}
