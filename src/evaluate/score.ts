// An embedder and a labelled set become a score; two scores become what the second kept of the first. Reads no files.
import { EmbedkitError } from '../errors.js';
import type { EmbedTexts, Prompt } from './distinct.js';
import type { LabelledSet, RetrievalSet, StsSet } from './labelled-set.js';
import { overlap } from './neighbours.js';
import { meanOf, measureRanking, rankDocuments } from './retrieval.js';
import { pairCosines, stsScore } from './sts.js';

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
  const cosines = await pairCosines(set, embed);
  return { set: set.name, metric: 'spearman', value: stsScore(cosines, set.scores), count: set.scores.length };
}

async function scoreRetrieval(set: RetrievalSet, embed: EmbedTexts): Promise<Score> {
  const form = { texts: set.queries.texts, prompt: 'query' as const };
  const [neighbours] = (await rankDocuments(set, embed, [form], NEIGHBOURS)) as [Int32Array];
  const { ndcg10 } = measureRanking(set, neighbours, NEIGHBOURS);
  return { set: set.name, metric: 'ndcg@10', value: meanOf(ndcg10), count: ndcg10.length, neighbours };
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
