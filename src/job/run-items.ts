// From records to what a run is made of: numbered and hashed, of one shard, with kept values that fit, long documents in pieces. What a run
// does, a prediction counts and a verification reads again.
import type { KeepColumn } from '../columns/row.js';
import { fingerprint } from '../model/settings.js';
import type { Item } from '../records/record.js';
import type { TextTokenizer } from '../tokens/tokenizer.js';
import { inChunks } from './chunks.js';
import type { ChunkPlan } from './config.js';
import { type ItemOptions, identify, inShard, type RunItem, type Shard } from './items.js';
import { fittingKept, type KeptTypesOptions } from './kept-types.js';
import type { JobPlan } from './plan.js';

export interface RunItemOptions extends ItemOptions, KeptTypesOptions {
  readonly shard: Shard | undefined;
  readonly keep: readonly KeepColumn[];
  readonly chunks: ChunkPlan | undefined;
  readonly tokenizer: TextTokenizer;
}

export function runItems(records: AsyncIterable<Item[]>, options: RunItemOptions): AsyncGenerator<RunItem[]> {
  const { chunks, shard, keep } = options;
  const rows = fittingKept(inShard(identify(records, options), shard), keep, options);
  return chunks === undefined ? rows : inChunks(rows, { ...options, ...chunks });
}

/** As a plan says it. */
export function plannedItems(plan: JobPlan, tokenizer: TextTokenizer): RunItemOptions {
  const { prompt, limit, shard, chunks, folder, maxTokens, layout, format } = plan;
  return {
    prompt,
    limit,
    shard,
    chunks,
    tokenizer,
    fingerprint: fingerprint(folder.manifest, maxTokens),
    keep: layout.keep,
    named: format === 'jsonl',
  };
}
