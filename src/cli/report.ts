// What a person or a log sees of a run, on stderr: a bar on a terminal, a line every 30 s elsewhere, JSON lines if asked.
import { SingleBar } from 'cli-progress';
import { count, countOf, duration, mebibytes, printable } from '../format.js';
import type { AuditResult, JobProgress, JobSummary } from '../job/config.js';
import type { Prediction } from '../job/predict.js';

export type LogFormat = 'text' | 'json';

export interface ReportOptions {
  readonly quiet: boolean;
  readonly format: LogFormat;
  readonly stream: NodeJS.WriteStream;
}

export interface Reporter {
  progress(progress: JobProgress): void;
  warning(message: string): void;
  notice(message: string): void;
  summary(summary: JobSummary): void;
  /** A prediction is the product of a dry run: it goes to `out`. */
  prediction(prediction: Prediction, out: NodeJS.WritableStream): void;
  close(): void;
}

const LINE_EVERY_MS = 30_000;
const BAR_EVERY_MS = 250;
const BAR = '{bar} {percentage}% | {rows} rows | {speed} tokens/s | {eta_text} | {memory}';

export function createReporter(options: ReportOptions): Reporter {
  const log = (event: string, text: string, fields: object): void => {
    if (options.quiet) return;
    const line = options.format === 'json' ? JSON.stringify({ event, ...fields }) : text;
    options.stream.write(`${line}\n`);
  };
  const progress = progressView(options, log);
  return {
    progress: progress.update,
    notice: (message) => log('notice', printable(message), { message }),
    warning: (message) => log('warning', `warning: ${printable(message)}`, { message }),
    summary: (summary) => {
      progress.stop();
      log('summary', summaryText(summary), summary);
    },
    prediction: (prediction, out) => {
      progress.stop();
      out.write(`${options.format === 'json' ? JSON.stringify({ event: 'prediction', ...prediction }) : predictionText(prediction)}\n`);
    },
    close: progress.stop,
  };
}

interface ProgressView {
  update(progress: JobProgress): void;
  stop(): void;
}

function progressView(options: ReportOptions, log: (event: string, text: string, fields: object) => void): ProgressView {
  if (options.quiet) return { update: () => undefined, stop: () => undefined };
  const started = performance.now();
  const showBar = options.stream.isTTY && options.format === 'text';
  return showBar ? barView(options, started) : lineView(log, started);
}

function lineView(log: (event: string, text: string, fields: object) => void, started: number): ProgressView {
  let last = started;
  return {
    update: (progress) => {
      const now = performance.now();
      if (now - last < LINE_EVERY_MS) return;
      last = now;
      const state = stateOf(progress, started);
      log('progress', `${state.rows} rows, ${state.speed} tokens/s, ${state.eta_text}, ${state.memory}`, { ...progress, ...state.numbers });
    },
    stop: () => undefined,
  };
}

function barView(options: ReportOptions, started: number): ProgressView {
  const bar = new SingleBar({ format: BAR, stream: options.stream, hideCursor: true, clearOnComplete: true, barsize: 24 });
  const nothing = { rows: 0, tokens: 0, rowsRead: 0, tokensRead: 0, bytesRead: 0, bytesTotal: 0 };
  bar.start(100, 0, stateOf(nothing, started));
  let last = 0;
  let running = true;
  return {
    update: (progress) => {
      const now = performance.now();
      if (!running || now - last < BAR_EVERY_MS) return;
      last = now;
      const state = stateOf(progress, started);
      bar.update(Math.floor((state.numbers.fraction ?? 0) * 100), state);
    },
    stop: () => {
      if (running) bar.stop();
      running = false;
    },
  };
}

interface ProgressState {
  readonly rows: string;
  readonly speed: string;
  readonly eta_text: string;
  readonly memory: string;
  readonly numbers: { tokensPerSecond: number; fraction: number | null; etaSeconds: number | null; memoryBytes: number };
}

