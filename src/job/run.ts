// The embed run: windows of the input go through the engine into parts beside the output, and the parts become the output.
// A stream takes its windows as they come: there nothing can be resumed.
import { dirname, join } from 'node:path';
import { type Disk, realDisk } from '../columns/disk.js';
import { OUTPUT_FORMATS } from '../columns/formats.js';
import { type OutputSink, openFileSink, streamSink } from '../columns/sinks.js';
import { type EmbeddingModel, startModel } from '../embedder/open.js';
import { EmbedkitError } from '../errors.js';
import { fingerprint } from '../model/settings.js';
import { recordsOnly } from '../records/bad-rows.js';
import { readRecords } from '../records/read.js';
import { followAbort, untilAborted } from './abort.js';
import { assemble, removeJob } from './assemble.js';
import type { JobConfig, JobSummary } from './config.js';
import { embedWindows, type Run } from './embed-windows.js';
import { identify, type RunItem } from './items.js';
import type { JobFacts } from './journal.js';
import { takeLock } from './lock.js';
import { jobFolder, type PartStore, partWriter, rememberLeftovers } from './parts.js';
import { type JobPlan, planJob } from './plan.js';
import { PROVENANCE_KEY } from './provenance.js';
import { quarantinePath } from './quarantine.js';
import { withoutFinished } from './replay.js';
import { refused, resumeJournal } from './resume.js';
import type { WindowStore } from './store.js';
import { Tally } from './tally.js';
import { VectorIndex } from './vector-index.js';
import { cutWindows } from './windows.js';

/** What a run is made of, for tests that put something else in its place. */
export interface JobParts {
  readonly disk: Disk;
  readonly startModel: typeof startModel;
}

const PARTS: JobParts = { disk: realDisk, startModel };

/**
 * Embeds the inputs into the output, which appears whole or not at all. A run that ends early keeps its finished windows beside
 * the output, and the next one goes on from there to the same bytes.
 * @returns the counts and times of the run
 * @throws EmbedkitError: `usage`, `input-not-found`, `input-unreadable`, `bad-row`, `text-too-long`, `engine-failed`,
 *   `vector-invalid`, `too-many-errors`, `locked`, `output-unwritable`, `closed-pipe`; or the reason of `config.signal`
 */
export async function runJob(config: JobConfig, parts: Partial<JobParts> = {}): Promise<JobSummary> {
  const started = performance.now();
  config.signal?.throwIfAborted();
  const plan = await planJob(config);
  const tally = new Tally(plan, config, started);
  const job: Job = { config, plan, tally, parts: { ...PARTS, ...parts } };
  try {
    return await (plan.output === undefined ? runIntoStream(job) : runIntoFile(job, plan.output));
  } catch (error) {
    // A pipe that brings nothing more would keep the process alive.
    for (const { source } of plan.inputs) source.stream?.destroy();
    throw error;
  }
}

interface Job {
  readonly config: JobConfig;
  readonly plan: JobPlan;
  readonly tally: Tally;
  readonly parts: JobParts;
}

