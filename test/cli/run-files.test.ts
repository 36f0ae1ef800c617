// Files for scripts and monitoring: metrics that node exporter reads, and a summary of how a run ended.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { watchRun } from '#src/cli/run-files.js';
import { EmbedkitError } from '#src/errors.js';
import type { JobBooks, JobConfig, JobSummary } from '#src/job/config.js';
import { temporaryFolder } from '../run.js';

const BOOKS: JobBooks = { rowsIn: 9, embedded: 5, reused: 3, quarantined: 1, tokens: 70, seconds: 2.5 };
const config: JobConfig = { input: { paths: ['in.jsonl'] }, output: { path: 'a "b".parquet' } };
const metric = (text: string, name: string, labels = ''): number | undefined => {
  const value = new RegExp(`^${name}\\{output="a \\\\"b\\\\"\\.parquet"${labels}\\} (\\S+)$`, 'm').exec(text)?.[1];
  return value === undefined ? undefined : Number(value);
};

describe('watchRun', () => {
  it('renews the metrics after each window, and says at the end how it went', async () => {
    const folder = temporaryFolder();
    const files = { metricsFile: join(folder, 'm.prom'), summary: join(folder, 's.json') };
    const read = (): string => readFileSync(files.metricsFile, 'utf8');
    const seen: string[] = [];
    const before = Date.now() / 1000;
    await watchRun(config, files, async ({ onWindow }) => {
      expect(readdirSync(folder)).toEqual([]);
      await onWindow?.(BOOKS);
      seen.push(read());
      return { ...BOOKS, quarantine: 'q' } as unknown as JobSummary;
    });
    expect(seen.map((text) => metric(text, 'embedkit_run_rows', ',outcome="embedded"'))).toEqual([5]);
    expect(seen.map((text) => metric(text, 'embedkit_run_exit_code'))).toEqual([undefined]);
    const end = read();
    expect(['embedded', 'reused', 'quarantined'].map((outcome) => metric(end, 'embedkit_run_rows', `,outcome="${outcome}"`))).toEqual([
      5, 3, 1,
    ]);
    expect([metric(end, 'embedkit_run_tokens'), metric(end, 'embedkit_run_seconds'), metric(end, 'embedkit_run_exit_code')]).toEqual([
      70, 2.5, 3,
    ]);
    expect(metric(end, 'embedkit_last_success_timestamp_seconds')).toBeGreaterThanOrEqual(before);
    expect(JSON.parse(readFileSync(files.summary, 'utf8'))).toMatchObject({ status: 'done', exit_code: 3, quarantined: 1 });
    expect(readdirSync(folder).sort()).toEqual(['m.prom', 's.json']);
  });

  it('keeps the time of the last success when a run fails', async () => {
    const folder = temporaryFolder();
    const files = { metricsFile: join(folder, 'm.prom'), summary: join(folder, 's.json') };
    await watchRun(config, files, async () => ({ ...BOOKS, quarantined: 0 }) as unknown as JobSummary);
    const success = metric(readFileSync(files.metricsFile, 'utf8'), 'embedkit_last_success_timestamp_seconds');
    const error = new EmbedkitError('engine-failed', 'no engine', { hint: 'wait' });
    await expect(watchRun(config, files, () => Promise.reject(error))).rejects.toBe(error);
    const failed = readFileSync(files.metricsFile, 'utf8');
    expect(metric(failed, 'embedkit_run_exit_code')).toBe(1);
    expect(metric(failed, 'embedkit_last_success_timestamp_seconds')).toBe(success);
    expect(success).toBeGreaterThan(0);
    expect(JSON.parse(readFileSync(files.summary, 'utf8'))).toEqual({
      status: 'failed',
      exit_code: 1,
      code: 'engine-failed',
      message: 'no engine',
      hint: 'wait',
    });
  });

  it('leaves both to the run that holds the lock', async () => {
    const folder = temporaryFolder();
    const files = { metricsFile: join(folder, 'm.prom'), summary: join(folder, 's.json') };
    writeFileSync(files.metricsFile, 'of the other run');
    const error = new EmbedkitError('locked', 'another run', { hint: 'wait' });
    await expect(watchRun(config, files, () => Promise.reject(error))).rejects.toBe(error);
    expect(readFileSync(files.metricsFile, 'utf8')).toBe('of the other run');
    expect(readdirSync(folder)).toEqual(['m.prom']);
  });

  it('does not begin where the metrics cannot be written, and goes on where they cannot be any more', async () => {
    const folder = temporaryFolder();
    const files = { metricsFile: join(folder, 'none', 'm.prom') };
    await expect(watchRun(config, files, () => Promise.reject(new Error('not to be run')))).rejects.toMatchObject({
      code: 'output-unwritable',
    });
    const warnings: string[] = [];
    const moved = { metricsFile: join(folder, 'm.prom') };
    const warning = { ...config, onWarning: (message: string) => void warnings.push(message) };
    const summary = await watchRun(warning, moved, async ({ onWindow }) => {
      const { mkdirSync, rmSync } = await import('node:fs');
      rmSync(moved.metricsFile, { force: true });
      mkdirSync(moved.metricsFile);
      writeFileSync(join(moved.metricsFile, 'x'), '');
      await onWindow?.(BOOKS);
      return BOOKS as unknown as JobSummary;
    });
    expect(summary).toBe(BOOKS);
    expect(warnings).toEqual([expect.stringMatching(/cannot write .*m\.prom/), expect.stringMatching(/cannot write/)]);
  });
});
