// A run into a file or a folder: under a lock, finished windows become parts beside the output, and the parts become the output.
import { basename, dirname, join } from 'node:path';
import { unwritable } from '../columns/sinks.js';
import type { EmbeddingModel } from '../embedder/open.js';
import { EmbedkitError, systemCode } from '../errors.js';
import { countOf } from '../format.js';
import { isBad } from '../records/bad-rows.js';
import { isThere } from '../there.js';
import { rowOf } from '../vectors/matrix.js';
import { assembleFile, assembleFolder, removeJob, writeQuarantine } from './assemble.js';
import type { AuditResult, JobConfig, JobSummary } from './config.js';
import { watchCrashes } from './crashes.js';
import { embedWindows } from './embed-windows.js';
import { auditOf, embedInto, itemsOf, type Job, windowOptions } from './job.js';
import type { JobFacts } from './journal.js';
import { takeLock } from './lock.js';
import type { Run } from './open-run.js';
import { jobFolder, type PartStore, partWriter, readPart, rememberLeftovers } from './parts.js';
import type { JobPlan } from './plan.js';
import { PROVENANCE_KEY } from './provenance.js';
import { withoutFinished } from './replay.js';
import { refused, resumeJournal, rollBackWithoutLenders } from './resume.js';
import { forgetOutputs, rememberOutputs } from './reuse.js';
import { storageName } from './storage.js';
import { failedPath, quarantineOf, type Target } from './target.js';
import { isInterrupt, keepUnfinished } from './unfinished.js';
import { VectorIndex } from './vector-index.js';
import { cutWindows } from './windows.js';

export async function runIntoFile(job: Job, target: Target): Promise<JobSummary> {
  const { config } = job;
  const lost = new AbortController();
  const lock = await takeLock(lockPath(target.path), config.output.path, (error) => lost.abort(error));
  try {
    const signal = config.signal === undefined ? lost.signal : AbortSignal.any([config.signal, lost.signal]);
    return await runLocked({ ...job, config: { ...config, signal } }, target);
  } catch (error) {
    // Of the files beside the output: inputs, engines and the output itself name their own errors.
    throw systemCode(error) === undefined ? error : unwritable(config.output.path, error);
  } finally {
    await lock.release();
  }
}

function lockPath(output: string): string {
  return join(dirname(output), `.embedkit-${basename(output)}.lock`);
}

async function runLocked(job: Job, target: Target): Promise<JobSummary> {
  const { config, plan, tally } = job;
  const { disk } = job.parts;
  const folder = jobFolder(target.path);
  const resume = {
    disk,
    folder,
    output: config.output.path,
    resume: config.resume ?? 'auto',
    onWarning: config.onWarning ?? (() => undefined),
  };
  const journal = await resumeJournal(factsOf(config, plan), resume);
  const known = new VectorIndex(plan.dims, { most: plan.mostKnown, spill: join(folder, 'known.keys') });
  const unfinished: Run['unfinished'] = new Map();
  const store: PartStore = { disk, folder, keep: plan.layout.keep, storedAs: storageName(plan), journal, known };
  const finished = journal.windows.length;
  let outputs = 0;
  const remember = async (): Promise<void> => {
    await rememberOutputs(known, config.reuse ?? [], { plan, folder, target, onWarning: resume.onWarning });
    outputs = known.fileCount;
    await rollBackWithoutLenders(store, resume);
    const left = await rememberLeftovers(store);
    if (left > 0) config.onNotice?.(leftNotice(left));
  };
  try {
    const done = journal.windows.reduce((sum, { items }) => sum + items, 0);
    if (done > 0) config.onNotice?.(`going on with the unfinished run of ${resume.output}: ${countOf(done, 'row')} done`);
    const model = await embedUnderWatch(job, store, { unfinished, remember });
    tally.removed = known.unwanted(outputs);
    await checkBooks(job, store, target);
    const audit = await auditAll(job, store, finished);
    const assemble = target.kind === 'folder' ? assembleFolder : assembleFile;
    const started = performance.now();
    const bytes = await assemble(store, plan, target.path, config.signal);
    tally.assembleSeconds = (performance.now() - started) / 1000;
    await clearUp(store, target);
    return tally.summary(model, { bytes, name: config.output.path, quarantine: quarantineOf(target, config.output.path), audit });
  } catch (error) {
    const kept = journal.windows.reduce((sum, { rows }) => sum + rows, isInterrupt(error) ? await keepUnfinished(store, unfinished) : 0);
    if (kept === 0 && known.fileCount === outputs) await removeJob(disk, folder);
    else await forgetOutputs(folder);
    if (kept > 0 && isInterrupt(error)) config.onNotice?.(keptNotice(kept));
    throw error;
  } finally {
    known.close();
  }
}

