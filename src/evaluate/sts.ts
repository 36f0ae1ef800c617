// Cosines of an STS set's pairs, and how well they keep the order that people gave. Reads no files.
import { cosine, rowOf } from '../vectors/matrix.js';
import { type EmbedTexts, embedDistinct } from './distinct.js';
import type { StsSet } from './labelled-set.js';
import { spearman } from './spearman.js';

/** The cosine of each pair, without prompts; each distinct text is embedded once. Throws what `embed` throws and `vector-invalid`. */
export async function pairCosines({ a, b }: Pick<StsSet, 'a' | 'b'>, embed: EmbedTexts): Promise<Float64Array> {
  const { vectors, rows } = await embedDistinct([...a, ...b], 'none', embed);
  const vectorOf = (text: number): Float32Array => rowOf(vectors, rows[text] as number);
  return Float64Array.from({ length: a.length }, (_, pair) => cosine(vectorOf(pair), vectorOf(a.length + pair)));
}

/** Spearman's correlation of cosines with labels; 0 where all cosines are equal, for that tells no pair from another. */
export function stsScore(cosines: Float64Array, scores: Float64Array): number {
  const rho = spearman(cosines, scores);
  return Number.isNaN(rho) ? 0 : rho;
}
