// The embed run: windows of records go through the engine and out as columns, one window read ahead of the engine.
import { OUTPUT_FORMATS } from '../columns/formats.js';
import type { ColumnsWriter } from '../columns/row.js';
import { type OutputSink, openFileSink, streamSink } from '../columns/sinks.js';
import { embedTokens } from '../embedder/embed.js';
import { type EmbeddingModel, startModel } from '../embedder/open.js';
import { EmbedkitError } from '../errors.js';
import { recordsOnly } from '../records/bad-rows.js';
import { readRecords } from '../records/read.js';
import { describePlace } from '../records/record.js';
import { encodeF16, roundToF16 } from '../vectors/f16.js';
import type { Matrix } from '../vectors/matrix.js';
import { firstBrokenRow } from '../vectors/normalise.js';
import { followAbort, untilAborted } from './abort.js';
import type { JobConfig, JobSummary } from './config.js';
import { type JobPlan, planJob } from './plan.js';
import { provenance } from './provenance.js';
import { Tally } from './tally.js';
import { verifyRows } from './verify.js';
import { cutWindows, type Window } from './windows.js';

interface Run {
  readonly config: JobConfig;
  readonly plan: JobPlan;
  readonly model: EmbeddingModel;
  readonly writer: ColumnsWriter;
  readonly tally: Tally;
  /** Ends the run: told by the caller, or by an engine that failed. */
  readonly stop: AbortController;
}

/**
 * Embeds the inputs into the output, which appears whole or not at all.
 * @returns the counts and times of the run
 * @throws EmbedkitError: `usage`, `input-not-found`, `input-unreadable`, `bad-row`, `text-too-long`, `engine-failed`,
 *   `vector-invalid`, `output-unwritable`, `closed-pipe`; or the reason of `config.signal`
 */
export async function runJob(config: JobConfig): Promise<JobSummary> {
  const started = performance.now();
  config.signal?.throwIfAborted();
  const plan = await planJob(config);
  const sink = await openSink(config);
  try {
    const tally = new Tally(plan, config, started);
    const model = await embedInto(sink, config, plan, tally);
    await verifyRows(sink, plan.format, tally.rows);
    await sink.commit();
    return tally.summary(model, sink.bytes, config.output.path);
  } catch (error) {
    // A pipe that brings nothing more would keep the process alive.
    for (const { source } of plan.inputs) source.stream?.destroy();
    await sink.abort();
    throw error;
  }
}

/** Everything up to the last byte; the engines are closed again when it returns. */
async function embedInto(sink: OutputSink, config: JobConfig, plan: JobPlan, tally: Tally): Promise<EmbeddingModel> {
  const model = startModel(plan.folder, { ...config.model, maxTokens: plan.maxTokens });
  const stop = followAbort(config.signal);
  try {
    model.pool.ready().then(
      () => tally.loaded(),
      (error) => stop.abort(error),
    );
    const writer = await OUTPUT_FORMATS[plan.format].create(sink, layoutOf(config, plan));
    await untilAborted(embedAll({ config, plan, model, writer, tally, stop }), stop.signal);
    return model;
  } finally {
    stop.abort();
    await model.close();
  }
}

async function openSink({ output }: JobConfig): Promise<OutputSink> {
  if (output.path !== '-') return openFileSink(output.path);
  if (output.stdout === undefined)
    throw new EmbedkitError('usage', 'standard output is not available here', { hint: 'name a file with -o' });
  return streamSink(output.stdout, 'standard output');
}

function layoutOf(config: JobConfig, plan: JobPlan): Parameters<(typeof OUTPUT_FORMATS)['parquet']['create']>[1] {
  return {
    keep: config.input.keep ?? [],
    dtype: config.output.dtype ?? 'float32',
    dim: plan.dims,
    encodeF16,
    metadata: provenance(config, plan),
  };
}

/** While one window is in the engine the next is read and tokenized, and the one before it is written. */
async function embedAll(run: Run): Promise<void> {
  const { plan, config, tally, model, stop } = run;
  const records = recordsOnly(readRecords(plan.inputs, plan.read, tally.reading));
  const windows = cutWindows(records, {
    tokenizer: model.tokenizer,
    maxTokens: plan.maxTokens,
    prompt: plan.prompt,
    fingerprint: model.fingerprint,
    onOverflow: config.model?.onOverflow ?? 'truncate',
    limits: plan.window,
    limit: plan.limit,
  });
  let pending: { window: Window; vectors: Promise<Matrix> } | undefined;
  for await (const window of windows) {
    stop.signal.throwIfAborted();
    tally.read(window);
    const vectors = embedWindow(run, window);
    // Now, not when the next window has been read: that may take for ever.
    vectors.catch((error: unknown) => stop.abort(error));
    if (pending !== undefined) await writeWindow(run, pending.window, await pending.vectors);
    pending = { window, vectors };
  }
  if (pending !== undefined) await writeWindow(run, pending.window, await pending.vectors);
  await run.writer.finish();
}

async function embedWindow({ plan, model, tally }: Run, window: Window): Promise<Matrix> {
  return embedTokens(window.tokens, model.pool, model.batches, {
    dims: plan.dims,
    normalize: plan.folder.manifest.normalize,
    onTokens: (tokens) => tally.computed(tokens),
  });
}

async function writeWindow({ config, writer, tally }: Run, window: Window, vectors: Matrix): Promise<void> {
  if (config.output.dtype === 'float16') narrow(window, vectors);
  await writer.append(window.rows, vectors);
  tally.wrote(window);
}

function narrow({ rows }: Window, vectors: Matrix): void {
  roundToF16(vectors.data);
  const broken = rows[firstBrokenRow(vectors)];
  if (broken === undefined) return;
  const found = `${describePlace(broken.place)}: the vector does not fit into float16`;
  throw new EmbedkitError('vector-invalid', found, { hint: 'use --dtype float32' });
}
