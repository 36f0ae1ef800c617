// What stands below the table: the machine, the roof, the corpus, the claim, how it was measured. Pure.
import { count, countOf, mebibytes } from '../format.js';
import type { Kind } from './operations.js';
import { bestRate } from './rates.js';
import type { BenchResult, ClaimResult } from './result.js';
import { spreadOf, threeDigits } from './rows.js';
import { summarise } from './statistics.js';

/** Operations a second: "412 G", "8.9 T". */
export function rateOf(value: number): string {
  return value >= 1e12 ? `${threeDigits(value / 1e12)} T` : `${threeDigits(value / 1e9)} G`;
}

const SECTIONS: readonly ((result: BenchResult) => string[])[] = [
  absentNotes,
  roofNotes,
  corpusNotes,
  ({ claim }) => claimNotes(claim),
  baselineNotes,
  howNotes,
  machineNotes,
];

export function notesOf(result: BenchResult): string[] {
  return SECTIONS.flatMap((section) => section(result));
}

function absentNotes({ absent }: BenchResult): string[] {
  return absent.map(
    (one) => `${one} was not measured: the model has no such file here (a clone of the repository holds both of the shipped one)`,
  );
}

function roofNotes({ roof, options }: BenchResult): string[] {
  const best = (kind: Kind): string => spreadOf(summarise(roof.map((turn) => bestRate(turn, kind))), rateOf);
  const bandwidth = spreadOf(summarise(roof.map((turn) => turn.bandwidth)), rateOf);
  return [
    `roof, ${threads(options.threads)}: int8 ${best('int8')} operations/s, fp32 ${best('fp32')}, copying memory ${bandwidth} bytes/s (read and written)`,
    'share of the roof: the products by weights at the best plain product of their type; attention and all else count as time, not as work',
  ];
}

function corpusNotes({ corpus }: BenchResult): string[] {
  if (corpus === null) return [];
  const { path, rows, texts, tokens } = corpus;
  const shares = [tokens.p10, tokens.p50, tokens.p90].map((length) => length.toFixed(0));
  const lengths = `${shares[0]}, ${shares[1]} and ${shares[2]} tokens at the 10th, 50th and 90th percentile, ${count(tokens.most)} at most`;
  return [`corpus: ${count(texts)} of ${countOf(rows, 'text')} of ${path}: ${lengths}`];
}

function claimNotes(claim: ClaimResult | null): string[] {
  if (claim === null) return [];
  return claim.verdicts.map(({ variant, kind, operations, needed, roof, cores, isPossible }) => {
    const aText = `${rateOf(operations)} a text of ${countOf(claim.tokens, 'token')}, in products by weights`;
    const allows = `${cores === 1 ? 'one core' : `${count(cores)} cores`} like these reach ${rateOf(roof)} in ${kind} at best`;
    const share = `${(100 * (needed / roof)).toFixed(0)}% of it`;
    const verdict = isPossible ? `the roof allows it (${share})` : `not possible here, by a factor of ${threeDigits(needed / roof)}`;
    return `claim "${claim.text}": needs ${rateOf(needed)} operations/s of ${variant} (${aText}); ${allows}: ${verdict}`;
  });
}

function baselineNotes({ baseline }: BenchResult): string[] {
  if (baseline === null) return [];
  const how = `API: ${baseline.model} at ${baseline.url}, one request at a time, of single texts and of batches; memory, model and start are the server's own`;
  return baseline.failed === null ? [how] : [how, `API: ${baseline.failed}`];
}

function howNotes({ options, variants, ended }: BenchResult): string[] {
  const rounds = variants[0]?.turns.length ?? 0;
  const why = { narrow: `every figure known to ${100 * options.within}%`, time: `${options.seconds} s were up`, rounds: 'no more are run' };
  return [
    `${count(rounds)} alternating ${rounds === 1 ? 'round' : 'rounds'} (${why[ended]}), each model in a new process each time, ${threads(options.threads)}; medians (95% intervals)`,
    `texts of ${countOf(options.tokens, 'token')}, special tokens included; tokenizing is part of what is timed`,
  ];
}

function machineNotes({ machine: m, before, after }: BenchResult): string[] {
  const stolen = (after.stolen_seconds - before.stolen_seconds).toFixed(1);
  return [
    `${m.cpu}, ${threads(m.usable_cpus)} usable of ${count(m.cpus)}, ${mebibytes(m.memory_bytes)}, ${m.kernel}; ${m.flags.join(' ') || 'no flags known'}`,
    `governor ${m.governor}, load average ${before.load_average.toFixed(2)} before, ${stolen} s stolen; Node ${m.node}, onnxruntime-node ${m.runtime}, embedkit ${m.embedkit}`,
  ];
}

function threads(n: number): string {
  return n === 1 ? 'one thread' : `${count(n)} threads`;
}
