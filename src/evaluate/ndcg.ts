// nDCG at a cutoff with the rules of trec_eval (ndcg_cut). Pure; knows ids, scores and relevance, no texts or vectors.
//
// The rules, found by asking pytrec_eval (test/golden/scores.py): the gain of a document is its relevance; below 0 it is 0, as
// for documents nobody judged. Rank r is discounted by log2(r + 1). The ideal ranking is of all judged documents, found or
// not. Scores count as float32, and documents of equal score stand by id, the greatest byte string first. A query with nothing
// relevant scores 0.

/**
 * nDCG@k of one query.
 * @param scores document id -> score, finite
 * @param relevance document id -> relevance, of all judged documents
 * @returns between 0 and 1
 */
export function ndcg(scores: ReadonlyMap<string, number>, relevance: ReadonlyMap<string, number>, k: number): number {
  const gains = rankedIds(scores)
    .slice(0, k)
    .map((id) => relevance.get(id) ?? 0);
  return ndcgOfGains(gains, [...relevance.values()], k);
}

/**
 * nDCG@k of a ranking that is known already.
 * @param ranked relevance of the documents found, best first, 0 for those nobody judged; at least the first k
 * @param judged relevance of all judged documents, in any order
 */
export function ndcgOfGains(ranked: ArrayLike<number>, judged: Iterable<number>, k: number): number {
  const ideal = dcg(Float64Array.from(judged).sort().reverse(), k);
  return ideal === 0 ? 0 : dcg(ranked, k) / ideal;
}

/** Ids from the best score to the worst, ties as described above. */
export function rankedIds(scores: ReadonlyMap<string, number>): string[] {
  const ranked = [...scores].map(([id, score]) => ({ id, score: Math.fround(score) }));
  return ranked.sort((a, b) => b.score - a.score || compareIds(b.id, a.id)).map(({ id }) => id);
}

function dcg(gains: ArrayLike<number>, k: number): number {
  let sum = 0;
  for (let index = 0; index < Math.min(k, gains.length); index++) {
    sum += Math.max(0, gains[index] as number) / Math.log2(index + 2);
  }
  return sum;
}

/** Order of two ids by their UTF-8 bytes, which is that of their code points: negative where a comes first. */
export function compareIds(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const difference = codePointOrder(a.charCodeAt(index)) - codePointOrder(b.charCodeAt(index));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Surrogates stand for code points beyond every single unit, though units from U+E000 on are greater numbers. */
function codePointOrder(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