/** How far a run is: the share of the bytes that were read, times the share of what was read that is computed. */
function stateOf(progress: JobProgress, started: number): ProgressState {
  const seconds = (performance.now() - started) / 1000;
  const read = progress.bytesTotal > 0 ? Math.min(1, progress.bytesRead / progress.bytesTotal) : null;
  const fraction = read === null || progress.tokensRead === 0 ? null : (read * progress.tokens) / progress.tokensRead;
  const etaSeconds = fraction === null || fraction === 0 ? null : (seconds * (1 - fraction)) / fraction;
  const tokensPerSecond = progress.tokens / Math.max(seconds, 1e-3);
  const memoryBytes = process.memoryUsage.rss();
  return {
    rows: count(progress.rows),
    speed: count(tokensPerSecond),
    eta_text: etaSeconds === null ? 'time left unknown' : `${duration(etaSeconds)} left`,
    memory: mebibytes(memoryBytes),
    numbers: { tokensPerSecond, fraction, etaSeconds, memoryBytes },
  };
}

function summaryText(s: JobSummary): string {
  const lost = `${s.lostTokensIsExact ? '' : 'at least '}${countOf(s.lostTokens, 'token')} lost`;
  const known = s.lostTokensIsExact || s.lostTokens > 0 ? ` (${lost})` : '';
  const notes = [
    s.truncatedTexts > 0 ? `${countOf(s.truncatedTexts, 'text')} truncated${known}` : 'no text was truncated',
    s.duplicateIds > 0 ? `${s.duplicateIdsIsExact ? '' : 'at least '}${countOf(s.duplicateIds, 'duplicate id')}` : 'no duplicate ids',
  ];
  const books = [
    s.resumed > 0 && `${count(s.resumed)} of the ${countOf(s.rowsIn, 'row')} read, done by the run before`,
    s.reused > 0 &&
      `${countOf(s.embedded, 'row')} embedded${s.resumed > 0 ? ', those included' : ''}; ${count(s.reused)} with a vector that was there`,
    s.removed > 0 && `${countOf(s.removed, 'vector')} of the earlier output not wanted any more: texts that changed or are gone`,
    s.quarantined > 0 && `${count(s.quarantined)} of ${countOf(s.rowsIn, 'row')} could not be embedded: see ${s.quarantine}`,
  ];
  return [
    `${s.output === '-' ? 'standard output' : s.output}: ${countOf(s.rows, 'row')}, ${mebibytes(s.outputBytes)}`,
    ...books.filter((line) => line !== false),
    `${countOf(s.tokens, 'token')} in ${duration(s.seconds)}: ${count(s.tokensPerSecond)} tokens/s on ${s.threads} threads, peak memory ${mebibytes(s.peakMemoryBytes)}`,
    notes.join('; '),
    ...(s.clampedValues > 0 ? [`${countOf(s.clampedValues, 'value')} outside the int8 range of the dimension, stored as its end`] : []),
    ...(s.audit === undefined ? [] : [auditLine(s.audit)]),
  ].join('\n');
}

function auditLine({ texts, mean, minimum, least }: AuditResult): string {
  if (mean === null || minimum === null) return 'audit: no text was compared';
  return `audit: ${countOf(texts, 'text')} in fp32: mean cosine ${mean.toFixed(5)}, least ${minimum.toFixed(5)} (id ${printable(least ?? '')})`;
}

function predictionText(p: Prediction): string {
  return [
    `rows          ${count(p.rows)}`,
    `bad rows      ${count(p.badRows)}${p.badRows > 0 ? ' (a run puts them aside)' : ''}`,
    ...p.badRowExamples.map((sentence) => `              ${printable(sentence)}`),
    `tokens        ${count(p.tokens)}`,
    `truncated     ${countOf(p.truncatedTexts, 'text')} (${countOf(p.lostTokens, 'token')} lost)`,
    `duplicates    ${countOf(p.duplicateIds, 'id')}, ${countOf(p.duplicateTexts, 'text')}`,
    `time          about ${duration(p.seconds)} (${count(p.tokensPerSecond)} tokens/s on a sample of ${countOf(p.sampledTokens, 'token')})`,
    `memory        about ${mebibytes(p.memoryBytes)}`,
    `output        about ${mebibytes(p.outputBytes)}`,
  ].join('\n');
}
