// Works the arithmetic of docs/at-scale.md from committed runs: what a billion texts take.
// usage: node benchmarks/at-scale.mjs [--texts 1e9] [--tokens 50] [--price 0.16] [--bench FILE] [--pipe FILE]
// FILEs: what `embedkit bench --json` and benchmarks/pipe.mjs wrote. --price is that of a machine of that kind for an hour: none is built in.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const at = (path) => new URL(path, import.meta.url);
const { values } = parseArgs({
  options: {
    texts: { type: 'string', default: '1e9' },
    tokens: { type: 'string', default: '50' },
    price: { type: 'string', default: '0.16' },
    bench: { type: 'string' },
    pipe: { type: 'string' },
  },
});
const read = (path) => JSON.parse(readFileSync(path, 'utf8'));
const bench = read(values.bench ?? at('2026-11-26-epyc-2core-avx2/bench.json'));
const pipe = read(values.pipe ?? at('2026-11-26-epyc-2core/pipe.json'));
const [texts, tokens, price] = [values.texts, values.tokens, values.price].map(Number);

const rate = bench.variants.find(({ name }) => /int8/i.test(name)).tokensPerSecond / tokens;
const scans = pipe.runs.filter((run) => run.case === 'scan').map(({ summary }) => pipe.scan_rows / summary.seconds);
const scan = scans.toSorted((a, b) => a - b)[scans.length >> 1];
const machineHours = texts / rate / 3600;
const BYTES = { float32: 384 * 4 + 64, float16: 384 * 2 + 64 };

const round = (number, digits = 0) => number.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits });
const rows = [1, 10, 100, 1000].map((machines) => {
  const compute = machineHours / machines;
  const reading = texts / scan / 3600;
  const sink = (machines * rate * BYTES.float32) / 1e6;
  return `| ${round(machines)} | ${round(compute, 1)} | ${round(compute + reading, 1)} | ${round(price * machineHours)} | ${round(price * (machineHours + reading * machines))} | ${round(sink, 1)} |`;
});
console.log(`${round(texts)} texts of ${tokens} tokens at ${round(rate, 1)} texts/s a machine of ${bench.machine.usable_cpus} cores: ${round(machineHours)} machine-hours.
Storage: ${round((texts * BYTES.float32) / 1e12, 2)} TB as float32, ${round((texts * BYTES.float16) / 1e12, 2)} TB as float16, ids and hashes with them.
\`--shard\` passes over ${round(scan)} rows/s: ${round(texts / scan / 3600, 1)} hours on every machine that reads the whole input.

| machines | hours, each with files of its own | hours, \`--shard\` over all | cost at ${price} an hour | the same, \`--shard\` | vectors written, MB/s in all |
|---|---|---|---|---|---|
${rows.join('\n')}`);
