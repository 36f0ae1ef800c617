// A run into a stream or a device: windows are written as they come, and nothing can be resumed.
import { isFifo, openFifo } from '../columns/fifo.js';
import { OUTPUT_FORMATS } from '../columns/formats.js';
import { type OutputSink, openFileSink, streamSink } from '../columns/sinks.js';
import { EmbedkitError } from '../errors.js';
import type { JobConfig, JobSummary } from './config.js';
import { noCrashWatch } from './crashes.js';
import { embedWindows } from './embed-windows.js';
import { auditOf, embedInto, itemsOf, type Job, windowOptions } from './job.js';
import type { Run } from './open-run.js';
import { openQuarantine, type QuarantineStream } from './quarantine.js';
import type { WindowStore } from './store.js';
import { VectorIndex } from './vector-index.js';
import { cutWindows } from './windows.js';

export interface StreamOutput {
  readonly sink: OutputSink;
  readonly quarantine: QuarantineStream;
}

export async function runIntoStream(job: Job): Promise<JobSummary> {
  const { plan } = job;
  return embedToStream(job, async (run, { sink, quarantine }) => {
    const writer = await OUTPUT_FORMATS[plan.format].create(sink, plan.layout);
    const store: WindowStore = {
      keep: async ({ rows, vectors, bad }) => {
        await quarantine.add(bad);
        await writer.append(rows, vectors);
      },
    };
    try {
      await embedWindows(run, cutWindows(itemsOf(job, run.model.tokenizer), windowOptions(run)), store);
      await writer.finish();
    } catch (error) {
      await writer.abort();
      throw error;
    }
  });
}

/** What every run into a stream does around its windows. */
export async function embedToStream(job: Job, embed: (run: Run, output: StreamOutput) => Promise<void>): Promise<JobSummary> {
  const { config, plan, tally } = job;
  const sink = await openStream(config);
  const quarantine = openQuarantine(config.quarantine);
  try {
    const memory = { known: new VectorIndex(plan.dims), crashes: noCrashWatch, unfinished: new Map() };
    const model = await embedInto(job, memory, (run) => embed(run, { sink, quarantine }));
    const audit = await auditOf(job);
    await quarantine.close();
    await sink.commit();
    tally.checkErrors(plan.maxErrors, true);
    return tally.summary(model, { bytes: sink.bytes, name: config.output.path, quarantine: config.quarantine, audit });
  } catch (error) {
    await quarantine.close().catch(() => undefined);
    await sink.abort();
    throw error;
  }
}

async function openStream({ output, signal }: JobConfig): Promise<OutputSink> {
  if (await isFifo(output.path)) return openFifo(output.path, signal);
  if (output.path !== '-') return openFileSink(output.path);
  if (output.stdout === undefined)
    throw new EmbedkitError('usage', 'standard output is not available here', { hint: 'name a file with -o' });
  return streamSink(output.stdout, 'standard output');
}
