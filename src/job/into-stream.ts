// A run into a stream or a device: windows are written as they come, and nothing can be resumed.
import { isFifo, openFifo } from '../columns/fifo.js';
import { OUTPUT_FORMATS } from '../columns/formats.js';
import { type OutputSink, openFileSink, streamSink } from '../columns/sinks.js';
import { EmbedkitError } from '../errors.js';
import type { JobConfig, JobSummary } from './config.js';
import { noCrashWatch } from './crashes.js';
import { embedWindows } from './embed-windows.js';
import { auditOf, embedInto, itemsOf, type Job, windowOptions } from './job.js';
import type { WindowStore } from './store.js';
import { VectorIndex } from './vector-index.js';
import { cutWindows } from './windows.js';

export async function runIntoStream(job: Job): Promise<JobSummary> {
  const { config, plan, tally } = job;
  const sink = await openStream(config);
  try {
    const writer = await OUTPUT_FORMATS[plan.format].create(sink, plan.layout);
    const known = new VectorIndex(plan.dims);
    const model = await embedInto(job, { known, crashes: noCrashWatch, unfinished: new Map() }, async (run) => {
      const store: WindowStore = { keep: ({ rows, vectors }) => writer.append(rows, vectors) };
      await embedWindows(run, cutWindows(itemsOf(job, run.model.tokenizer), windowOptions(run)), store);
      await writer.finish();
    });
    const audit = await auditOf(job);
    await sink.commit();
    return tally.summary(model, { bytes: sink.bytes, name: config.output.path, quarantine: undefined, audit });
  } catch (error) {
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
