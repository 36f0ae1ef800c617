// `--metrics-file`: how a run stands, as Prometheus text for the node exporter's textfile collector, replaced in one step.
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { Gauge, Registry } from 'prom-client';
import { unwritable } from '../columns/sinks.js';
import type { AuditResult, JobBooks } from '../job/config.js';

const OUTCOMES = ['embedded', 'reused', 'quarantined'] as const;
const LAST_SUCCESS = 'embedkit_last_success_timestamp_seconds';

export interface MetricsFile {
  /** Whether its place can be written, without touching what stands there: that may be the file of a run that works. Throws `output-unwritable`. */
  check(): Promise<void>;
  /** Throws `output-unwritable`. */
  update(books: AuditedBooks, end?: { readonly exitCode: number; readonly succeeded: boolean }): Promise<void>;
}

/** The time of the last success is taken over from the file that stands there, for as long as no run succeeds. */
export async function openMetricsFile(path: string, output: string): Promise<MetricsFile> {
  let lastSuccess = lastSuccessIn(await readFile(path, 'utf8').catch(() => ''));
  return {
    check: async () => {
      const probe = `${path}.check-${process.pid}`;
      try {
        await writeFile(probe, '');
        await rm(probe);
      } catch (error) {
        throw unwritable(path, error);
      }
    },
    update: async (books, end) => {
      if (end?.succeeded) lastSuccess = Date.now() / 1000;
      const text = await metricsText(books, { output, exitCode: end?.exitCode, lastSuccess });
      try {
        await writeFile(`${path}.tmp`, text);
        await rename(`${path}.tmp`, path);
      } catch (error) {
        throw unwritable(path, error);
      }
    },
  };
}

/** The audit is known when a run ends. */
type AuditedBooks = JobBooks & { readonly audit?: AuditResult | undefined };

interface Ends {
  readonly output: string;
  readonly exitCode: number | undefined;
  readonly lastSuccess: number | undefined;
}

/** A run in progress has no exit code; an output that was never finished has no last success. */
export async function metricsText(books: AuditedBooks, { output, exitCode, lastSuccess }: Ends): Promise<string> {
  const registry = new Registry();
  const gauge = (name: string, help: string, labels: string[] = []): Gauge =>
    new Gauge({ name, help, labelNames: ['output', ...labels], registers: [registry] });
  const rows = gauge('embedkit_run_rows', 'Rows of the last run by what became of them.', ['outcome']);
  for (const outcome of OUTCOMES) rows.set({ output, outcome }, books[outcome]);
  gauge('embedkit_run_tokens', 'Tokens that the last run sent through the model.').set({ output }, books.tokens);
  gauge('embedkit_run_seconds', 'Seconds since the last run began, or that it took.').set({ output }, books.seconds);
  if (books.audit !== undefined) {
    const { texts, mean, minimum } = books.audit;
    gauge('embedkit_run_audit_texts', 'Texts of the last run that were embedded again in full precision.').set({ output }, texts);
    const cosine = gauge('embedkit_run_audit_cosine', 'Cosine of their INT8 vectors to full precision.', ['stat']);
    if (mean !== null) cosine.set({ output, stat: 'mean' }, mean);
    if (minimum !== null) cosine.set({ output, stat: 'minimum' }, minimum);
  }
  if (exitCode !== undefined) gauge('embedkit_run_exit_code', 'Exit code of the last run; absent while it runs.').set({ output }, exitCode);
  if (lastSuccess !== undefined) gauge(LAST_SUCCESS, 'When a run last put its output in place.').set({ output }, lastSuccess);
  return registry.metrics();
}

function lastSuccessIn(text: string): number | undefined {
  const value = new RegExp(`^${LAST_SUCCESS}\\{.*\\} (\\S+)$`, 'm').exec(text)?.[1];
  return value === undefined ? undefined : Number(value);
}
