// Measures `embedkit embed` itself: what runs around the engine, memory over corpus size, start-up.
// usage: node benchmarks/job.mjs --texts FILE --out FOLDER [--rounds 3] [--model FOLDER] [--cases a,b]
// FILE has a text a line. Writes OUT/job.json (every run) and prints OUT/job.md. Nothing here asserts a timing.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { load, machine, median, sha256 } from './machine.mjs';

const { values: options } = parseArgs({
  options: {
    texts: { type: 'string' },
    out: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    model: { type: 'string', default: 'bge-small-en-v1.5' },
    cases: { type: 'string', default: '' }, // only these, by name, with commas
  },
});
if (!options.texts || !options.out) {
  console.error('job.mjs: --texts and --out are needed');
  process.exit(2);
}
const BIN = fileURLToPath(new URL('../bin/embedkit.js', import.meta.url));
const rounds = Number(options.rounds);
const scratch = mkdtempSync(join(tmpdir(), 'embedkit-bench-'));
const OUTPUT = join(scratch, 'out.parquet');
const lines = readFileSync(options.texts, 'utf8')
  .split('\n')
  .filter((line) => line.trim() !== '');

/** Writes texts to a file of the scratch folder and returns its path. */
function corpus(name, texts) {
  const path = join(scratch, name);
  writeFileSync(path, `${texts.join('\n')}\n`);
  return path;
}

/** Rows of 3 to 12 words, cut from the corpus in order: the same for everyone with the same file. */
function shortRows(count) {
  const words = lines.join(' ').split(/\s+/);
  let at = 0;
  return Array.from({ length: count }, (_, row) => {
    const length = 3 + (row % 10);
    at = at + length > words.length ? 0 : at + length;
    return `${row} ${words.slice(at, at + length).join(' ')}`;
  });
}

/** One run in a process of its own: its own summary, and wall clock from outside. */
function run(args) {
  rmSync(OUTPUT, { force: true });
  const before = load();
  const started = performance.now();
  const child = spawnSync(process.execPath, [BIN, ...args], { encoding: 'utf8' });
  const wall_seconds = (performance.now() - started) / 1000;
  if (child.status !== 0) throw new Error(child.stderr);
  const summary = child.stderr
    .trim()
    .split('\n')
    .filter((line) => line.includes('"summary"'))
    .map((line) => JSON.parse(line))[0];
  const steal = load().steal_ticks - before.steal_ticks;
  if (summary) summary.output = basename(summary.output);
  return { wall_seconds, load_average_before: before.load_average[0], steal_ticks: steal, ...(summary ? { summary } : {}) };
}

const embed = (input, ...more) => ['embed', input, '-o', OUTPUT, '--log-format', 'json', '--model', options.model, ...more];
// The whole command in both precisions, in turn; the other cases take the model's default.
const commandLines = lines.slice(0, 1000);
const whole = (precision) => embed(corpus('prose-1000.txt', commandLines), '--threads', '2', '--precision', precision);
const all = {
  command_int8: whole('int8'),
  command_fp32: whole('fp32'),
  around_the_engine: embed(corpus('prose-5000.txt', lines.slice(0, 5000))),
  rows_2000: embed(corpus('short-2000.txt', shortRows(2000))),
  rows_20000: embed(corpus('short-20000.txt', shortRows(20000))),
  rows_10: embed(corpus('ten.txt', lines.slice(0, 10))),
  help: ['--help'],
};
const chosen = options.cases === '' ? Object.keys(all) : options.cases.split(',');
const cases = Object.fromEntries(Object.entries(all).filter(([name]) => chosen.includes(name)));
// Start-up is short and noisy: more runs cost little.
const repeats = { rows_10: 3 * rounds, help: 5 * rounds };

const result = { machine: machine(), texts: { file: basename(options.texts), sha256: sha256(options.texts) }, before: load(), runs: [] };
for (let round = 1; round <= rounds; round++) {
  for (const [name, args] of Object.entries(cases)) {
    for (let repeat = 0; repeat < (repeats[name] ?? rounds) / rounds; repeat++) {
      result.runs.push({ round, case: name, ...run(args) });
      process.stderr.write(`${name}: ${result.runs.at(-1).wall_seconds.toFixed(2)} s\n`);
    }
  }
}
result.after = load();
rmSync(scratch, { recursive: true });

const of = (name, value) => result.runs.filter((r) => r.case === name).map(value);
const spread = (numbers, digits) =>
  `${median(numbers).toFixed(digits)} (${Math.min(...numbers).toFixed(digits)}-${Math.max(...numbers).toFixed(digits)})`;
const wall = (name, digits) =>
  spread(
    of(name, (r) => r.wall_seconds),
    digits,
  );
const mebibytes = (name) => of(name, ({ summary }) => summary.peakMemoryBytes / 2 ** 20);
const around = () => of('around_the_engine', ({ summary: s }) => (100 * (s.seconds - s.engineSeconds)) / s.seconds);
const faster = () => {
  const int8 = new Map(result.runs.filter((r) => r.case === 'command_int8').map((r) => [r.round, r.wall_seconds]));
  return result.runs.filter((r) => r.case === 'command_fp32').map((r) => r.wall_seconds / int8.get(r.round));
};
// What a row says, the cases that it needs, its figure.
const rows = [
  [`${commandLines.length} lines, 2 threads, INT8: process start to end, s`, ['command_int8'], () => wall('command_int8', 2)],
  [`${commandLines.length} lines, 2 threads, fp32: process start to end, s`, ['command_fp32'], () => wall('command_fp32', 2)],
  ['fp32 over INT8, within a round', ['command_int8', 'command_fp32'], () => spread(faster(), 2)],
  ['peak memory of the INT8 run, MiB', ['command_int8'], () => spread(mebibytes('command_int8'), 0)],
  ['peak memory of the fp32 run, MiB', ['command_fp32'], () => spread(mebibytes('command_fp32'), 0)],
  [
    '5,000 lines: tokens/s of the whole run',
    ['around_the_engine'],
    () =>
      spread(
        of('around_the_engine', (r) => r.summary.tokensPerSecond),
        0,
      ),
  ],
  ['the same: share of the run outside the engine, model loading included, %', ['around_the_engine'], () => spread(around(), 1)],
  ['peak memory, 2,000 short rows, MiB', ['rows_2000'], () => spread(mebibytes('rows_2000'), 0)],
  ['peak memory, 20,000 short rows, MiB', ['rows_20000'], () => spread(mebibytes('rows_20000'), 0)],
  [
    '20,000 rows over 2,000 rows, ratio of medians',
    ['rows_2000', 'rows_20000'],
    () => (median(mebibytes('rows_20000')) / median(mebibytes('rows_2000'))).toFixed(3),
  ],
  ['10 rows, process start to end, s', ['rows_10'], () => wall('rows_10', 2)],
  ['`embedkit --help`, process start to end, s', ['help'], () => wall('help', 3)],
];
const measured = rows.filter(([, needs]) => needs.every((name) => chosen.includes(name)));
const table = `| what | median (min-max) |
|---|---|
${measured.map(([what, , figure]) => `| ${what} | ${figure()} |`).join('\n')}

Lines of ${result.texts.file}. ${result.machine.cpu}, ${result.machine.cores} cores, Node ${result.machine.node}; ${rounds} rounds; load average ${result.before.load_average[0].toFixed(2)} before.
`;
mkdirSync(options.out, { recursive: true });
writeFileSync(join(options.out, 'job.json'), `${JSON.stringify(result, null, 2)}\n`);
writeFileSync(join(options.out, 'job.md'), table);
console.log(table);
