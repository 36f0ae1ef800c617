// `embedkit bench --url`: a server under open-loop load, as `embedkit load` drives it, with the flags of bench.

import { EmbedkitError } from '../errors.js';
import { type LoadRun, runLoad } from '../load/run.js';
import type { BenchArguments } from './bench-flags.js';
import { keyIn, loadText, stepLine } from './load.js';

/** What measures models in this process, and says nothing of a server. */
const ELSEWHERE = ['variants', 'corpus', 'baselineUrl', 'claim', 'curves', 'tune', 'html', 'serve', 'batch', 'tokens', 'threads'] as const;

/** Drives the server; returns the table. `write` keeps the whole result. */
export async function benchServer(
  url: string,
  given: BenchArguments,
  signal: AbortSignal,
  write: (text: string) => Promise<void>,
): Promise<string> {
  const odd = ELSEWHERE.find((name) => given[name] !== undefined);
  if (odd !== undefined) {
    const flag = `--${odd.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new EmbedkitError('usage', `${flag} with --url`, { hint: 'leave one of them out: --url measures a server that runs' });
  }
  const { rates, mix, beyond, limitMs, seconds, model, apiKeyFile, quiet } = given;
  const onStep: LoadRun['onStep'] = (step) => void (quiet || process.stderr.write(`${stepLine(step)}\n`));
  const apiKey = await keyIn(apiKeyFile);
  const result = await runLoad({ url, rates, mix, beyond, maxP99Ms: limitMs, seconds, model, apiKey, signal, onStep });
  await write(`${JSON.stringify(result)}\n`);
  return loadText(result);
}
