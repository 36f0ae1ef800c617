// `quantize`: a model and calibration text become an INT8 model, held against full precision before it is let out.
import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { positive } from '../embedder/open.js';
import { usableCpus } from '../engine/cpus.js';
import { EmbedkitError, systemCode, wrapError } from '../errors.js';
import { readLabelledSet } from '../evaluate/labelled-set.js';
import type { ModelFolder } from '../model/folder.js';
import { INT8_NAME } from '../model/names.js';
import { maxTokensFor } from '../model/settings.js';
import { createTokenizer, type TextTokenizer } from '../tokens/tokenizer.js';
import { type Attempt, type AttemptContext, attemptUntilPassed, referenceOf } from './attempts.js';
import { type Calibration, type CalibrationText, readCalibration } from './calibration.js';
import { calibrationBatches } from './calibration-batches.js';
import { describeInt8 } from './describe.js';
import { findPath } from './find-path.js';
import { DEFAULT_THRESHOLDS } from './gate.js';
import { checkTarget, install, removeStale, workFolder } from './install.js';
import { openMatMul } from './matmul.js';
import { observe, writeTapped } from './observe.js';
import {
  CONTROL_SAMPLES,
  DEFAULT_SAMPLES,
  HEADROOM,
  HELD_OUT_SHARE,
  JUDGED_ROWS,
  MOST_FP32_SITES,
  type QuantizeOptions,
  SAMPLE_ROWS,
} from './options.js';
import type { QuantizedModel } from './path.js';
import { releaseUnused } from './release.js';
import type { QuantizeReport } from './report.js';
import { proveSaturation } from './saturation.js';
import type { QuantizeRun } from './settled.js';
import { openSource } from './source.js';
import { Stages } from './stages.js';
import { supplemented } from './supplement.js';

export interface QuantizeOutcome {
  /** The folder that was written, or would have been. */
  readonly folder: string;
  readonly installed: boolean;
  readonly report: QuantizeReport;
}

/**
 * Quantizes a model. When the gate says no, nothing is installed and the report says why.
 * @throws EmbedkitError `usage`, `input-not-found`, `bad-row`, `model-invalid`, `model-unsupported`, `engine-failed`,
 *   `output-unwritable`, or the reason of `options.signal`
 */
