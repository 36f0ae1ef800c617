// `embedkit embed`: reads the arguments, runs the job, reports.
import type { OutputFormatName } from '../columns/formats.js';
import type { KeepColumn, VectorDtype } from '../columns/row.js';
import { EmbedkitError, EXIT } from '../errors.js';
import type { JobConfig, MaxErrors, OnError, OnOverflow, Resume } from '../job/config.js';
import type { Shard } from '../job/items.js';
import type { Precision } from '../model/names.js';
import type { FormatName } from '../records/formats.js';
import { createReporter, type LogFormat } from './report.js';
import { exitCodeOf, watchRun } from './run-files.js';
import { abortOnSignals } from './signals.js';

/** The options as commander names them, after EMBED_FLAGS. */
export interface EmbedArguments {
  readonly output?: string;
  readonly overwrite?: boolean;
  readonly from?: FormatName;
  readonly to?: OutputFormatName;
  readonly textField?: string;
  readonly template?: string;
  readonly idField?: string;
  readonly keep?: KeepColumn[];
  readonly limit?: number;
  readonly shard?: Shard;
  readonly model?: string;
  readonly precision?: Precision;
  readonly prompt?: string;
  readonly maxTokens?: number;
  readonly onOverflow?: OnOverflow;
  readonly chunkTokens?: number;
  readonly chunkOverlap?: number;
  readonly onError?: OnError;
  readonly quarantine?: string;
  readonly maxErrors?: MaxErrors;
  readonly maxMemory?: number;
  readonly resume?: Resume;
  readonly dtype?: VectorDtype;
  readonly dims?: number;
  readonly threads?: number;
  readonly threadsPerWorker?: number;
  readonly batchTokens?: number;
  readonly batchSize?: number;
  readonly windowRows?: number;
  readonly windowBytes?: number;
  readonly windowTokens?: number;
  readonly maxLineBytes?: number;
  readonly reuse?: string[];
  readonly metricsFile?: string;
  readonly summary?: string;
  readonly audit?: number;
  readonly dryRun?: boolean;
  readonly quiet?: boolean;
  readonly logFormat?: LogFormat;
}

/** Runs `embed`; returns the exit code, throws EmbedkitError. */
export async function embed(paths: readonly string[], given: EmbedArguments): Promise<number> {
  const reporter = createReporter({ quiet: given.quiet ?? false, format: given.logFormat ?? 'text', stream: process.stderr });
  const signals = abortOnSignals();
  try {
    const config: JobConfig = {
      ...configOf(paths, given),
      signal: signals.signal,
      onProgress: (progress) => reporter.progress(progress),
      onWarning: (message) => reporter.warning(message),
      onNotice: (message) => reporter.notice(message),
    };
    if (given.dryRun) {
      const { predictJob } = await import('../job/predict.js');
      reporter.prediction(await predictJob(config), process.stdout);
      return EXIT.ok;
    }
    const summary = await watchRun(config, given, async (watched) => (await import('../job/run.js')).runJob(watched));
    reporter.summary(summary);
    return exitCodeOf(summary);
  } finally {
    reporter.close();
    signals.release();
  }
}

function configOf(paths: readonly string[], given: EmbedArguments): JobConfig {
  const output = given.output ?? (given.dryRun ? 'dry-run.parquet' : undefined);
  if (output === undefined) throw new EmbedkitError('usage', 'no output named', { hint: 'say -o out.parquet' });
  return {
    input: {
      paths,
      from: given.from,
      stdin: process.stdin,
      textField: given.textField,
      template: given.template,
      idField: given.idField,
      keep: given.keep,
      limit: given.limit,
      shard: given.shard,
      maxLineBytes: given.maxLineBytes,
    },
    output: { path: output, to: given.to, stdout: process.stdout, dtype: given.dtype, dims: given.dims, overwrite: given.overwrite },
    model: {
      model: given.model,
      precision: given.precision,
      prompt: given.prompt,
      maxTokens: given.maxTokens,
      onOverflow: given.onOverflow,
      chunkTokens: given.chunkTokens,
      chunkOverlap: given.chunkOverlap,
      threads: given.threads,
      threadsPerWorker: given.threadsPerWorker,
      batchTokens: given.batchTokens,
      batchSize: given.batchSize,
    },
    onError: given.onError,
    quarantine: given.quarantine,
    maxErrors: given.maxErrors,
    maxMemory: given.maxMemory,
    resume: given.resume,
    reuse: given.reuse,
    audit: given.audit,
    window: defined({ rows: given.windowRows, bytes: given.windowBytes, tokens: given.windowTokens }),
  };
}

function defined(limits: Record<string, number | undefined>): Record<string, number> {
  return Object.fromEntries(Object.entries(limits).filter((entry): entry is [string, number] => entry[1] !== undefined));
}
