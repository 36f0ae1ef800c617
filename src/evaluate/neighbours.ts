// Nearest rows by dot product, exactly, and how far two such answers agree. Plain loops over typed arrays; no index.
import type { Matrix } from '../vectors/matrix.js';

// Four queries share each load of a document's values and give four sums that do not wait for each other; a block of
// documents (98 KB at 384 columns) stays in the second-level cache while all queries pass over it.
const QUERY_BLOCK = 4;
const DOCUMENT_BLOCK = 64;

/** What stands where there are fewer than k documents, or where a dot product is not a number. */
export const NO_ROW = -1;

interface BestLists {
  readonly k: number;
  /** queries x k, best first. */
  readonly rows: Int32Array;
  readonly scores: Float32Array;
}

/**
 * The k rows of `documents` with the greatest dot product with each query: cosine, for rows of length 1. Products are summed
 * in double precision in column order and rounded to float32; of equal ones the lower row comes first. So the answer depends on
 * neither blocks nor other rows.
 * @returns queries.rows x k row numbers, best first; NO_ROW where there are fewer than k
 * @throws RangeError for matrices of different dim or a k below 1
 */
export function topNeighbours(queries: Matrix, documents: Matrix, k: number): Int32Array {
  if (queries.dim !== documents.dim) throw new RangeError(`queries of dim ${queries.dim}, documents of dim ${documents.dim}`);
  if (!(Number.isInteger(k) && k >= 1)) throw new RangeError(`k is ${k}, not a whole number from 1 on`);
  const size = queries.rows * k;
  const best = { k, rows: new Int32Array(size).fill(NO_ROW), scores: new Float32Array(size).fill(Number.NEGATIVE_INFINITY) };
  const products = new Float32Array(QUERY_BLOCK);
  for (let block = 0; block < documents.rows; block += DOCUMENT_BLOCK) {
    const end = Math.min(block + DOCUMENT_BLOCK, documents.rows);
    for (let query = 0; query < queries.rows; query += QUERY_BLOCK) {
      const count = Math.min(QUERY_BLOCK, queries.rows - query);
      for (let row = block; row < end; row++) {
        multiplyFour(queries, query, documents, row, products);
        for (let lane = 0; lane < count; lane++) offer(best, query + lane, row, products[lane] as number);
      }
    }
  }
  return best.rows;
}

/** Dot products of queries `first` to `first + 3` with a document; beyond the last query the last one again. */
function multiplyFour(queries: Matrix, first: number, documents: Matrix, row: number, into: Float32Array): void {
  const { data, dim } = queries;
  const values = documents.data;
  const last = queries.rows - 1;
  const at = row * dim;
  const query0 = first * dim;
  const query1 = Math.min(first + 1, last) * dim;
  const query2 = Math.min(first + 2, last) * dim;
  const query3 = Math.min(first + 3, last) * dim;
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  for (let column = 0; column < dim; column++) {
    const value = values[at + column] as number;
    sum0 += value * (data[query0 + column] as number);
    sum1 += value * (data[query1 + column] as number);
    sum2 += value * (data[query2 + column] as number);
    sum3 += value * (data[query3 + column] as number);
  }
  into[0] = sum0;
  into[1] = sum1;
  into[2] = sum2;
  into[3] = sum3;
}

/** Puts a document into a query's list if it belongs there. Documents come by rising row, so an equal one stays behind. */
function offer({ k, rows, scores }: BestLists, query: number, row: number, score: number): void {
  const first = query * k;
  let at = first + k - 1;
  if (rows[at] !== NO_ROW && !(score > (scores[at] as number))) return;
  if (Number.isNaN(score)) return;
  while (at > first && (rows[at - 1] === NO_ROW || score > (scores[at - 1] as number))) {
    rows[at] = rows[at - 1] as number;
    scores[at] = scores[at - 1] as number;
    at--;
  }
  rows[at] = row;
  scores[at] = score;
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
