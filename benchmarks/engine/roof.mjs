// How much of the machine's plain products the model reaches, in one process and thread budget, and where its time goes.
// Writes OUT/roof.json and OUT/roof.md. Usage and caveats: README.md. Nothing here asserts a timing.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import { openGraph, openOrt } from '../../dist/engine/ort.js';
import { GraphBuilder } from '../../dist/onnx/build.js';
import { DATA_TYPE, ModelProto } from '../../dist/onnx/proto.js';
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
const PROFILED_PASSES = 8;
const SHAPES = [
  [1024, 1024, 1024],
  [2048, 2048, 2048],
  [800, 384, 1536],
];
// What the runtime calls products of two matrices, M x K by K x N.
const PRODUCTS = ['MatMul', 'FusedMatMul', 'Gemm', 'MatMulInteger', 'MatMulIntegerToFloat', 'DynamicQuantizeMatMul', 'FusedGemm'];
const random = (count, Type, scale) => Type.from({ length: count }, () => (Math.random() - 0.5) * scale + (Type === Uint8Array ? 128 : 0));

/** x (M x K) by a constant (K x N); all of the product is computed and one row handed back, so that no copy is timed. */
async function product(kind, [m, k, n]) {
  const isInt8 = kind === 'int8';
  const graph = new GraphBuilder();
  graph.constant('w', isInt8 ? random(k * n, Int8Array, 200) : random(k * n, Float32Array, 1), [k, n]);
  graph.node(isInt8 ? 'MatMulInteger' : 'MatMul', 'product', ['x', 'w']);
  graph.node('Slice', 'row', ['product', graph.integers('from', [0]), graph.integers('to', [1])]);
  const inputs = [{ name: 'x', type: isInt8 ? DATA_TYPE.UINT8 : DATA_TYPE.FLOAT, dims: [m, k] }];
  const outputs = [{ name: 'row', type: isInt8 ? DATA_TYPE.INT32 : DATA_TYPE.FLOAT, dims: [1, n] }];
  const runner = await openGraph(ModelProto.encode(graph.model({ inputs, outputs, opset: 17 })).finish(), threads);
  const data = isInt8 ? random(m * k, Uint8Array, 250) : random(m * k, Float32Array, 1);
  const x = { type: isInt8 ? 'uint8' : 'float32', dims: [m, k], data };
  return {
    name: `${isInt8 ? 'u8 x s8 MatMulInteger' : 'fp32 MatMul'} ${m} x ${k} x ${n}`,
    kind,
    operations: 2 * m * k * n,
    run: () => runner.run({ x }),
  };
}

/** The model as embedkit opens it; its operations are counted from the shapes that the runtime reports of its nodes. */
async function whole(name, kind, path, batch) {
  const engine = await openOrt(path, { threads });
  const { operations, classes } = await profile(path, batch);
  return { name, kind, isModel: true, operations, classes, run: () => engine.run(batch) };
}

async function profile(path, { rows, width, ids }) {
  const folder = mkdtempSync(join(tmpdir(), 'embedkit-roof-'));
  env.logLevel = 'error';
  const session = await InferenceSession.create(path, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    enableMemPattern: false,
    logSeverityLevel: 3,
    enableProfiling: true,
    profileFilePrefix: join(folder, 'run'),
    extra: { session: { intra_op: { allow_spinning: '0' }, qdq_matmulnbits_accuracy_level: '1' } },
  });
  const constant = { attention_mask: 1n, token_type_ids: 0n };
  const tensor = (input) =>
    new Tensor(
      'int64',
      BigInt64Array.from(ids, (id) => constant[input] ?? BigInt(id)),
      [rows, width],
    );
  const feeds = Object.fromEntries(session.inputNames.map((input) => [input, tensor(input)]));
  for (let pass = 0; pass <= PROFILED_PASSES; pass++) await session.run(feeds);
  session.endProfiling();
  const events = JSON.parse(readFileSync(join(folder, readdirSync(folder)[0]), 'utf8'));
  rmSync(folder, { recursive: true });
  const nodes = events.filter((event) => event.cat === 'Node' && event.name.endsWith('_kernel_time'));
  return summed(nodes.slice(nodes.length / (PROFILED_PASSES + 1))); // the first pass allocates
}

