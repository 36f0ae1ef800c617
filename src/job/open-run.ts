// A run with its engines open: what each window needs of it.
import type { EmbeddingModel } from '../embedder/open.js';
import type { JobConfig } from './config.js';
import type { CrashWatch } from './crashes.js';
import type { JobPlan } from './plan.js';
import type { Tally } from './tally.js';
import type { VectorIndex } from './vector-index.js';

export interface Run {
  readonly plan: JobPlan;
  readonly model: EmbeddingModel;
  readonly tally: Tally;
  readonly known: VectorIndex;
  readonly crashes: CrashWatch;
  readonly onWindow: JobConfig['onWindow'];
  /** Ends the run: told by the caller, or by a part of it that failed. */
  readonly stop: AbortController;
}
