// `embedkit bench compare`: two JSON files of `bench`, their ratio and whether it is one.
import { CALLED, type Compared, type Comparison, compareResults } from '../bench/compare.js';
import { readResult } from '../bench/read-result.js';
import type { BenchResult } from '../bench/result.js';
import { printable } from '../format.js';
import { aligned } from './bench-table.js';
import type { LogFormat } from './report.js';

export interface CompareArguments {
  readonly logFormat?: LogFormat;
}

/** Runs `bench compare`; throws EmbedkitError. */
export async function compare(first: string, second: string, given: CompareArguments): Promise<void> {
  const [a, b] = [await readResult(first), await readResult(second)];
  const comparison = compareResults(a, b);
  const text = given.logFormat === 'json' ? JSON.stringify(comparison) : comparisonText(comparison, [a, b], [first, second]);
  process.stdout.write(`${text}\n`);
}

function comparisonText({ rows, alone, roof }: Comparison, results: readonly BenchResult[], names: readonly [string, string]): string {
  const moved = roof.filter(({ verdict }) => verdict === 'differs');
  const noisy = results.flatMap(({ noise }, at) => (noise.length === 0 ? [] : [`${names[at]} was a noisy run: ${noise.join('; ')}`]));
  const warnings = [
    ...moved.map((one) => `the machine itself was not the same: ${one.title}, ${shown(one)} times as fast the second time`),
    ...noisy,
  ];
  const body = [...rows, ...roof].map((one) => [one.variant, one.title, shown(one), said(one)]);
  return [
    ...warnings.map((warning) => printable(`NOTE: ${warning}`)),
    printable(`${names[1]} ÷ ${names[0]}`),
    ...aligned([['', '', 'second ÷ first', ''], ...body], 2),
    ...(alone.length === 0 ? [] : [printable(`in one of the two only: ${alone.join(', ')}`)]),
    `medians of all ratios between rounds, with ${100 * CALLED}% intervals; a difference is one where the interval leaves 1 out`,
  ].join('\n');
}

function shown({ ratio }: Compared): string {
  return `${ratio.value.toFixed(3)} (${ratio.low.toFixed(3)}-${ratio.high.toFixed(3)})`;
}

function said({ verdict, isRate, ratio }: Compared): string {
  if (verdict !== 'differs') return verdict;
  if (isRate) return ratio.value > 1 ? 'faster' : 'slower';
  return ratio.value > 1 ? 'more' : 'less';
}
