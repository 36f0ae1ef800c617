// The k best documents of each query by dot product, exactly, from documents that come a block at a time. No index, no files.
import type { Matrix } from '../vectors/matrix.js';

// Four queries share each load of a document's values and give four sums that do not wait for each other; a block of
// documents (98 KB at 384 columns) stays in the second-level cache while all queries pass over it.
const QUERY_BLOCK = 4;
const DOCUMENT_BLOCK = 64;

/** What stands where there are fewer than k documents, or where a dot product is not a number. */
export const NO_ROW = -1;

/** The best documents so far: what is held does not grow with the documents. */
export interface TopRows {
  readonly queries: Matrix;
  readonly k: number;
  /** queries x k numbers of documents, best first; NO_ROW where there are fewer. */
  readonly rows: Int32Array;
  /** queries x k dot products. */
  readonly scores: Float32Array;
}

/** Throws RangeError for a k below 1. */
export function openTopRows(queries: Matrix, k: number): TopRows {
  if (!(Number.isInteger(k) && k >= 1)) throw new RangeError(`k is ${k}, not a whole number from 1 on`);
  const size = queries.rows * k;
  return { queries, k, rows: new Int32Array(size).fill(NO_ROW), scores: new Float32Array(size).fill(Number.NEGATIVE_INFINITY) };
}

/**
 * Holds a block of documents against all queries. Products are summed in double precision in column order and rounded to
 * float32; of equal ones the document of the lower number comes first. So the answer depends on neither blocks nor their order.
 * @param numberOf the number that a row of the block goes by, from 0
 * @throws RangeError for documents of another dim
 */
export function addDocuments(top: TopRows, documents: Matrix, numberOf: (row: number) => number): void {
  const { queries } = top;
  if (queries.dim !== documents.dim) throw new RangeError(`queries of dim ${queries.dim}, documents of dim ${documents.dim}`);
  const products = new Float32Array(QUERY_BLOCK);
  for (let block = 0; block < documents.rows; block += DOCUMENT_BLOCK) {
    const end = Math.min(block + DOCUMENT_BLOCK, documents.rows);
    for (let query = 0; query < queries.rows; query += QUERY_BLOCK) {
      const count = Math.min(QUERY_BLOCK, queries.rows - query);
      const multiply = count === 1 ? multiplyOne : multiplyFour;
      for (let row = block; row < end; row++) {
        multiply(queries, query, documents, row, products);
        for (let lane = 0; lane < count; lane++) offer(top, query + lane, numberOf(row), products[lane] as number);
      }
    }
  }
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

/** The dot product of a query that is alone with a document: the same sum as beside others. */
function multiplyOne(queries: Matrix, query: number, documents: Matrix, row: number, into: Float32Array): void {
  const { data, dim } = queries;
  const values = documents.data;
  const start = query * dim;
  const at = row * dim;
  let sum = 0;
  for (let column = 0; column < dim; column++) sum += (values[at + column] as number) * (data[start + column] as number);
  into[0] = sum;
}

/** Puts a document into a query's list if it belongs there. */
function offer({ k, rows, scores }: TopRows, query: number, row: number, score: number): void {
  const first = query * k;
  let at = first + k - 1;
  if (Number.isNaN(score) || !isBefore(score, row, scores[at] as number, rows[at] as number)) return;
  while (at > first && isBefore(score, row, scores[at - 1] as number, rows[at - 1] as number)) {
    rows[at] = rows[at - 1] as number;
    scores[at] = scores[at - 1] as number;
    at--;
  }
  rows[at] = row;
  scores[at] = score;
}

function isBefore(score: number, row: number, otherScore: number, otherRow: number): boolean {
  return score > otherScore || otherRow === NO_ROW || (score === otherScore && row < otherRow);
}
