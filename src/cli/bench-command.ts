// `bench` and what stands under it, as commander knows them.
import type { Command } from 'commander';
import type { CompareArguments } from './bench-compare.js';
import { BENCH_FLAGS, type BenchArguments, COMPARE_FLAGS } from './bench-flags.js';
import { addFlags } from './flags.js';

/** Adds the commands to the program. */
export function addBenchCommands(program: Command): void {
  const benching = program
    .command('bench')
    .description(
      'measure latency, speed, memory and cost of full precision, INT8 and other models on this machine, and of an API beside them',
    )
    .action(async (given: BenchArguments) => (await import('./bench.js')).bench(given));
  addFlags(benching, BENCH_FLAGS);
  const comparing = benching
    .command('compare')
    .description('hold two JSON files of bench against each other: ratios, and whether they are any')
    .argument('<first>', 'what bench --json wrote')
    .argument('<second>', 'what bench --json wrote later, on the same machine')
    .action(async (first: string, second: string, given: CompareArguments) =>
      (await import('./bench-compare.js')).compare(first, second, given),
    );
  addFlags(comparing, COMPARE_FLAGS);
}
