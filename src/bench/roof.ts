// The roof: what all threads together reach on plain products and plain copies. A thread each with an engine of its own, as embedding runs.
import { Worker } from 'node:worker_threads';
import { EmbedkitError } from '../errors.js';
import type { Kind } from './operations.js';
import { SHAPES } from './products.js';
import type { RoofArguments, RoofTurn } from './protocol.js';

/** What a thread is asked: to get ready, and then, when all are, to run for some time. */
export type RoofTask =
  | { readonly step: 'product'; readonly kind: Kind; readonly shape: readonly [number, number, number] }
  | { readonly step: 'copy' }
  | { readonly step: 'run'; readonly seconds: number }
  | { readonly step: 'close' };

/** Work a second: operations of a product, bytes read and written by a copy. 0 for getting ready. */
export type RoofAnswer = { readonly rate: number } | { readonly failed: string };

const KINDS: readonly Kind[] = ['int8', 'fp32'];

/** Times every plain product and the copy once. Throws `engine-failed` where a thread fails. */
export async function measureRoof({ threads, seconds }: RoofArguments): Promise<RoofTurn> {
  const workers = Array.from({ length: threads }, () => new Worker(new URL('./roof-worker.js', import.meta.url), { execArgv: [] }));
  const all = async (task: RoofTask): Promise<number> => {
    const rates = await Promise.all(workers.map((worker) => ask(worker, task)));
    return rates.reduce((sum, rate) => sum + rate, 0);
  };
  const products: RoofTurn['products'][number][] = [];
  for (const shape of SHAPES) {
    for (const kind of KINDS) {
      await all({ step: 'product', kind, shape });
      products.push({ kind, shape, rate: await all({ step: 'run', seconds }) });
    }
  }
  await all({ step: 'copy' });
  const bandwidth = await all({ step: 'run', seconds });
  await all({ step: 'close' });
  return { products, bandwidth };
}

function ask(worker: Worker, task: RoofTask): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new EmbedkitError('engine-failed', `a thread that measures the roof failed: ${why}`));
    const onError = (error: Error): void => fail(error.message);
    worker.once('error', onError);
    worker.once('message', (answer: RoofAnswer) => {
      worker.off('error', onError);
      if ('failed' in answer) fail(answer.failed);
      else resolve(answer.rate);
    });
    worker.postMessage(task);
  });
}
