// How much of the machine's plain products the model reaches, in one process and thread budget, and where its time goes.
// Writes OUT/roof.json and OUT/roof.md. Usage and caveats: README.md. Nothing here asserts a timing.
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { env } from 'onnxruntime-node';
import { totalOf } from '../../dist/bench/operations.js';
import { openProduct, SHAPES } from '../../dist/bench/products.js';
import { PROFILED_PASSES, profileModel } from '../../dist/bench/profile.js';
import { openOrt } from '../../dist/engine/ort.js';
import { load, machine, median, sha256 } from '../machine.mjs';
import { batchesOf } from './texts.mjs';

const { values: options } = parseArgs({
  options: {
    source: { type: 'string' }, // folder of model.onnx (fp32) and tokenizer.json
    int8: { type: 'string' },
    texts: { type: 'string' },
    out: { type: 'string' },
    width: { type: 'string', default: '50' },
    tokens: { type: 'string', default: '1000' },
    threads: { type: 'string', default: '1' }, // of every session here
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '1' },
  },
});
for (const name of ['source', 'int8', 'texts', 'out']) {
  if (options[name] === undefined) {
    console.error(`roof.mjs: --${name} is needed; see README.md`);
    process.exit(2);
  }
}
const threads = Number(options.threads);

/** A plain product as `embedkit bench` measures it. */
async function product(kind, shape) {
  const { run } = await openProduct(kind, shape, threads);
  const [m, k, n] = shape;
  const name = `${kind === 'int8' ? 'u8 x s8 MatMulInteger' : 'fp32 MatMul'} ${m} x ${k} x ${n}`;
  return { name, kind, operations: 2 * m * k * n, run };
}

/** The model as embedkit opens it; its operations are counted from the shapes that the runtime reports of its nodes, and profiled in one thread. */
async function whole(name, kind, path, batch) {
  const engine = await openOrt(path, { threads });
  const [classes] = await profileModel({ modelPath: path, batches: [batch] });
  const { int8, fp32, attention } = totalOf(classes);
  return { name, kind, isModel: true, operations: int8 + fp32, attention, classes, run: () => engine.run(batch) };
}

async function rate({ run, operations }) {
  await run();
  const start = performance.now();
  let passes = 0;
  do {
    await run();
    passes++;
  } while (performance.now() - start < Number(options.seconds) * 1000);
  const seconds = (performance.now() - start) / 1000;
  return { passes, seconds, gops: (operations * passes) / seconds / 1e9 };
}

const width = Number(options.width);
const { rows, ids } = batchesOf(options.texts, join(options.source, 'tokenizer.json'), [width], Number(options.tokens)).get(width);
const batch = { rows, width, ids: Int32Array.from(ids) };
const source = join(options.source, 'model.onnx');
const subjects = [await whole('embedkit INT8', 'int8', options.int8, batch), await whole('fp32 source', 'fp32', source, batch)];
for (const shape of SHAPES) subjects.push(await product('int8', shape), await product('fp32', shape));

const result = {
  machine: machine(),
  versions: { 'onnxruntime-node': env.versions.node },
  files: Object.fromEntries([options.int8, source].map((file) => [basename(file), sha256(file)])),
  options: { rows, width, threads, rounds: +options.rounds, seconds: +options.seconds },
  operations: Object.fromEntries(subjects.map(({ name, operations, attention = 0 }) => [name, { operations, attention }])),
  profile: Object.fromEntries(subjects.filter(({ isModel }) => isModel).map(({ name, classes }) => [name, classes])),
  before: load(),
  after: null,
  runs: [],
};
for (let round = 1; round <= result.options.rounds; round++) {
  for (const subject of subjects) result.runs.push({ round, name: subject.name, ...(await rate(subject)) });
}
result.after = load();

const gops = (name, round) => result.runs.find((run) => run.name === name && run.round === round).gops;
const rounds = Array.from({ length: result.options.rounds }, (_, at) => at + 1);
const spread = (numbers, digits) =>
  `${median(numbers).toFixed(digits)} (${Math.min(...numbers).toFixed(digits)}–${Math.max(...numbers).toFixed(digits)})`;
const plain = (kind) => subjects.filter((one) => !one.isModel && one.kind === kind);
const share = ({ name, kind }, round) => (100 * gops(name, round)) / Math.max(...plain(kind).map((one) => gops(one.name, round)));
const spreadOf = (one, figure) => {
  const figures = rounds.map((round) => figure(one, round));
  return spread(figures, 1);
};
const gopsOf = ({ name }, round) => gops(name, round);
const beside = (one) => (one.attention ? spreadOf(one, ({ name }, round) => (gops(name, round) * one.attention) / one.operations) : '');
const profileTable = ({ name, classes, operations, attention }) => {
  const total = Object.values(classes).reduce((sum, one) => sum + one.milliseconds, 0);
  const lines = Object.entries(classes)
    .toSorted(([, a], [, b]) => b.milliseconds - a.milliseconds)
    .map(([op, one]) => {
      const products = one.int8 + one.fp32 + one.attention;
      const speed = products ? (products / one.milliseconds / 1e6).toFixed(0) : '';
      return `| ${op} | ${+one.nodes.toFixed(2)} | ${one.milliseconds.toFixed(2)} | ${((100 * one.milliseconds) / total).toFixed(1)} | ${speed} |`;
    });
  const head = `${name}, by operator: one profiled thread, mean of ${PROFILED_PASSES} passes; ${total.toFixed(1)} ms in kernels, ${(operations / 1e9).toFixed(2)} G operations a pass in products by weights, ${(attention / 1e9).toFixed(2)} G in attention's`;
  return ['', head, '', '| operator | nodes | ms a pass | % | G operations/s |', '|---|---|---|---|---|', ...lines];
};
const table = `${[
  `${rows} texts of ${width} tokens; ${threads} thread${threads > 1 ? 's' : ''} a session, one process; medians (min–max) of ${rounds.length} alternating rounds of ${options.seconds} s.`,
  '',
  "| | G operations/s | % of the round's best plain product of its type | attention's besides, G operations/s |",
  '|---|---|---|---|',
  ...subjects.map((one) => `| ${[one.name, spreadOf(one, gopsOf), spreadOf(one, share), beside(one)].join(' | ')} |`),
  ...subjects.filter(({ isModel }) => isModel).flatMap(profileTable),
  '',
  `- Operations: 2MKN of each product by weights as executed, the last layer's CLS row alone where the graph cuts to it; attention's two products stand apart, nothing else counts. Attention is fp32 in every model here. Outlier channels that the INT8 copies count as executed. The time is the whole pass's, whatever it is spent on.`,
  `- ${result.machine.cpu}, ${result.machine.cores} cores, Node ${result.machine.node}, onnxruntime-node ${result.versions['onnxruntime-node']}; load average ${result.before.load_average[0].toFixed(2)} before.`,
].join('\n')}\n`;
mkdirSync(options.out, { recursive: true });
const stem = join(options.out, `roof-${threads}`);
writeFileSync(`${stem}.json`, `${JSON.stringify(result, null, 1)}\n`);
writeFileSync(`${stem}.md`, table);
console.log(table);
process.exit(0); // the sessions hold threads
