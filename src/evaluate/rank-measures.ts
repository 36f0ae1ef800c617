// Recall and reciprocal rank of a ranking, as trec_eval gives them (recall.k, recip_rank). Pure; nDCG is in ndcg.ts.

/**
 * Share of the relevant documents that stand among the first k; 0 where nothing is relevant.
 * @param ranked relevance of the documents found, best first, 0 for those nobody judged
 * @param judged relevance of all judged documents, in any order
 */
export function recallOf(ranked: ArrayLike<number>, judged: Iterable<number>, k: number): number {
  let relevant = 0;
  for (const relevance of judged) if (relevance > 0) relevant++;
  if (relevant === 0) return 0;
  let found = 0;
  for (let rank = 0; rank < Math.min(k, ranked.length); rank++) if ((ranked[rank] as number) > 0) found++;
  return found / relevant;
}

/** 1 / rank of the first relevant document, from rank 1; 0 where none was found. */
export function reciprocalRankOf(ranked: ArrayLike<number>): number {
  for (let rank = 0; rank < ranked.length; rank++) if ((ranked[rank] as number) > 0) return 1 / (rank + 1);
  return 0;
}
