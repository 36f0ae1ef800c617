// The embed run: windows of the input go through the engine into a file or a stream. The place to start reading.

import { mebibytes } from '../format.js';
import { AuditSample } from './audit.js';
import type { JobConfig, JobSummary } from './config.js';
import { runIntoFile } from './into-file.js';
import { runIntoPipe } from './into-pipe.js';
import { runIntoStream } from './into-stream.js';
import { type Job, type JobParts, PARTS } from './job.js';
import { planJob } from './plan.js';
import { Tally } from './tally.js';

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
  const audit = plan.audit && new AuditSample(plan.audit, plan.maxTokens);
  const job: Job = { config, plan, tally, audit, parts: { ...PARTS, ...parts } };
  try {
    const summary = await runInto(job);
    if (config.maxMemory !== undefined && summary.peakMemoryBytes > config.maxMemory)
      config.onWarning?.(overBound(summary, config.maxMemory));
    return summary;
  } catch (error) {
    // A pipe that brings nothing more would keep the process alive.
    for (const { source } of plan.inputs) source.stream?.destroy();
    throw error;
  }
}

function runInto(job: Job): Promise<JobSummary> {
  const { target, pipe } = job.plan;
  if (target !== undefined) return runIntoFile(job, target);
  return pipe === undefined ? runIntoStream(job) : runIntoPipe(job, pipe);
}

function overBound({ peakMemoryBytes }: JobSummary, bound: number): string {
  return `peak memory was ${mebibytes(peakMemoryBytes)}, more than --max-memory ${mebibytes(bound)}: please report it with the size of the texts`;
}
