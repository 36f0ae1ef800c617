// Measures the pipe against a file into a file, Spark over the pipe against embedkit alone, and how fast --shard passes over rows of others.
// usage: node benchmarks/pipe.mjs --out FOLDER [--rows 20000] [--words 6] [--rounds 3] [--cases direct,pipe,spark,scan] [--python PYTHON]
// Spark needs a Python with pyspark (default: TEST_PYTHON). Writes OUT/pipe.json (every run) and OUT/pipe.md. Nothing here asserts a timing.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Int32, RecordBatchStreamWriter, Table, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow';
import { load, machine, median } from './machine.mjs';

const { values: options } = parseArgs({
  options: {
    out: { type: 'string' },
    rows: { type: 'string', default: '20000' },
    words: { type: 'string', default: '6' },
    rounds: { type: 'string', default: '3' },
    cases: { type: 'string', default: 'direct,pipe,spark,scan' },
    python: { type: 'string', default: process.env.TEST_PYTHON },
  },
});
if (!options.out) {
  console.error('pipe.mjs: --out is needed');
  process.exit(2);
}
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const BIN = here('../bin/embedkit.js');
const ROWS = Number(options.rows);
const WORDS = Number(options.words);
const SCAN_ROWS = 400_000;
const BATCH = 4096;
const chosen = options.cases.split(',');
const scratch = mkdtempSync(join(tmpdir(), 'embedkit-pipe-'));
const result = { machine: machine(), rows: ROWS, tokens: WORDS + 2, before: load(), runs: [] };

/** Whole words that are one token each, so that a row of six of them is eight tokens, with [CLS] and [SEP]. */
const vocabulary = JSON.parse(readFileSync(here('../models/bge-small-en-v1.5/tokenizer.json'), 'utf8')).model.vocab;
const words = Object.keys(vocabulary)
  .filter((word) => /^[a-z]{4,}$/.test(word))
  .slice(0, 1000);

/** No two rows are equal: the first two words count. */
function shortRow(row) {
  const mixed = Math.imul(row + 1, 2654435761) >>> 0;
  const numbers = [row, row / 1000, ...Array.from({ length: WORDS - 2 }, (_, word) => mixed / (word * word + 1))];
  return numbers.map((number) => words[Math.floor(number) % 1000]).join(' ');
}

function writeInputs() {
  const texts = Array.from({ length: ROWS }, (_, row) => shortRow(row));
  const numbers = Int32Array.from(texts, (_, row) => row);
  const stream = new RecordBatchStreamWriter();
  const parts = [];
  for (let start = 0; start < ROWS; start += BATCH) {
    const end = Math.min(ROWS, start + BATCH);
    parts.push(
      new Table({ n: vectorFromArray(numbers.slice(start, end), new Int32()), text: vectorFromArray(texts.slice(start, end), new Utf8()) }),
    );
  }
  stream.writeAll(parts.flatMap((table) => table.batches));
  writeFileSync(join(scratch, 'in.arrows'), stream.toUint8Array(true));
  const whole = new Table({ n: vectorFromArray(numbers, new Int32()), text: vectorFromArray(texts, new Utf8()) });
  writeFileSync(join(scratch, 'in.arrow'), tableToIPC(whole, 'file'));
}

/** One run of a shell's command line: the program's own summary, and the wall clock from outside. */
function run(name, round, command) {
  const before = load();
  const started = performance.now();
  const child = spawnSync('sh', ['-c', command], { cwd: scratch, encoding: 'utf8', maxBuffer: 2 ** 28 });
  const wall_seconds = (performance.now() - started) / 1000;
  if (child.status !== 0) throw new Error(`${command}: ${child.stderr}`);
  const line = child.stderr.split('\n').find((text) => text.includes('"summary"'));
  const { output: _, ...summary } = line === undefined ? {} : JSON.parse(line);
  const spark = child.stdout.startsWith('{') ? JSON.parse(child.stdout) : undefined;
  const steal_ticks = load().steal_ticks - before.steal_ticks;
  result.runs.push({ case: name, round, wall_seconds, load_average_before: before.load_average[0], steal_ticks, summary, spark });
  process.stderr.write(`${name}: ${wall_seconds.toFixed(1)} s\n`);
}

const EMBED = `"${process.execPath}" "${BIN}" embed`;
const FLAGS = '--threads 2 --log-format json';
const CASES = {
  direct: (round) => run('direct', round, `${EMBED} in.arrow -o out.arrow --keep n,text --resume never ${FLAGS}`),
  pipe: (round) => run('pipe', round, `cat in.arrows | ${EMBED} - --from arrow-stream --to arrow-stream -o - ${FLAGS} | cat > out.arrows`),
  spark: (round) =>
    run('spark', round, `"${options.python}" "${here('pipe_spark.py')}" in.arrows spark-${round} "${process.execPath}" "${BIN}"`),
};
writeInputs();
for (let round = 1; round <= Number(options.rounds); round++) {
  for (const name of chosen) CASES[name]?.(round);
}
if (chosen.includes('scan')) {
  writeFileSync(
    join(scratch, 'scan.jsonl'),
    Array.from({ length: SCAN_ROWS }, (_, row) => `${JSON.stringify({ id: row, text: shortRow(row) })}\n`).join(''),
  );
  for (let round = 1; round <= Number(options.rounds); round++)
    run('scan', round, `${EMBED} scan.jsonl -o scan.parquet --shard 1/40000 --resume never ${FLAGS}`);
}
result.scan_rows = SCAN_ROWS;
result.output_bytes = chosen.includes('direct') ? statSync(join(scratch, 'out.arrow')).size : undefined;
result.after = load();
rmSync(scratch, { recursive: true });

const of = (name, value) => result.runs.filter((one) => one.case === name).map(value);
const spread = (numbers, digits) =>
  `${median(numbers).toFixed(digits)} (${Math.min(...numbers).toFixed(digits)}-${Math.max(...numbers).toFixed(digits)})`;
const own = (one) => one.summary.seconds;
const share = (some, others) => some.map((seconds, round) => (100 * seconds) / others[round]);
const rows = [
  [
    'direct',
    `${ROWS} rows of ${WORDS + 2} tokens, Arrow file into Arrow file: the program's own seconds`,
    () => spread(of('direct', own), 2),
  ],
  ['pipe', "the same through the pipe: the program's own seconds", () => spread(of('pipe', own), 2)],
  ['pipe', 'speed of the pipe, % of file into file, within a round', () => spread(share(of('direct', own), of('pipe', own)), 1)],
  [
    'direct',
    'embedkit alone on 2 threads, process start to end, s',
    () =>
      spread(
        of('direct', (one) => one.wall_seconds),
        2,
      ),
  ],
  [
    'spark',
    'Spark on local[2], session up: reading, embedding and writing Parquet, s',
    () =>
      spread(
        of('spark', (one) => one.spark.seconds),
        2,
      ),
  ],
  [
    'spark',
    'speed of Spark, % of embedkit alone, within a round',
    () =>
      spread(
        share(
          of('direct', (one) => one.wall_seconds),
          of('spark', (one) => one.spark.seconds),
        ),
        1,
      ),
  ],
  [
    'scan',
    `rows/s that --shard passes over, of ${SCAN_ROWS} JSON lines, start of the program included`,
    () =>
      spread(
        of('scan', (one) => SCAN_ROWS / one.summary.seconds),
        0,
      ),
  ],
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
writeFileSync(join(options.out, 'pipe.json'), `${JSON.stringify(result, null, 2)}\n`);
writeFileSync(join(options.out, 'pipe.md'), table);
console.log(table);
