// A run with its engines open: what each window needs of it.
import type { EmbeddingModel } from '../embedder/open.js';
import type { AuditSample } from './audit.js';
import type { JobConfig } from './config.js';
import type { CrashWatch } from './crashes.js';
import type { JobPlan } from './plan.js';
import type { ComputedTexts } from './store.js';
import type { Tally } from './tally.js';
import type { VectorIndex } from './vector-index.js';
import type { Window } from './windows.js';

export interface Run {
  readonly plan: JobPlan;
  readonly model: EmbeddingModel;
  readonly tally: Tally;
  readonly known: VectorIndex;
  readonly crashes: CrashWatch;
  /** Sees the vectors that are kept; undefined: there is no audit. */
  readonly audit: AuditSample | undefined;
  /** Windows that are not kept yet, with what is computed of them. */
  readonly unfinished: Map<Window, ComputedTexts>;
  /** Settles when no window is being kept: a run that stops leaves none half kept behind it. */
  keeping: Promise<void>;
  readonly onWindow: JobConfig['onWindow'];
  /** Ends the run: told by the caller, or by a part of it that failed. */
  readonly stop: AbortController;
}
