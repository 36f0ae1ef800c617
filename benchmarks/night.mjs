// Measures `embedkit embed` as a job of the night: what durability costs, memory over corpus size under --max-memory, a run of which little changed.
// usage: node benchmarks/night.mjs --texts FILE --out FOLDER [--rounds 3] [--sizes 10000,100000,1000000] [--cases durability,memory,changed]
// FILE has a text a line (10,000 of them are used). Writes OUT/night.json (every run) and OUT/night.md. Nothing here asserts a timing.
import { spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { load, machine, median, sha256 } from './machine.mjs';

const { values: options } = parseArgs({
  options: {
    texts: { type: 'string' },
    out: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    sizes: { type: 'string', default: '10000,100000,1000000' },
    cases: { type: 'string', default: 'durability,memory,changed' },
  },
});
if (!options.texts || !options.out) {
  console.error('night.mjs: --texts and --out are needed');
  process.exit(2);
}
const BIN = fileURLToPath(new URL('../bin/embedkit.js', import.meta.url));
const TOKENIZER = fileURLToPath(new URL('../models/bge-small-en-v1.5/tokenizer.json', import.meta.url));
const MEMORY = '600MB';
const NIGHT_ROWS = 100_000;
const rounds = Number(options.rounds);
const chosen = options.cases.split(',');
const scratch = mkdtempSync(join(tmpdir(), 'embedkit-night-'));
const result = { machine: machine(), texts: { file: basename(options.texts), sha256: sha256(options.texts) }, before: load(), runs: [] };

/** Whole words that are one token each, so that six of them, [CLS] and [SEP] are eight. */
const words = Object.keys(JSON.parse(readFileSync(TOKENIZER, 'utf8')).model.vocab)
  .filter((word) => /^[a-z]{4,}$/.test(word))
  .slice(0, 1000);

/** Distinct rows of six words: the first two count, the rest follow from them. `salt` gives other rows. */
function shortRow(row, salt) {
  const mixed = Math.imul(row + 1, 2654435761) >>> 0;
  const numbers = [row, row / 1000, mixed, mixed / 1000, mixed / 1e6, salt];
  return numbers.map((number) => words[Math.floor(number) % 1000]).join(' ');
}

/** A file of `rows` short rows, every hundredth of them another where `changed`. */
async function shortRows(rows, changed = false) {
  const path = join(scratch, `${rows}${changed ? '-changed' : ''}.txt`);
  const file = createWriteStream(path);
  for (let row = 0; row < rows; row++) {
    const line = `${shortRow(row, changed && row % 100 === 0 ? 1 : 0)}\n`;
    if (!file.write(line)) await new Promise((drained) => file.once('drain', drained));
  }
  file.end();
  await finished(file);
  return path;
}

/** One run in a process of its own: its summary, and the wall clock from outside. */
function embed(name, round, input, output, ...more) {
  const before = load();
  const started = performance.now();
  const args = ['embed', input, '-o', output, '--resume', 'never', '--log-format', 'json', '--threads', '2', ...more];
  const child = spawnSync(process.execPath, [BIN, ...args], { encoding: 'utf8', maxBuffer: 2 ** 28 });
  const wall_seconds = (performance.now() - started) / 1000;
  if (child.status !== 0) throw new Error(child.stderr);
  const line = child.stderr.split('\n').find((text) => text.includes('"summary"'));
  const { output: _, ...summary } = JSON.parse(line);
  const steal_ticks = load().steal_ticks - before.steal_ticks;
  result.runs.push({ case: name, round, wall_seconds, load_average_before: before.load_average[0], steal_ticks, summary });
  process.stderr.write(`${name}: ${wall_seconds.toFixed(1)} s, ${(summary.peakMemoryBytes / 2 ** 20).toFixed(0)} MiB\n`);
}

const CASES = {
  async durability() {
    const input = join(scratch, 'prose.txt');
    writeFileSync(input, readFileSync(options.texts, 'utf8').split('\n').slice(0, 10_000).join('\n'));
    for (let round = 1; round <= rounds; round++) embed('durability', round, input, join(scratch, 'prose.parquet'));
  },
  async memory() {
    for (const rows of options.sizes.split(',').map(Number)) {
      embed(`memory ${rows}`, 1, await shortRows(rows), join(scratch, `${rows}.parquet`), '--max-memory', MEMORY);
      if (rows !== NIGHT_ROWS) rmSync(join(scratch, `${rows}.parquet`));
    }
  },
  async changed() {
    const full = join(scratch, 'full.parquet');
    const input = await shortRows(NIGHT_ROWS);
    const changed = await shortRows(NIGHT_ROWS, true);
    for (let round = 1; round <= rounds; round++) {
      embed('full night', round, input, full);
      embed('changed night', round, changed, join(scratch, 'changed.parquet'), '--reuse', full);
    }
  },
};
for (const name of chosen) await CASES[name]();
result.after = load();
rmSync(scratch, { recursive: true });

const of = (name, value) => result.runs.filter((run) => run.case === name).map(value);
const spread = (numbers, digits) =>
  `${median(numbers).toFixed(digits)} (${Math.min(...numbers).toFixed(digits)}-${Math.max(...numbers).toFixed(digits)})`;
const kept = ({ summary: s }) => (100 * (s.keepSeconds + s.assembleSeconds)) / s.seconds;
const around = ({ summary: s }) => (100 * (s.seconds - s.engineSeconds)) / s.seconds;
const seconds = (run) => run.wall_seconds;
const share = () => {
  const full = of('full night', seconds);
  return of('changed night', seconds).map((changed, at) => (100 * changed) / full[at]);
};
const rows = [
  [
    'durability',
    '10,000 lines: writing, syncing and assembling, % of the run, overlaps with the engine not taken off',
    () => spread(of('durability', kept), 2),
  ],
  ['durability', 'the same: everything outside the engine, model loading included, %', () => spread(of('durability', around), 2)],
  ...options.sizes.split(',').map((size) => [
    'memory',
    `peak memory, ${Number(size).toLocaleString('en-US')} rows of 8 tokens, --max-memory ${MEMORY}, MB`,
    () =>
      spread(
        of(`memory ${size}`, ({ summary }) => summary.peakMemoryBytes / 1e6),
        0,
      ),
  ]),
  ['changed', '100,000 short rows, all new: process start to end, s', () => spread(of('full night', seconds), 1)],
  ['changed', 'the same with 1% changed and --reuse, s', () => spread(of('changed night', seconds), 2)],
  ['changed', 'changed night over full night, within a round, %', () => spread(share(), 2)],
];
const table = `| what | median (min-max) |
|---|---|
${rows
  .filter(([needs]) => chosen.includes(needs))
  .map(([, what, figure]) => `| ${what} | ${figure()} |`)
  .join('\n')}

${result.machine.cpu}, ${result.machine.cores} cores, Node ${result.machine.node}; load average ${result.before.load_average[0].toFixed(2)} before.
`;
mkdirSync(options.out, { recursive: true });
writeFileSync(join(options.out, 'night.json'), `${JSON.stringify(result, null, 2)}\n`);
writeFileSync(join(options.out, 'night.md'), table);
console.log(table);
