// The noun of vectors/: a dense row-major float32 matrix.

export interface Matrix {
  readonly rows: number;
  /** Columns: the dimension of the embeddings. */
  readonly dim: number;
  /** rows x dim values, row after row. */
  readonly data: Float32Array;
}

/** Row `row` as a view, not a copy. */
export function rowOf(matrix: Matrix, row: number): Float32Array {
  return matrix.data.subarray(row * matrix.dim, (row + 1) * matrix.dim);
}

/** Cosine similarity of two vectors of one length, summed in double precision. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let index = 0; index < a.length; index++) {
    const x = a[index] as number;
    const y = b[index] as number;
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return dot / Math.sqrt(aa * bb);
}
