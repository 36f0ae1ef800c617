// A run from an Arrow stream into an Arrow stream, batch for batch: the contract by which any engine drives embedkit as a child process.
import { ArrowPipeWriter } from '../columns/arrow-pipe.js';
import { openArrowStream } from '../records/arrow.js';
import { type EndedBatch, readPipe } from '../records/arrow-pipe.js';
import { recordsOnly } from '../records/bad-rows.js';
import type { Source } from '../records/source.js';
import type { JobSummary } from './config.js';
import { embedWindows } from './embed-windows.js';
import { embedToStream, type StreamOutput } from './into-stream.js';
import { type Job, windowOptions } from './job.js';
import type { Run } from './open-run.js';
import { plannedItems, runItems } from './run-items.js';
import type { WindowStore } from './store.js';
import { cutWindows, type Window } from './windows.js';

export async function runIntoPipe(job: Job, source: Source): Promise<JobSummary> {
  return embedToStream(job, (run, output) => answer(job, source, run, output));
}

async function answer(job: Job, source: Source, run: Run, { sink, quarantine }: StreamOutput): Promise<void> {
  const { plan, tally, audit } = job;
  const { tokenizer } = run.model;
  const stream = await openArrowStream(source, tally.reading);
  const writer = await ArrowPipeWriter.open(sink, plan.layout, stream.schema);
  const ended: EndedBatch[] = [];
  const records = readPipe(stream, plan.read.selection, source.name, ended);
  const rows = runItems(plan.onError === 'fail' ? recordsOnly(records) : records, { ...plannedItems(plan, tokenizer), keep: [] });
  const work = new WorkInHand();
  const windows = cutWindows(audit === undefined ? rows : audit.watch(rows, tokenizer), {
    ...windowOptions(run),
    pipe: { ended, idle: () => work.none() },
  });
  const store: WindowStore = {
    keep: async (window) => {
      await quarantine.add(window.bad);
      await writer.append(window.rows, window.vectors, window.ended);
      work.done();
    },
  };
  await embedWindows(run, work.begun(windows), store);
  await writer.finish();
}

/** Windows that were begun and are not written yet. */
class WorkInHand {
  private count = 0;
  private waiting = Promise.resolve();
  private release = (): void => undefined;

  async *begun(windows: AsyncIterable<Window>): AsyncGenerator<Window> {
    for await (const window of windows) {
      if (this.count++ === 0) {
        this.waiting = new Promise((resolve) => {
          this.release = resolve;
        });
      }
      yield window;
    }
  }

  done(): void {
    if (--this.count === 0) this.release();
  }

  /** Settles as soon as there is none. */
  none(): Promise<void> {
    return this.waiting;
  }
}
