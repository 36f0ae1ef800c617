// `embedkit quantize`: reads the arguments, quantizes or verifies, reports.
import { stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EmbedkitError, wrapError } from '../errors.js';
import { count, printable } from '../format.js';
import type { QuantizeOptions } from '../quantize/options.js';
import { ON_CONTROL, type QuantizeReport } from '../quantize/report.js';
import type { QuantizeOutcome } from '../quantize/run.js';
import type { FormatName } from '../records/formats.js';
import { stageView } from './quantize-progress.js';
import type { LogFormat } from './report.js';
import { abortOnSignals } from './signals.js';

/** The options as commander names them, after QUANTIZE_FLAGS. */
export interface QuantizeArguments {
  readonly calib?: string[];
  readonly output?: string;
  readonly samples?: number;
  readonly maxLength?: number;
  readonly weights?: QuantizeOptions['weights'];
  readonly format?: QuantizeOptions['format'];
  readonly eval?: string[];
  readonly control?: string;
  readonly gate?: QuantizeOptions['thresholds'];
  readonly report?: string;
  readonly verifySaturation?: boolean;
  readonly pooling?: QuantizeOptions['pooling'];
  readonly from?: FormatName;
  readonly textField?: string;
  readonly idField?: string;
  readonly template?: string;
  readonly threads?: number;
  readonly overwrite?: boolean;
  readonly quiet?: boolean;
  readonly logFormat?: LogFormat;
}

/** Calibration text of this package. */
const DEFAULT_CALIBRATION = fileURLToPath(new URL('../../calibration/default.txt', import.meta.url));

/** Runs `quantize`; throws EmbedkitError. */
export async function quantize(model: string | undefined, given: QuantizeArguments): Promise<void> {
  if (given.verifySaturation) return verify(model, given);
  await checkReport(given.report);
  const signals = abortOnSignals();
  const view = stageView({ quiet: given.quiet ?? false, format: given.logFormat ?? 'text', stream: process.stderr });
  try {
    const { quantizeModel } = await import('../quantize/run.js');
    const outcome = await quantizeModel({ ...optionsOf(model, given), signal: signals.signal, onProgress: view.progress });
    view.close();
    const page = await writeReport(outcome, given.report);
    await tell(outcome, page, given);
    if (!outcome.installed) throw refused(outcome.report, page);
  } finally {
    view.close();
    signals.release();
  }
}

function optionsOf(model: string | undefined, given: QuantizeArguments): QuantizeOptions {
  return {
    model,
    pooling: given.pooling,
    calibration: {
      paths: given.calib ?? [DEFAULT_CALIBRATION],
      from: given.from,
      stdin: process.stdin,
      textField: given.textField,
      idField: given.idField,
      template: given.template,
    },
    control: controlOf(given),
    supplement: given.calib !== undefined && given.control === undefined ? DEFAULT_CALIBRATION : undefined,
    out: given.output,
    overwrite: given.overwrite,
    samples: given.samples,
    maxLength: given.maxLength,
    weights: given.weights,
    format: given.format,
    evaluate: given.eval,
    thresholds: given.gate,
    threads: given.threads,
  };
}

/** Our own text, unless it calibrates already or another is named. */
function controlOf({ calib, control }: QuantizeArguments): string | undefined {
  if (control !== undefined) return control === 'none' ? undefined : control;
  return calib === undefined ? undefined : DEFAULT_CALIBRATION;
}

/** Minutes of work should not end at a folder that is not there. */
async function checkReport(asked: string | undefined): Promise<void> {
  if (asked === undefined || (await stat(dirname(resolve(asked))).catch(() => undefined))?.isDirectory()) return;
  throw new EmbedkitError('usage', `--report ${asked}: there is no folder ${dirname(asked)}`, { hint: 'make it first' });
}

/** The page and its data, passed or not. Returns the page's path. */
async function writeReport({ report, folder }: QuantizeOutcome, asked: string | undefined): Promise<string> {
  const page = asked ?? `${folder.replace(/\/+$/, '')}.report.html`;
  const { reportHtml } = await import('../quantize/report-html.js');
  try {
    await writeFile(page.replace(/(\.html?)?$/, '.json'), `${JSON.stringify(report, null, 2)}\n`);
    await writeFile(page, await reportHtml(report));
  } catch (error) {
    throw wrapError(error, 'output-unwritable', `${page}: the report cannot be written`, 'name another place with --report');
  }
  return page;
}

async function tell({ report, folder, installed }: QuantizeOutcome, page: string, given: QuantizeArguments): Promise<void> {
  if (given.quiet) return;
  const command = `embedkit embed corpus.jsonl -o vectors.parquet --model ${shellWord(/[\\/]/.test(folder) ? folder : `./${folder}`)}`;
  if (given.logFormat === 'json') {
    process.stderr.write(`${JSON.stringify({ event: 'quantized', installed, folder, page, report })}\n`);
    return;
  }
  const { quantizeTable } = await import('./quantize-table.js');
  const lines = [quantizeTable(report), `report: ${page}`, ...(installed ? [command] : [])];
  process.stderr.write(`${lines.map((line) => line.split('\n').map(printable).join('\n')).join('\n')}\n`);
}

/** As one types it into a shell. */
function shellWord(text: string): string {
  return /^[\w./:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function refused({ gate }: QuantizeReport, page: string): EmbedkitError {
  const isControl = gate.failures.every((failure) => failure.startsWith(ON_CONTROL));
  const remedy = isControl
    ? 'take more --samples, or --control none where all your texts are of another kind'
    : 'calibrate on text like yours';
  const hint = `see ${page}; ${remedy}, or move the thresholds with --gate`;
  return new EmbedkitError('gate-failed', `the gate said no, nothing was installed: ${gate.failures.join('; ')}`, { hint });
}

/** `--verify-saturation`: exit 0 and one line, or exit 5. */
async function verify(model: string | undefined, given: QuantizeArguments): Promise<void> {
  const path = await int8File(model);
  const { proveSaturation } = await import('../quantize/saturation.js');
  const proof = await proveSaturation(path);
  const facts = `${path}: ${count(proof.matrices)} int8 matrices, ${count(proof.pairs)} adjacent pairs, largest same-sign sum ${proof.largestSum}`;
  const unsafe = proof.unsafe.reduce((sum, { pairs }) => sum + pairs, 0);
  if (unsafe === 0) {
    const line =
      given.logFormat === 'json'
        ? JSON.stringify({ event: 'proven', path, ...proof })
        : `${printable(facts)} of 128: no 16-bit sum can saturate`;
    if (!given.quiet) process.stderr.write(`${line}\n`);
    return;
  }
  const hint = 'quantize again with --weights safe, or run it only on CPUs with VNNI';
  throw new EmbedkitError('gate-failed', `${facts}: ${count(unsafe)} pairs can saturate 16-bit sums`, { hint });
}

/** The INT8 file of a model folder, or the file that was named. */
async function int8File(model: string | undefined): Promise<string> {
  if (model !== undefined && (await stat(model).catch(() => undefined))?.isFile()) return model;
  const { readManifest } = await import('../model/folder.js');
  const { DEFAULT_MODEL } = await import('../model/names.js');
  const { path, manifest } = await readManifest(model ?? DEFAULT_MODEL);
  if (manifest.int8 !== undefined) return join(path, manifest.int8.model);
  throw new EmbedkitError('usage', `${path} has no INT8 model`, { hint: 'make one with embedkit quantize, or name an ONNX file' });
}