/** Throws `too-many-errors`, and `input-unreadable` for an input without rows where there is an output. */
async function checkBooks({ config, plan, tally }: Job, store: PartStore, target: Target): Promise<void> {
  tally.checkErrors(plan.maxErrors, true);
  if (!tally.hasRows) await writeQuarantine(store, failedPath(target.path));
  tally.checkAnyRow(failedPath(config.output.path));
  await checkEmpty(tally, target, config.output.path);
}

/** What this run, and one before it that embedded nothing, left beside the output. */
async function clearUp({ disk, folder }: PartStore, { path }: Target): Promise<void> {
  await disk.remove(failedPath(path)).catch(() => undefined);
  await removeJob(disk, folder);
}

/** An upstream that failed must not take a good output away. */
async function checkEmpty({ isEmpty }: Job['tally'], { kind, path }: Target, name: string): Promise<void> {
  if (!isEmpty || kind !== 'file' || !(await isThere(path))) return;
  const hint = `if that is right, remove ${name} first`;
  throw new EmbedkitError('input-unreadable', `the input has no rows, and ${name} is there: it stays as it was`, { hint });
}

function leftNotice(vectors: number): string {
  return `an unfinished run left ${countOf(vectors, 'vector')}, for texts that are the same`;
}

function keptNotice(rows: number): string {
  return `kept ${countOf(rows, 'row')}: the same command goes on from there`;
}

interface Around {
  readonly unfinished: Run['unfinished'];
  /** Makes earlier vectors known, while the engines load. */
  remember(): Promise<void>;
}

async function embedUnderWatch(job: Job, store: PartStore, { unfinished, remember }: Around): Promise<EmbeddingModel> {
  const crashes = await watchCrashes(store.folder);
  let started: Run | undefined;
  try {
    return await embedInto(job, { known: store.known, crashes, unfinished }, async (run) => {
      started = run;
      await remember();
      await embedRest(job, run, store);
    });
  } finally {
    await started?.keeping.catch(() => undefined);
    await crashes.end();
  }
}

/** What no finished window holds. */
async function embedRest(job: Job, run: Run, store: PartStore): Promise<void> {
  const items = withoutFinished(itemsOf(job, run.model.tokenizer), store.journal.windows, {
    finished: (window, some) => {
      for (const item of some) if (!isBad(item)) store.known.find(item.contentHash);
      run.tally.resumedWindow(window, some);
    },
    diverged: (index) => onChangedInput(job, store, index),
  });
  await embedWindows(run, cutWindows(items, windowOptions(run)), await partWriter(store));
}

/** The windows that an earlier run finished went through no engine of this one: what the audit wants of them stands in their parts. */
async function auditAll(job: Job, store: PartStore, finished: number): Promise<AuditResult | undefined> {
  const { audit } = job;
  for (const { part } of store.journal.windows.slice(0, finished)) {
    if (audit === undefined || part === undefined || !audit.isWaiting) continue;
    const { rows, vectors } = await readPart(store, part);
    for (const [row, { contentHash }] of rows.entries()) audit.see(contentHash, () => rowOf(vectors, row));
  }
  return auditOf(job);
}

/** The windows before the change stand; of the others the vectors are taken where the text is the same. */
async function onChangedInput({ config }: Job, store: PartStore, index: number): Promise<void> {
  const { journal } = store;
  const what = `the input has changed since the unfinished run of ${config.output.path}, in window ${index + 1} of ${journal.windows.length}`;
  if (config.resume === 'require') throw refused(what);
  config.onWarning?.(`${what}: going on from there, with its vectors where the text is the same`);
  await journal.rollBack(index);
  await rememberLeftovers(store);
}

/** What the output depends on besides the input: what it says of its own making, and how rows are read. */
function factsOf({ input }: JobConfig, plan: JobPlan): JobFacts {
  const made = JSON.parse(plan.layout.metadata.get(PROVENANCE_KEY) ?? '{}') as Record<string, unknown>;
  const asked = {
    ...made,
    ids: input.idField,
    keep: input.keep?.map(({ name, type }) => (type === undefined ? name : `${name}:${type}`)).join(','),
    from: input.from,
    limit: input.limit,
    shard: input.shard,
    on_error: plan.onError,
  };
  const { maxLineBytes } = plan.read.limits;
  const facts = Object.entries({ ...asked, max_line_bytes: maxLineBytes }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(facts.map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]));
}