export async function quantizeModel(options: QuantizeOptions): Promise<QuantizeOutcome> {
  const place = options.out ?? 'quantize';
  const work = workFolder(place);
  try {
    await removeStale(place);
    await mkdir(work, { recursive: true });
    const source = await openSource(options.model, options.pooling, work);
    const out = options.out ?? `./${basename(source.manifest.name)}-int8`;
    const read = [options.model ?? '', ...options.calibration.paths, ...(options.evaluate ?? [])].filter(
      (path) => path !== '' && path !== '-',
    );
    const target = await checkTarget(out, { source: source.path, read, overwrite: options.overwrite ?? false });
    const run = await prepare(options, source, work);
    const { quantized, attempt } = await compute(run);
    // Speed is measured with both models in engines.
    releaseUnused();
    const report = await describeInt8(run, quantized, attempt);
    if (report.gate.passed) await install(work, target, source);
    return { folder: out, installed: report.gate.passed, report };
  } catch (error) {
    throw named(error, options.out ?? 'the output folder');
  } finally {
    await rm(work, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** What is thrown and not an error of ours comes from the file system or from the runtime; a mistake in the code stays what it is. */
function named(error: unknown, out: string): unknown {
  if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError) return error;
  if (systemCode(error) !== undefined)
    return wrapError(error, 'output-unwritable', `${out}: cannot be written`, 'check space and permissions');
  return wrapError(error, 'engine-failed', 'the runtime failed on this model', 'try a model exported anew, or report it');
}

/** Reads all that is read but for the graph: calibration text and labelled sets. */
async function prepare(options: QuantizeOptions, source: ModelFolder, work: string): Promise<QuantizeRun> {
  const stages = new Stages(options.signal, options.onProgress);
  const tokenizer = createTokenizer(source.tokenizer);
  const maxTokens = maxTokensFor(source.manifest, options.maxLength, '--max-length');
  const samples = options.samples ?? DEFAULT_SAMPLES;
  const own = await stages.run('read', () =>
    readCalibration({ ...options.calibration, samples, heldOutShare: HELD_OUT_SHARE }, tokenizer, maxTokens),
  );
  if (own.heldOut.length === 0) throw tooFew(own.observed.length);
  const control = options.control === undefined ? [] : await readControl(options.control, tokenizer, maxTokens);
  const calibration = await fillUp(own, options, control, { tokenizer, maxTokens });
  const sets = await Promise.all((options.evaluate ?? []).map((path) => readLabelledSet(path)));
  const context: AttemptContext = {
    source,
    work,
    maxTokens,
    // Checked before the first long step, not by the engines after it.
    threads: positive('--threads', options.threads ?? usableCpus()),
    heldOut: calibration.heldOut,
    control,
    sets,
    format: options.format ?? 'fused',
    thresholds: { ...DEFAULT_THRESHOLDS, ...options.thresholds },
  };
  return { stages, source, calibration, tokenizer, context, weights: options.weights ?? 'safe' };
}

/** A small corpus does not show what a channel can reach: other text widens the ranges, and costs its own nothing. */
async function fillUp(
  own: Calibration,
  { supplement, samples = DEFAULT_SAMPLES }: QuantizeOptions,
  control: readonly CalibrationText[],
  { tokenizer, maxTokens }: { tokenizer: TextTokenizer; maxTokens: number },
): Promise<Calibration> {
  if (supplement === undefined) return own;
  const texts = Math.floor(samples * (1 - HELD_OUT_SHARE));
  return supplemented(own, { path: supplement, texts, apart: control }, tokenizer, maxTokens);
}

async function readControl(path: string, tokenizer: TextTokenizer, maxTokens: number): Promise<readonly CalibrationText[]> {
  const { observed } = await readCalibration({ paths: [path], samples: CONTROL_SAMPLES, heldOutShare: 0 }, tokenizer, maxTokens);
  return observed;
}

function tooFew(texts: number): EmbedkitError {
  const found = `${texts} calibration texts: too few to hold any out for the gate`;
  return new EmbedkitError('usage', found, { hint: 'give at least 5, better some hundreds; --calib takes several files' });
}

async function compute(run: QuantizeRun): Promise<{ quantized: QuantizedModel; attempt: Attempt }> {
  const { stages, context } = run;
  // First: full precision in the engines, and all weights once more in the hands of the passes, would be twice the memory.
  const reference = await stages.run('evaluate', (tell) => referenceOf(context, tell));
  const quantized = await passes(run);
  releaseUnused();
  const attempt = await stages.run('gate', (tell) => attemptUntilPassed(quantized, reference, context, tell));
  if (run.weights === 'safe') await checkSafe(join(context.work, INT8_NAME));
  return { quantized, attempt };
}

/** The sites of a layer: what it was comes to 50 MB in a large model. */
const SITES_BETWEEN_RELEASES = 4;

/** Finds the path, observes, then scales and quantizes. */
async function passes({ stages, source, calibration, tokenizer, context, weights }: QuantizeRun): Promise<QuantizedModel> {
  const { path, tapped } = await stages.run('recognise', async () => {
    const found = await findPath(source, { ...context, tokenizer });
    return { path: found, tapped: await writeTapped(await found.tapped(), context.work) };
  });
  releaseUnused();
  const texts = calibration.observed.map(({ text }) => text);
  const batches = calibrationBatches(texts, tokenizer, context.maxTokens);
  const tokens = batches.reduce((sum, { ids }) => sum + ids.length, 0);
  const observations = await stages.run('observe', (tell) => {
    let seen = 0;
    const onBatch = (count: number): void => {
      seen += count;
      tell(seen / tokens);
    };
    return observe(tapped, batches, { threads: context.threads, work: context.work, sampleRows: SAMPLE_ROWS, onBatch });
  });
  const { matmul, close } = await openMatMul(context.threads);
  try {
    const options = { weights, headroom: HEADROOM, rows: JUDGED_ROWS, preScale: true, keepable: MOST_FP32_SITES };
    return await stages.run('scale', (tell) => {
      const onSite = (done: number, total: number): void => {
        tell(done / total);
        if (done % SITES_BETWEEN_RELEASES === 0) releaseUnused();
      };
      return path.quantize(observations, matmul, { ...options, onSite });
    });
  } finally {
    await close();
  }
}

/** What `safe` promises is proven on the file that will be installed. */
async function checkSafe(path: string): Promise<void> {
  const { unsafe } = await proveSaturation(path);
  if (unsafe.length === 0) return;
  throw new EmbedkitError('internal', `${unsafe.length} weight matrices could saturate 16 bits`, { hint: 'please report this model' });
}
