// What a terminal shows of `bench --tune`: every setting tried, the flags to use, and what they gain.
import { spreadOf } from '../bench/rows.js';
import type { TuneResult } from '../bench/run-tune.js';
import { median, summarise } from '../bench/statistics.js';
import { flagsOf, type Tried } from '../bench/tune.js';
import { count, countOf, printable } from '../format.js';
import { aligned } from './bench-table.js';

/** An interval of this width says little. */
const WIDE = 0.1;

/** Lines without a line feed at the end. */
export function tuneText({ tuned, corpus, noise, variant }: TuneResult): string {
  const usual = flagsOf(tuned.default.setting);
  const rows = tuned.tried.map((tried) => rowOf(tried, usual));
  const texts = `${count(corpus.texts)} of ${countOf(corpus.rows, 'text')} of ${corpus.path}, ${countOf(corpus.tokens, 'token')}`;
  return [
    noise.length === 0 ? 'quiet run' : `NOISY RUN: ${noise.join('; ')}`,
    '',
    ...aligned([['embed flags', 'embeddings/s', 'rounds', 'peak MiB'], ...rows]),
    '',
    ...adviceOf(tuned),
    printable(`${variant}, ${texts}; a new process each time`),
  ].join('\n');
}

function rowOf({ setting, rates, peak_bytes }: Tried, usual: string): string[] {
  const memory = peak_bytes.length === 0 ? '-' : count(median(peak_bytes) / 2 ** 20);
  const flags = flagsOf(setting);
  return [
    flags === usual ? `${flags} (default)` : flags,
    rates.length === 0 ? '-' : spreadOf(summarise(rates), count),
    String(rates.length),
    memory,
  ];
}

/** What to type, judged by rounds that had no part in the choice. */
function adviceOf({ best, default: usual, gain, isBetter }: TuneResult['tuned']): string[] {
  const rounds = `in ${gain.samples} rounds of each, which had no part in the choice`;
  const speed = `${gain.value.toFixed(3)} times the speed of the defaults (${gain.low.toFixed(3)}-${gain.high.toFixed(3)}) ${rounds}`;
  const verdict = gain.high - gain.low > WIDE ? 'no difference to the defaults could be shown' : 'the defaults are as good';
  if (!isBetter) return [`${verdict}: use no flags (the best other setting, ${flagsOf(best.setting)}: ${speed})`];
  const memory = [best, usual].map(({ peak_bytes }) => count(median(peak_bytes) / 2 ** 20));
  return [`use: ${flagsOf(best.setting)}`, `${speed}; peak memory ${memory[0]} MiB instead of ${memory[1]}`];
}
