// What SciPy and pytrec_eval gave: the types of scores.json and its values.
import { readFileSync } from 'node:fs';

interface Golden {
  readonly spearman: readonly { readonly a: number[]; readonly b: number[]; readonly rho: number }[];
  readonly ndcg: readonly {
    readonly scores: Record<string, number>;
    readonly relevance: Record<string, number>;
    readonly ndcg: Record<string, number>;
  }[];
  readonly sts: { readonly a: number[][]; readonly b: number[][]; readonly scores: number[]; readonly rho: number };
  readonly retrieval: {
    readonly ids: string[];
    readonly documents: number[][];
    readonly queries: number[][];
    readonly relevance: Record<string, Record<string, number>>;
    readonly ndcg: number;
  };
}

/** Made by test/golden/scores.py. */
export const GOLDEN: Golden = JSON.parse(readFileSync(new URL('../golden/scores.json', import.meta.url), 'utf8'));
