// An embedder and a labelled set become a score; two scores become what the second kept of the first. Reads no files.
import { EmbedkitError } from '../errors.js';
import { cosine, type Matrix, rowOf } from '../vectors/matrix.js';
import { normalise } from '../vectors/normalise.js';
import { type EmbedTexts, embedDistinct, type Prompt } from './distinct.js';
import type { LabelledSet, RetrievalSet, StsSet } from './labelled-set.js';
import { compareIds, ndcgOfGains } from './ndcg.js';
import { NO_ROW, overlap, topNeighbours } from './neighbours.js';
import { spearman } from './spearman.js';

export type { EmbedTexts, Prompt };

/** Cutoff of nDCG, and how many neighbours are compared. */
export const NEIGHBOURS = 10;

export interface Score {
  /** Name of the set. */
  readonly set: string;
  readonly metric: 'spearman' | 'ndcg@10';
  /** spearman: -1 to 1; ndcg@10: 0 to 1, the mean over the queries. */
  readonly value: number;
  /** Pairs, or queries. */
  readonly count: number;
  /** Retrieval: queries x NEIGHBOURS rows of set.documents, best first, NO_ROW where there are fewer. */
  readonly neighbours?: Int32Array;
}

export interface Comparison {
  readonly set: string;
  readonly metric: Score['metric'];
  readonly full: number;
  readonly quantized: number;
  /** quantized / full: 0.99 says that 99% was kept. */
  readonly kept: number;
  /** Retrieval: mean share of the nearest NEIGHBOURS documents that both found, 0 to 1. */
  readonly overlap?: number;
}

/**
 * Scores an embedder on a set. STS: Spearman's correlation of cosines with the labels, no prompt on either side; 0 where all
 * cosines are equal, for that tells no pair from another. Retrieval: mean nDCG@10 by cosine, queries and documents with
 * their prompts. Each distinct text is embedded once.
 * @throws what `embed` throws; EmbedkitError `vector-invalid` for vectors that are not finite or all zeros
 */
export async function scoreSet(set: LabelledSet, embed: EmbedTexts): Promise<Score> {
  return set.kind === 'sts' ? scoreSts(set, embed) : scoreRetrieval(set, embed);
}

async function scoreSts(set: StsSet, embed: EmbedTexts): Promise<Score> {
  const { vectors, rows } = await embedDistinct([...set.a, ...set.b], 'none', embed);
  const pairs = set.scores.length;
  const vectorOf = (text: number): Float32Array => rowOf(vectors, rows[text] as number);
  const cosines = Float64Array.from({ length: pairs }, (_, pair) => cosine(vectorOf(pair), vectorOf(pairs + pair)));
  const rho = spearman(cosines, set.scores);
  return { set: set.name, metric: 'spearman', value: Number.isNaN(rho) ? 0 : rho, count: pairs };
}

async function scoreRetrieval(set: RetrievalSet, embed: EmbedTexts): Promise<Score> {
  const order = byIdDescending(set.documents.ids);
  const queries = await unitVectors(set.queries.texts, 'query', embed);
  const documents = await unitVectors(
    Array.from(order, (row) => set.documents.texts[row] as string),
    'document',
    embed,
  );
  const neighbours = topNeighbours(queries, documents, NEIGHBOURS).map((at) => (at === NO_ROW ? NO_ROW : (order[at] as number)));
  let sum = 0;
  set.judgements.forEach((relevance, query) => {
    const found = neighbours.subarray(query * NEIGHBOURS, (query + 1) * NEIGHBOURS);
    const gains = Array.from(found, (row) => relevance.get(row) ?? 0);
    sum += ndcgOfGains(gains, relevance.values(), NEIGHBOURS);
  });
  const count = set.judgements.length;
  return { set: set.name, metric: 'ndcg@10', value: sum / count, count, neighbours };
}

/** Rows of the documents, greatest id first: of equal scores topNeighbours takes the lower row, trec_eval the greater id. */
function byIdDescending(ids: readonly string[]): Int32Array {
  return Int32Array.from(ids.keys()).sort((a, b) => compareIds(ids[b] as string, ids[a] as string));
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

/**
 * What a quantized model kept of the full one on the same set.
 * @throws RangeError for scores of different sets; EmbedkitError `vector-invalid` where the full model's score is not
 *   above 0: a share of nothing would let anything pass a gate
 */
export function compareScores(full: Score, quantized: Score): Comparison {
  if (full.set !== quantized.set || full.metric !== quantized.metric || full.count !== quantized.count) {
    throw new RangeError(`scores of different sets: ${describe(full)} and ${describe(quantized)}`);
  }
  if (!(full.value > 0)) {
    const found = `the full-precision model scores ${full.value} (${full.metric}) on ${full.set}, so there is nothing to keep`;
    throw new EmbedkitError('vector-invalid', found, { hint: 'check pooling and prompts of the model, or name a set that suits it' });
  }
  const kept = { set: full.set, metric: full.metric, full: full.value, quantized: quantized.value, kept: quantized.value / full.value };
  if (full.neighbours === undefined || quantized.neighbours === undefined) return kept;
  return { ...kept, overlap: overlap(full.neighbours, quantized.neighbours, NEIGHBOURS) };
}

function describe({ set, metric, count }: Score): string {
  return `${set} (${metric}, ${count})`;
}
