// What a quantization says of itself: the manifest of the INT8 model, and the report for people.
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { machineFacts } from '../machine.js';
import { readManifest } from '../model/folder.js';
import type { Int8Section, Manifest, Quantization } from '../model/manifest.js';
import { INT8_NAME, MANIFEST_NAME } from '../model/names.js';
import { PROBE_TEXTS } from '../model/probe.js';
import { encodeProbe } from '../model/probe-vectors.js';
import { rowOf } from '../vectors/matrix.js';
import type { Attempt } from './attempts.js';
import { candidateFolder, withEmbedder } from './candidate.js';
import { madeFiles } from './install.js';
import { HEADROOM } from './options.js';
import type { QuantizedModel } from './path.js';
import type { QuantizeReport, SiteReport } from './report.js';
import type { QuantizeRun } from './settled.js';
import { measureSpeed } from './speed.js';

/** Writes the manifest of the finished model into the work folder, measures speed, and returns the report. */
export async function describeInt8(run: QuantizeRun, quantized: QuantizedModel, attempt: Attempt): Promise<QuantizeReport> {
  const { source, context } = run;
  const modelPath = join(context.work, INT8_NAME);
  const { manifest } = await readManifest(source.path);
  const files = await madeFiles(context.work);
  const quantization = quantizationOf(run, quantized, attempt, manifest);
  const int8: Int8Section = {
    model: INT8_NAME,
    ...quantized.ports,
    inputs: [...quantized.ports.inputs],
    opset: quantized.opset,
    quantization,
    probes: await probesOf(run, quantized),
  };
  const whole: Manifest = { ...manifest, files: { ...withoutInt8(manifest), ...files }, int8 };
  await writeFile(join(context.work, MANIFEST_NAME), `${JSON.stringify(whole, null, 2)}\n`);
  const speed = await run.stages.run('speed', () => {
    const ids = Int32Array.from(run.tokenizer.encode(PROBE_TEXTS.join(' '), context.maxTokens).ids);
    const full = { path: source.modelPath, output: source.manifest.architecture.output };
    return measureSpeed(full, { path: modelPath, output: quantized.ports.output }, ids, context.maxTokens);
  });
  return reportOf(run, quantized, attempt, {
    speed,
    int8Bytes: Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0),
    quantization,
  });
}

/** The folder's files but an earlier INT8 model's. */
function withoutInt8({ files }: Manifest): Manifest['files'] {
  return Object.fromEntries(Object.entries(files).filter(([name]) => !name.startsWith(INT8_NAME)));
}

async function probesOf({ source, context }: QuantizeRun, quantized: QuantizedModel): Promise<Int8Section['probes']> {
  const folder = candidateFolder(source, join(context.work, INT8_NAME), quantized.ports);
  // As long as the opened model reads them, whatever length was calibrated.
  return withEmbedder(folder, { threads: 1, maxTokens: source.manifest.max_tokens }, async (embed) => {
    const vectors = await embed(PROBE_TEXTS, 'none');
    return PROBE_TEXTS.map((text, row) => ({ text, vector: encodeProbe(rowOf(vectors, row)) }));
  });
}

function quantizationOf(
  { calibration, context, weights, source }: QuantizeRun,
  { method }: QuantizedModel,
  { figures, keptInFp32 }: Attempt,
  manifest: Manifest,
): Quantization {
  const { cosine, overlap, control, evaluated } = figures;
  return {
    recipe: {
      method,
      format: context.format,
      weights,
      headroom: HEADROOM,
      max_length: context.maxTokens,
      kept_fp32: [...keptInFp32],
    },
    source_sha256: manifest.files[source.manifest.model]?.sha256 ?? '',
    calibration: {
      digest: calibration.digest,
      // Where files lie on this machine is no property of the model.
      files: calibration.files.map(({ name, sha256, rows }) => ({ name: basename(name), sha256, rows })),
      observed_texts: calibration.observed.length,
      observed_tokens: calibration.observed.reduce((sum, { tokens }) => sum + tokens, 0),
      held_out_texts: calibration.heldOut.length,
    },
    gate: { cosine, overlap, ...(control === undefined ? {} : { control }), evaluated: evaluated.map((one) => ({ ...one })) },
  };
}

interface Facts {
  readonly speed: QuantizeReport['speed'];
  readonly int8Bytes: number;
  readonly quantization: Quantization;
}

function reportOf(run: QuantizeRun, quantized: QuantizedModel, attempt: Attempt, facts: Facts): QuantizeReport {
  const { calibration, context, source, stages } = run;
  const { method, fallback } = quantized;
  const made = facts.quantization.calibration;
  return {
    name: source.manifest.name,
    method,
    ...(fallback === undefined ? {} : { fallback }),
    weights: run.weights,
    format: context.format,
    calibration: {
      files: made.files,
      digest: made.digest,
      observedTexts: made.observed_texts,
      observedTokens: made.observed_tokens,
      heldOutTexts: made.held_out_texts,
      dropped: calibration.dropped,
    },
    sites: sitesOf(quantized, attempt),
    gate: {
      ...attempt.figures,
      thresholds: context.thresholds,
      passed: attempt.figures.failures.length === 0,
      keptInFp32: attempt.keptInFp32,
    },
    size: { fullBytes: fullBytesOf(source.manifest), int8Bytes: facts.int8Bytes },
    speed: facts.speed,
    seconds: stages.seconds,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    machine: machineFacts(),
  };
}

/** The model alone, its external data included, as the INT8 figure is. */
function fullBytesOf({ files, model }: Manifest): number {
  return Object.entries(files).reduce((sum, [name, { bytes }]) => sum + (name.startsWith(model) ? bytes : 0), 0);
}

function sitesOf(quantized: QuantizedModel, { keptInFp32 }: Attempt): SiteReport[] {
  return [...quantized.choices].map(([name, choice]) => ({
    name,
    precision: keptInFp32.includes(name) ? 'fp32' : 'int8',
    preScaling: choice.name,
    errorBefore: choice.errorBefore,
    errorAfter: choice.errorAfter,
    low: choice.range.low,
    high: choice.range.high,
    minima: [...choice.minima],
    maxima: [...choice.maxima],
  }));
}
