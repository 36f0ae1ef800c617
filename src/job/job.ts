// What both ways of a run share: the job itself, its engines from start to close, its items and how they are windowed.
import { type Disk, realDisk } from '../columns/disk.js';
import { type EmbeddingModel, startModel } from '../embedder/open.js';
import { recordsOnly } from '../records/bad-rows.js';
import { readRecords } from '../records/read.js';
import type { TextTokenizer } from '../tokens/tokenizer.js';
import { followAbort, untilAborted } from './abort.js';
import { type AuditSample, auditVectors } from './audit.js';
import type { AuditResult, JobConfig } from './config.js';
import type { RunItem } from './items.js';
import type { Run } from './open-run.js';
import type { JobPlan } from './plan.js';
import { plannedItems, runItems } from './run-items.js';
import type { Tally } from './tally.js';
import type { WindowOptions } from './windows.js';

/** What a run is made of, for tests that put something else in its place. */
export interface JobParts {
  readonly disk: Disk;
  readonly startModel: typeof startModel;
}

export const PARTS: JobParts = { disk: realDisk, startModel };

export interface Job {
  readonly config: JobConfig;
  readonly plan: JobPlan;
  readonly tally: Tally;
  readonly parts: JobParts;
  readonly audit: AuditSample | undefined;
}

/** What a run knows of others. */
export type Memory = Pick<Run, 'known' | 'crashes' | 'unfinished'>;

/** Everything up to the last vector; the engines are closed again when it returns. */
export async function embedInto(job: Job, memory: Memory, embed: (run: Run) => Promise<void>): Promise<EmbeddingModel> {
  const { config, plan, tally, parts, audit } = job;
  const model = parts.startModel(plan.folder, { ...config.model, threads: plan.threads, maxTokens: plan.maxTokens });
  const stop = followAbort(config.signal);
  try {
    model.pool.ready().then(
      () => tally.loaded(),
      (error) => stop.abort(error),
    );
    await untilAborted(
      embed({ ...memory, plan, model, tally, audit, stop, keeping: Promise.resolve(), onWindow: config.onWindow }),
      stop.signal,
    );
    return model;
  } finally {
    stop.abort();
    await model.close();
  }
}

/** What the audit finds out, once the engines of the run are closed; undefined where there is none. */
export async function auditOf({ config, plan, parts, audit }: Job): Promise<AuditResult | undefined> {
  if (audit === undefined) return undefined;
  const { dims, maxTokens } = plan;
  const onWarning = config.onWarning ?? (() => undefined);
  return auditVectors(audit, { dims, maxTokens, startModel: parts.startModel, signal: config.signal, onWarning });
}

const MIXED_IDS =
  'some rows have an id and others none: those get their row number, which may be the id of another row; give every row one';

export function itemsOf({ config, plan, tally, audit }: Job, tokenizer: TextTokenizer): AsyncGenerator<RunItem[]> {
  const read = readRecords(plan.inputs, plan.read, tally.reading);
  const onMixedIds = (): void => config.onWarning?.(MIXED_IDS);
  const rows = runItems(plan.onError === 'fail' ? recordsOnly(read) : read, { ...plannedItems(plan, tokenizer), onMixedIds });
  return audit === undefined ? rows : audit.watch(rows, tokenizer);
}

export function windowOptions({ plan, model, known }: Run): WindowOptions {
  return {
    tokenizer: model.tokenizer,
    maxTokens: plan.maxTokens,
    onOverflow: plan.onOverflow,
    limits: plan.window,
    known: (contentHash) => known.find(contentHash),
  };
}
