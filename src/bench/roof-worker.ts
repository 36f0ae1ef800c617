// The script of a thread that measures the roof: one plain product or one copy, over and over.
import { parentPort } from 'node:worker_threads';
import { messageOf } from '../errors.js';
import { openProduct } from './products.js';
import type { RoofAnswer, RoofTask } from './roof.js';

/** Beyond what caches hold, on nearly every machine. */
const COPIED_BYTES = 2 ** 26;

interface Work {
  readonly run: () => Promise<unknown>;
  /** Operations or bytes of one run. */
  readonly amount: number;
  readonly close: () => Promise<void>;
}

let work: Work | undefined;

async function handle(task: RoofTask): Promise<number> {
  if (task.step === 'run') return rate(work as Work, task.seconds);
  await work?.close();
  work = undefined;
  if (task.step === 'close') return 0;
  work = task.step === 'copy' ? copy() : await product(task.kind, task.shape);
  await work.run();
  return 0;
}

async function product(kind: Parameters<typeof openProduct>[0], shape: readonly [number, number, number]): Promise<Work> {
  const { run, close } = await openProduct(kind, shape, 1);
  return { run, close, amount: 2 * shape[0] * shape[1] * shape[2] };
}

/** Read and written bytes are both counted, as STREAM's Copy does. */
function copy(): Work {
  const [from, to] = [new Uint8Array(COPIED_BYTES).fill(1), new Uint8Array(COPIED_BYTES)];
  return { run: async () => to.set(from), amount: 2 * COPIED_BYTES, close: async () => undefined };
}

async function rate({ run, amount }: Work, seconds: number): Promise<number> {
  const started = performance.now();
  let passes = 0;
  do {
    await run();
    passes++;
  } while (performance.now() - started < seconds * 1000);
  return (passes * amount * 1000) / (performance.now() - started);
}

parentPort?.on('message', async (task: RoofTask) => {
  let answer: RoofAnswer;
  try {
    answer = { rate: await handle(task) };
  } catch (error) {
    answer = { failed: messageOf(error) };
  }
  parentPort?.postMessage(answer);
  if (task.step === 'close') parentPort?.close();
});
