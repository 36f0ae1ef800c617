// Queries find documents: an exact search over a retrieval set, and the measures of what was found. Reads no files.
import { comparable, queryFor, throughStorage } from '../job/storage.js';
import { type Matrix, rowOf } from '../vectors/matrix.js';
import { normalise } from '../vectors/normalise.js';
import { type EmbedTexts, embedDistinct, type Prompt } from './distinct.js';
import type { RetrievalSet } from './labelled-set.js';
import { compareIds, ndcgOfGains } from './ndcg.js';
import { recallOf, reciprocalRankOf } from './rank-measures.js';
import type { MeasuredStorage } from './storages.js';
import { addDocuments, NO_ROW, openTopRows, type TopRows } from './top-rows.js';

/** Documents whose texts and vectors are held at a time. */
const BLOCK = 2048;

/** One way to put the queries: texts as they go to the model, and the prompt before them. */
export interface QueryForm {
  readonly texts: readonly string[];
  readonly prompt: Prompt;
}

/**
 * The k documents nearest to each query by cosine, for each form of the queries; the documents are embedded once, with their
 * prompt, in blocks. A document that has a query's own id is no hit of that query. Documents of equal cosine stand by id, the
 * greatest byte string first, as trec_eval has them.
 * @param storages types that the documents are stored as besides, for the first form alone
 * @returns a form and then a storage each: queries x k rows of set.documents, best first; NO_ROW where there are fewer
 * @throws what `embed` and reading the documents throw; EmbedkitError `vector-invalid`
 */
export async function rankDocuments(
  set: RetrievalSet,
  embed: EmbedTexts,
  forms: readonly QueryForm[],
  k: number,
  storages: readonly MeasuredStorage[] = [],
): Promise<Int32Array[]> {
  const queries = await Promise.all(forms.map(({ texts, prompt }) => unitVectors(texts, prompt, embed)));
  const order = byIdDescending(set.documents.ids);
  const places = placesOf(order);
  // One more than is asked for: the query's own document takes a place.
  const top = openTopRows(stacked(queries), k + 1);
  const stored = storages.map((storage) => ({ storage, top: openTopRows(queriesFor(queries[0] as Matrix, storage), k + 1) }));
  let first = 0;
  for await (const texts of set.documents.blocks(BLOCK)) {
    const start = first;
    const documents = await unitVectors(texts, 'document', embed);
    const placeOf = (row: number): number => places[start + row] as number;
    addDocuments(top, documents, placeOf);
    for (const { storage, top } of stored) addDocuments(top, comparable(throughStorage(documents, storage), storage), placeOf);
    first += texts.length;
  }
  const found = hitsOf(set, order, k);
  return [...forms.map((_, form) => found(top, form)), ...stored.map(({ top }) => found(top, 0))];
}

function queriesFor(vectors: Matrix, { queries, ...storage }: MeasuredStorage): Matrix {
  return queries === 'binary' ? queryFor(vectors, storage) : vectors;
}

/** What a form of the queries found, as rows of the documents, without a query's own. */
function hitsOf(set: RetrievalSet, order: Int32Array, k: number): (top: TopRows, form: number) => Int32Array {
  const own = ownDocuments(set);
  const count = set.queries.ids.length;
  return (top, form) => {
    const found = new Int32Array(count * k).fill(NO_ROW);
    for (let query = 0; query < count; query++) {
      const at = (form * count + query) * top.k;
      const hits = top.rows.subarray(at, at + top.k).map((place) => (place === NO_ROW ? NO_ROW : (order[place] as number)));
      found.set(hits.filter((row) => row === NO_ROW || row !== own[query]).subarray(0, k), query * k);
    }
    return found;
  };
}

export interface RankMeasures {
  /** One a query, each from 0 to 1. */
  readonly ndcg10: Float64Array;
  readonly recall10: Float64Array;
  readonly recall100: Float64Array;
  readonly reciprocalRank: Float64Array;
}

/** Measures a ranking of `k` documents a query, as rankDocuments gives it. */
export function measureRanking(set: Pick<RetrievalSet, 'judgements'>, ranking: Int32Array, k: number): RankMeasures {
  const queries = set.judgements.map((judged, query) => {
    const found = ranking.subarray(query * k, (query + 1) * k);
    return { gains: Float64Array.from(found, (row) => judged.get(row) ?? 0), judged: [...judged.values()] };
  });
  return {
    ndcg10: Float64Array.from(queries, ({ gains, judged }) => ndcgOfGains(gains, judged, 10)),
    recall10: Float64Array.from(queries, ({ gains, judged }) => recallOf(gains, judged, 10)),
    recall100: Float64Array.from(queries, ({ gains, judged }) => recallOf(gains, judged, 100)),
    reciprocalRank: Float64Array.from(queries, ({ gains }) => reciprocalRankOf(gains)),
  };
}

export function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Rows of the documents, greatest id first. */
function byIdDescending(ids: readonly string[]): Int32Array {
  return Int32Array.from(ids.keys()).sort((a, b) => compareIds(ids[b] as string, ids[a] as string));
}

/** For each row where `order` has it. */
function placesOf(order: Int32Array): Int32Array {
  const places = new Int32Array(order.length);
  order.forEach((row, place) => {
    places[row] = place;
  });
  return places;
}

/** For each query the row of the document that has its id; NO_ROW where there is none. */
function ownDocuments({ queries, documents }: RetrievalSet): Int32Array {
  const rows = new Map(documents.ids.map((id, row) => [id, row]));
  return Int32Array.from(queries.ids, (id) => rows.get(id) ?? NO_ROW);
}

function stacked(matrices: readonly Matrix[]): Matrix {
  const [{ dim }] = matrices as [Matrix];
  const rows = matrices.reduce((sum, matrix) => sum + matrix.rows, 0);
  const data = new Float32Array(rows * dim);
  let at = 0;
  for (const matrix of matrices) {
    data.set(matrix.data, at);
    at += matrix.data.length;
  }
  return { rows, dim, data };
}

/** texts.length x dim, row i for text i, each of length 1. */
async function unitVectors(texts: readonly string[], prompt: Prompt, embed: EmbedTexts): Promise<Matrix> {
  const { vectors, rows } = await embedDistinct(texts, prompt, embed);
  const data = new Float32Array(texts.length * vectors.dim);
  rows.forEach((row, text) => {
    data.set(rowOf(vectors, row), text * vectors.dim);
  });
  const unit = { rows: texts.length, dim: vectors.dim, data };
  normalise(unit);
  return unit;
}
