// Nearest rows of one matrix to those of another, and how far two such answers agree. Pure.
import type { Matrix } from '../vectors/matrix.js';
import { addDocuments, NO_ROW, openTopRows } from './top-rows.js';

export { NO_ROW };

/**
 * The k rows of `documents` with the greatest dot product with each query: cosine, for rows of length 1; of equal ones the lower
 * row comes first.
 * @returns queries.rows x k row numbers, best first; NO_ROW where there are fewer than k
 * @throws RangeError for matrices of different dim or a k below 1
 */
export function topNeighbours(queries: Matrix, documents: Matrix, k: number): Int32Array {
  const top = openTopRows(queries, k);
  addDocuments(top, documents, (row) => row);
  return top.rows;
}

/** rows x count row numbers: the nearest of the other rows to each row. */
export function nearestOthers(matrix: Matrix, count: number): Int32Array {
  const found = topNeighbours(matrix, matrix, count + 1);
  const others = new Int32Array(matrix.rows * count);
  for (let row = 0; row < matrix.rows; row++) {
    const nearest = found.subarray(row * (count + 1), (row + 1) * (count + 1));
    others.set(nearest.filter((other) => other !== row).subarray(0, count), row * count);
  }
  return others;
}

/**
 * Mean share of common members of two answers of topNeighbours, whatever their order: 1 where each query has the same rows.
 * Places with NO_ROW count on neither side.
 * @param a queries x k row numbers, as is b
 * @throws RangeError for answers of different or no size
 */
export function overlap(a: Int32Array, b: Int32Array, k: number): number {
  if (a.length !== b.length || a.length === 0 || a.length % k !== 0) {
    throw new RangeError(`answers of ${a.length} and ${b.length} rows cannot be compared by ${k}`);
  }
  let sum = 0;
  for (let start = 0; start < a.length; start += k) sum += shareOf(membersOf(a, start, k), membersOf(b, start, k));
  return sum / (a.length / k);
}

function membersOf(rows: Int32Array, start: number, k: number): Set<number> {
  return new Set(rows.subarray(start, start + k).filter((row) => row !== NO_ROW));
}

function shareOf(a: ReadonlySet<number>, b: ReadonlySet<number>): number {
  const size = Math.max(a.size, b.size);
  return size === 0 ? 1 : [...a].filter((row) => b.has(row)).length / size;
}
