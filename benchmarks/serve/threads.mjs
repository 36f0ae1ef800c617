// Whether a lone query should use more than one core: one session of one thread against one of two, in turns: node benchmarks/serve/threads.mjs [rounds]
import { runnerSettings } from '../../dist/embedder/open.js';
import { openRunner } from '../../dist/embedder/runner.js';
import { openFolder } from '../../dist/model/folder.js';
import { createTokenizer } from '../../dist/tokens/tokenizer.js';
import { load, machine } from '../machine.mjs';
import { quantiles, rounded, timed } from './parts.mjs';

const ROUNDS = Number(process.argv[2] ?? 20);
const BLOCK = 25;
const FIRST = 5;
const WIDTHS = [10, 128];

const folder = await openFolder();
const tokenizer = createTokenizer(folder.tokenizer);
const runners = { 1: await openRunner(runnerSettings(folder, tokenizer, 1)), 2: await openRunner(runnerSettings(folder, tokenizer, 2)) };
const before = load();
const nameOf = (width, threads) => `${width} tokens, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
const samples = Object.fromEntries(WIDTHS.flatMap((width) => [1, 2].map((threads) => [nameOf(width, threads), []])));
for (let round = 0; round < ROUNDS; round++) {
  for (const width of WIDTHS) {
    const ids = Int32Array.from({ length: width }, (_, at) => 1000 + ((at * 7919) % 20000));
    for (const [threads, runner] of Object.entries(runners)) {
      for (let at = 0; at < BLOCK; at++) {
        const { ms } = await timed(() => runner.run({ ids, rows: 1, width }));
        if (round > 0 && at >= FIRST) samples[nameOf(width, Number(threads))].push(ms);
      }
    }
  }
}
const ms = Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, quantiles(values)]));
const gain = WIDTHS.map((width) => [width, rounded(ms[nameOf(width, 1)].p50 / ms[nameOf(width, 2)].p50)]);
console.log(JSON.stringify({ machine: machine(), before, after: load(), ms, times_as_fast_at_p50: Object.fromEntries(gain) }, null, 2));
for (const runner of Object.values(runners)) await runner.close();