async function runIntoStream(job: Job): Promise<JobSummary> {
  const { config, plan, tally } = job;
  const sink = await openStream(config);
  try {
    const writer = await OUTPUT_FORMATS[plan.format].create(sink, plan.layout);
    const known = new VectorIndex(plan.dims);
    const model = await embedInto(job, known, async (run) => {
      const store: WindowStore = { keep: ({ rows, vectors }) => writer.append(rows, vectors) };
      await embedWindows(run, cutWindows(itemsOf(job), windowOptions(run)), store);
      await writer.finish();
    });
    await sink.commit();
    return tally.summary(model, { bytes: sink.bytes, name: config.output.path, quarantine: undefined });
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

async function openStream({ output }: JobConfig): Promise<OutputSink> {
  if (output.path !== '-') return openFileSink(output.path);
  if (output.stdout === undefined)
    throw new EmbedkitError('usage', 'standard output is not available here', { hint: 'name a file with -o' });
  return streamSink(output.stdout, 'standard output');
}

async function runIntoFile(job: Job, output: string): Promise<JobSummary> {
  const { config } = job;
  const lost = new AbortController();
  const lock = await takeLock(lockPath(output), config.output.path, (error) => lost.abort(error));
  try {
    const signal = config.signal === undefined ? lost.signal : AbortSignal.any([config.signal, lost.signal]);
    return await runLocked({ ...job, config: { ...config, signal } }, output);
  } finally {
    await lock.release();
  }
}

function lockPath(output: string): string {
  return join(dirname(output), `.embedkit-${output.slice(dirname(output).length).replace(/^\/+/, '')}.lock`);
}

async function runLocked(job: Job, output: string): Promise<JobSummary> {
  const { config, plan, tally, parts } = job;
  const folder = jobFolder(output);
  const { disk } = parts;
  const resume = {
    disk,
    folder,
    output: config.output.path,
    resume: config.resume ?? 'auto',
    onWarning: config.onWarning ?? (() => undefined),
  };
  const journal = await resumeJournal(factsOf(config, plan), resume);
  const known = new VectorIndex(plan.dims);
  const store: PartStore = { disk, folder, keep: plan.layout.keep, journal, known };
  try {
    await rememberLeftovers(store);
    const model = await embedInto(job, known, (run) => embedRest(job, run, store));
    known.close();
    tally.checkAnyRow();
    const bytes = await assemble(store, plan, output, config.signal);
    await removeJob(disk, folder);
    return tally.summary(model, { bytes, name: config.output.path, quarantine: quarantinePath(config.output.path) });
  } catch (error) {
    known.close();
    if (journal.windows.length === 0 && known.size === 0) await removeJob(disk, folder);
    throw error;
  }
}

/** Everything up to the last vector; the engines are closed again when it returns. */
async function embedInto(job: Job, known: VectorIndex, embed: (run: Run) => Promise<void>): Promise<EmbeddingModel> {
  const { config, plan, tally, parts } = job;
  const model = parts.startModel(plan.folder, { ...config.model, maxTokens: plan.maxTokens });
  const stop = followAbort(config.signal);
  try {
    model.pool.ready().then(
      () => tally.loaded(),
      (error) => stop.abort(error),
    );
    await untilAborted(embed({ plan, model, tally, known, stop }), stop.signal);
    return model;
  } finally {
    stop.abort();
    await model.close();
  }
}

/** What no finished window holds. */
async function embedRest(job: Job, run: Run, store: PartStore): Promise<void> {
  const items = withoutFinished(itemsOf(job), store.journal.windows, {
    finished: (window, some) => run.tally.resumedWindow(window, some),
    diverged: (index) => onChangedInput(job, store, index),
  });
  await embedWindows(run, cutWindows(items, windowOptions(run)), await partWriter(store));
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

function itemsOf({ plan, tally }: Job): AsyncGenerator<RunItem[]> {
  const read = readRecords(plan.inputs, plan.read, tally.reading);
  const { prompt, limit, folder, maxTokens } = plan;
  const options = { prompt, limit, fingerprint: fingerprint(folder.manifest, maxTokens) };
  return identify(plan.onError === 'fail' ? recordsOnly(read) : read, options);
}

function windowOptions({ plan, model, known }: Run): Parameters<typeof cutWindows>[1] {
  return {
    tokenizer: model.tokenizer,
    maxTokens: plan.maxTokens,
    onOverflow: plan.onOverflow,
    limits: plan.window,
    known: (contentHash) => known.find(contentHash),
  };
}

/** What the output depends on besides the input: what it says of its own making, and how rows are read. */
function factsOf({ input }: JobConfig, plan: JobPlan): JobFacts {
  const made = JSON.parse(plan.layout.metadata.get(PROVENANCE_KEY) ?? '{}') as Record<string, unknown>;
  const asked = { ...made, ids: input.idField, keep: input.keep, from: input.from, limit: input.limit, on_error: plan.onError };
  const { maxLineBytes } = plan.read.limits;
  const facts = Object.entries({ ...asked, max_line_bytes: maxLineBytes }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(facts.map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]));
}