function summed(nodes) {
  const classes = {};
  for (const { args, dur } of nodes) {
    classes[args.op_name] ??= { milliseconds: 0, nodes: 0, operations: 0 };
    const one = classes[args.op_name];
    one.milliseconds += dur / 1000 / PROFILED_PASSES;
    one.nodes += 1 / PROFILED_PASSES;
    one.operations += operationsOf(args) / PROFILED_PASSES;
  }
  return { classes, operations: Object.values(classes).reduce((sum, one) => sum + one.operations, 0) };
}

/** Multiplications and additions of a node's matrix products; 0 for any other node. */
function operationsOf({ op_name, input_type_shape, output_type_shape }) {
  const shape = (list, at) => Object.values(list[at])[0];
  const input = shape(input_type_shape, 0);
  const output = shape(output_type_shape, 0);
  // Each value of the output is a sum over the input's last axis. (A prepacked weight is not among the inputs.)
  if (PRODUCTS.includes(op_name)) return 2 * output.reduce((a, b) => a * b) * input.at(-1);
  const [rows, queries, hidden] = output;
  if (op_name === 'MultiHeadAttention') return 4 * rows * queries * shape(input_type_shape, 1)[1] * hidden;
  if (op_name === 'Attention' || op_name === 'QAttention')
    return 2 * rows * queries * input.at(-1) * 3 * hidden + 4 * rows * queries * queries * hidden;
  return 0;
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
  operations: Object.fromEntries(subjects.map(({ name, operations }) => [name, operations])),
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
const profileTable = ({ name, classes, operations }) => {
  const total = Object.values(classes).reduce((sum, one) => sum + one.milliseconds, 0);
  const lines = Object.entries(classes)
    .toSorted(([, a], [, b]) => b.milliseconds - a.milliseconds)
    .map(([op, one]) => {
      const speed = one.operations ? (one.operations / one.milliseconds / 1e6).toFixed(0) : '';
      return `| ${op} | ${+one.nodes.toFixed(2)} | ${one.milliseconds.toFixed(2)} | ${((100 * one.milliseconds) / total).toFixed(1)} | ${speed} |`;
    });
  const head = `${name}, by operator: one profiled process, mean of ${PROFILED_PASSES} passes; ${total.toFixed(1)} ms in kernels, ${(operations / 1e9).toFixed(2)} G operations a pass`;
  return ['', head, '', '| operator | nodes | ms a pass | % | G operations/s |', '|---|---|---|---|---|', ...lines];
};
const table = `${[
  `${rows} texts of ${width} tokens; ${threads} thread${threads > 1 ? 's' : ''} a session, one process; medians (min–max) of ${rounds.length} alternating rounds of ${options.seconds} s.`,
  '',
  '| | G operations/s | % of the best plain product of its type in that round |',
  '|---|---|---|',
  ...subjects.map(
    (one) =>
      `| ${one.name} | ${spread(
        rounds.map((r) => gops(one.name, r)),
        1,
      )} | ${spread(
        rounds.map((r) => share(one, r)),
        1,
      )} |`,
  ),
  ...subjects.filter(({ isModel }) => isModel).flatMap(profileTable),
  '',
  '- Operations: 2MKN of each product as executed, those of attention included, the last layer cut to the CLS row where the graph does so; nothing else counts. Products in attention are fp32 in every model here.',
  `- ${result.machine.cpu}, ${result.machine.cores} cores, Node ${result.machine.node}, onnxruntime-node ${result.versions['onnxruntime-node']}; load average ${result.before.load_average[0].toFixed(2)} before.`,
].join('\n')}\n`;
mkdirSync(options.out, { recursive: true });
const stem = join(options.out, `roof-${threads}`);
writeFileSync(`${stem}.json`, `${JSON.stringify(result, null, 1)}\n`);
writeFileSync(`${stem}.md`, table);
console.log(table);
process.exit(0); // the sessions hold threads
