// Texts become vectors, each distinct text once. Where the vectors come from is the caller's affair.
import { EmbedkitError } from '../errors.js';
import type { Matrix } from '../vectors/matrix.js';
import { firstBrokenRow } from '../vectors/normalise.js';

export type Prompt = 'query' | 'document' | 'none';

/** Row i of the answer is the vector of text i; the lengths of the vectors need not be 1. */
export type EmbedTexts = (texts: readonly string[], prompt: Prompt) => Promise<Matrix>;

export interface DistinctVectors {
  /** One row a distinct text, in order of first appearance. */
  readonly vectors: Matrix;
  /** For each text given, its row of `vectors`. */
  readonly rows: Int32Array;
}

/**
 * Embeds the distinct texts among those given, in one call.
 * @throws what `embed` throws; EmbedkitError `vector-invalid` for vectors not finite or all zeros, `internal` for too few rows
 */
export async function embedDistinct(texts: readonly string[], prompt: Prompt, embed: EmbedTexts): Promise<DistinctVectors> {
  const rowByText = new Map<string, number>();
  const rows = Int32Array.from(texts, (text) => {
    const row = rowByText.get(text) ?? rowByText.size;
    rowByText.set(text, row);
    return row;
  });
  const distinct = [...rowByText.keys()];
  const vectors = await embed(distinct, prompt);
  check(vectors, distinct.length);
  return { vectors, rows };
}

function check(vectors: Matrix, count: number): void {
  if (vectors.rows !== count) throw new EmbedkitError('internal', `${vectors.rows} vectors came back for ${count} texts`);
  const broken = firstBrokenRow(vectors);
  if (broken === -1) return;
  const hint = 'the model file may be damaged: verify it, or quantize or export it again';
  throw new EmbedkitError('vector-invalid', `the model gave text ${broken} a vector that is not finite or is all zeros`, { hint });
}
