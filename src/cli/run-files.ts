// What a run tells scripts and monitoring, in files: metrics after each window, a summary or the error at the end.
import { rename, writeFile } from 'node:fs/promises';
import { unwritable } from '../columns/sinks.js';
import { EmbedkitError, EXIT, messageOf } from '../errors.js';
import type { JobBooks, JobConfig, JobSummary } from '../job/config.js';
import { type MetricsFile, openMetricsFile } from './metrics-file.js';

export interface RunFiles {
  readonly metricsFile?: string;
  readonly summary?: string;
}

export function exitCodeOf({ quarantined }: JobSummary): number {
  return quarantined > 0 ? EXIT.quarantined : EXIT.ok;
}

/** Runs a job and keeps the files that were asked for up to date. Throws what the job throws. */
export async function watchRun(config: JobConfig, files: RunFiles, run: (config: JobConfig) => Promise<JobSummary>): Promise<JobSummary> {
  let books: JobBooks = { rowsIn: 0, embedded: 0, reused: 0, quarantined: 0, tokens: 0, seconds: 0 };
  const metrics = files.metricsFile === undefined ? undefined : await openMetricsFile(files.metricsFile, config.output.path);
  // A place that cannot be written is said now, not after the first window.
  await metrics?.check();
  const onWindow = async (now: JobBooks): Promise<void> => {
    books = now;
    await updateOrWarn(metrics, config, books);
  };
  try {
    const summary = await run({ ...config, onWindow });
    await updateOrWarn(metrics, config, summary, { exitCode: exitCodeOf(summary), succeeded: true });
    await writeSummary(files.summary, { status: 'done', exit_code: exitCodeOf(summary), ...summary });
    return summary;
  } catch (error) {
    const known = error instanceof EmbedkitError ? error : undefined;
    // The run that holds the lock writes them.
    if (known?.code === 'locked') throw error;
    const exitCode = known?.exitCode ?? EXIT.failed;
    await updateOrWarn(metrics, config, books, { exitCode, succeeded: false });
    const failure = { code: known?.code ?? 'internal', message: known?.message ?? messageOf(error), hint: known?.hint };
    await writeSummary(files.summary, { status: 'failed', exit_code: exitCode, ...failure }).catch(() => undefined);
    throw error;
  }
}

/** A night's vectors are not given up because monitoring could not be told. */
async function updateOrWarn(
  metrics: MetricsFile | undefined,
  config: JobConfig,
  books: Parameters<MetricsFile['update']>[0],
  end?: Parameters<MetricsFile['update']>[1],
) {
  await metrics?.update(books, end).catch((error: unknown) => config.onWarning?.(messageOf(error)));
}

async function writeSummary(path: string | undefined, content: object): Promise<void> {
  if (path === undefined) return;
  try {
    await writeFile(`${path}.tmp`, `${JSON.stringify(content, null, 2)}\n`);
    await rename(`${path}.tmp`, path);
  } catch (error) {
    throw unwritable(path, error);
  }
}
