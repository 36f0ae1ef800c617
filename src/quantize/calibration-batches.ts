// Calibration texts become batches of equal length, as they do when embedded: padding is never observed.
import { lengthsOf, packBatch } from '../batches/pack.js';
import { planBatches } from '../batches/plan.js';
import { tokenize } from '../tokens/tokenize.js';
import type { TextTokenizer } from '../tokens/tokenizer.js';
import type { IdBatch } from './observe.js';

const LIMITS = { maxRows: 32, maxTokens: 1024, workers: 1 } as const;

export function calibrationBatches(texts: readonly string[], tokenizer: TextTokenizer, maxTokens: number): IdBatch[] {
  const tokens = tokenize(texts, tokenizer, maxTokens);
  return planBatches(lengthsOf(tokens.offsets), LIMITS).map((rows) => packBatch(tokens, rows));
}
