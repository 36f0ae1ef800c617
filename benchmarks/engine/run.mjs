// Speed and cosines of engines on batches of about 1,000 tokens, in alternating rounds; writes OUT/engine.json and OUT/engine.md.
// Usage and caveats: README.md. Nothing here asserts a timing.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { load, machine, sha256 } from '../machine.mjs';
import { markdown } from './table.mjs';
import { batchesOf } from './texts.mjs';

const { values: options } = parseArgs({
  options: {
    scratch: { type: 'string' }, // what setup.sh filled
    source: { type: 'string' }, // folder of model.onnx (fp32) and tokenizer.json
    int8: { type: 'string' }, // embedkit's INT8, fused form
    qdq: { type: 'string' }, // embedkit's INT8, QDQ form: what `embedkit quantize --format qdq` writes
    texts: { type: 'string' }, // a text a line
    out: { type: 'string' },
    widths: { type: 'string', default: '50,8,128,256' }, // tokens a text
    tokens: { type: 'string', default: '1000' }, // tokens a batch
    blocks: { type: 'string', default: '3' }, // times that every engine is started anew
    rounds: { type: 'string', default: '3' }, // rounds a block
    seconds: { type: 'string', default: '1' }, // one measurement
    engines: { type: 'string', default: '' }, // only those whose id contains one of these
  },
});
for (const name of ['scratch', 'source', 'int8', 'qdq', 'texts', 'out']) {
  if (options[name] === undefined) {
    console.error(`run.mjs: --${name} is needed; see README.md`);
    process.exit(2);
  }
}
const here = fileURLToPath(new URL('.', import.meta.url));
const python = join(resolve(options.scratch), 'venv/bin/python');
const files = {
  fp32: resolve(options.source, 'model.onnx'),
  int8: resolve(options.int8),
  dynamic: resolve(options.scratch, 'dynamic.onnx'),
  qdq: resolve(options.qdq),
};
for (const file of Object.values(files)) if (!existsSync(file)) throw new Error(`${basename(file)} is missing: see README.md`);

// What cosines are against.
const REFERENCE = 'fp32-node-1x1';
const vectorsOf = new Map(); // a start's CLS vectors of the 50-token texts; the results keep their cosines
// sessions x threads of each: what a budget of one or two threads can be spent on.
const ONE_SESSION = [
  [1, 1],
  [1, 2],
];
const EVERY = [...ONE_SESSION, [2, 1]];
const HINTS = [
  [1, 'LATENCY'],
  [2, 'LATENCY'],
  [2, 'THROUGHPUT'],
];
const onNode = (model, name) => EVERY.map(([sessions, threads]) => ({ runtime: 'node', model, name, sessions, threads }));
const onPython = (model, name) => ONE_SESSION.map(([sessions, threads]) => ({ runtime: 'onnxruntime', model, name, sessions, threads }));
const onOpenvino = ['static', 'dynamic'].flatMap((shapes) =>
  HINTS.map(([threads, hint]) => {
    const name = `embedkit INT8 as QDQ, OpenVINO, ${shapes} shapes, ${hint.toLowerCase()} hint`;
    return { runtime: 'openvino', model: 'qdq', name, sessions: 1, threads, hint, shapes };
  }),
);
const engines = [
  ...onNode('int8', 'embedkit INT8, onnxruntime-node'),
  ...onNode('fp32', 'fp32 source, onnxruntime-node'),
  ...onPython('fp32', 'fp32 source, onnxruntime in Python'),
  ...onNode('dynamic', 'dynamic INT8, onnxruntime-node'),
  ...onPython('dynamic', 'dynamic INT8, onnxruntime in Python'),
  ...onOpenvino,
]
  .map((e) => ({ id: [e.model, e.runtime, e.shapes, e.hint?.toLowerCase(), `${e.sessions}x${e.threads}`].filter(Boolean).join('-'), ...e }))
  .filter(({ id }) => options.engines === '' || options.engines.split(',').some((part) => id.includes(part)));

const widths = options.widths.split(',').map(Number);
const batches = batchesOf(options.texts, join(options.source, 'tokenizer.json'), [...new Set([...widths, 50])], Number(options.tokens));
const result = {
  machine: machine(),
  files: Object.fromEntries(Object.entries(files).map(([name, file]) => [name, { file: basename(file), sha256: sha256(file) }])),
  dynamic: JSON.parse(readFileSync(resolve(options.scratch, 'dynamic.json'), 'utf8')),
  texts: { file: basename(options.texts), sha256: sha256(options.texts) },
  python: spawnSync(python, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? 'none',
  options: { widths, tokens: +options.tokens, blocks: +options.blocks, rounds: +options.rounds, seconds: +options.seconds },
  reference: REFERENCE,
  batches: [...batches.values()].map(({ rows, width }) => ({ rows, width })),
  engines,
  before: load(),
  after: null,
  failed: {},
  starts: [],
  runs: [],
};
mkdirSync(options.out, { recursive: true });
const save = () => writeFileSync(join(options.out, 'engine.json'), `${JSON.stringify(result, null, 1)}\n`);

for (let block = 1; block <= result.options.blocks; block++) {
  const open = [];
  for (const engine of engines) {
    const one = await start(engine, block).catch((error) => ({ failed: error.message }));
    if (one.failed)
      result.failed[engine.id] = one.failed; // what it said is on standard error
    else open.push(one);
  }
  setCosines();
  for (const width of widths) {
    for (let round = 1; round <= result.options.rounds; round++) {
      // Another engine begins each round, so that none always follows the same one.
      const first = (round - 1 + (block - 1) * result.options.rounds) % open.length;
      for (const one of [...open.slice(first), ...open.slice(0, first)]) await measure(one, { block, round, width });
      save();
    }
  }
  await Promise.all(open.map(({ end }) => end()));
}
result.after = load();
save();
const table = markdown(result);
writeFileSync(join(options.out, 'engine.md'), table);
console.log(table);

/** Starts the process of an engine, waits until it has loaded, and takes its vectors of the 50-token texts. */
async function start(engine, block) {
  const { runtime, model, sessions, threads, hint, shapes } = engine;
  const settings = JSON.stringify({ engine: runtime, model: files[model], sessions, threads, hint, shapes });
  const [command, script] = runtime === 'node' ? [process.execPath, 'node_engine.mjs'] : [python, 'python_engine.py'];
  const child = spawn(command, [join(here, script), settings], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((done) => child.once('exit', done));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const reply = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${engine.id} ended with code ${await ended}`);
    return JSON.parse(value);
  };
  const ask = (message) => {
    child.stdin.write(`${JSON.stringify(message)}\n`);
    return reply();
  };
  const end = () => {
    child.stdin.end();
    return ended;
  };
  const facts = await reply();
  const { vectors, details } = await ask({ ...batches.get(50), vectors: true });
  const started = { block, id: engine.id, ...facts, ...(details ? { details } : {}) };
  result.starts.push(started);
  vectorsOf.set(started, vectors);
  return { engine, ask, end, seen: new Set() };
}

/** Each start's cosines to the reference, one a text; none where the reference was left out. */
function setCosines() {
  const reference = vectorsOf.get(result.starts.find(({ id }) => id === REFERENCE));
  if (!reference) return;
  for (const started of result.starts) started.cosines ??= vectorsOf.get(started).map((vector, row) => cosine(vector, reference[row]));
}

function cosine(a, b) {
  const dot = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

async function measure({ engine, ask, seen }, place) {
  const batch = batches.get(place.width);
  const before = load();
  // The first time at a width the runtime allocates; later one pass brings the weights back into the caches.
  const warm = seen.has(place.width) ? 1 : 3;
  seen.add(place.width);
  const { sessions } = await ask({ ...batch, warm, seconds: result.options.seconds });
  const tokens = batch.rows * batch.width;
  const tokens_per_second = sessions.reduce((sum, { passes, seconds }) => sum + (tokens * passes) / seconds, 0);
  const steal_ticks = load().steal_ticks - before.steal_ticks;
  result.runs.push({ ...place, id: engine.id, tokens_per_second, sessions, load_average: before.load_average[0], steal_ticks });
  process.stderr.write(
    `block ${place.block}, round ${place.round}, ${place.width} tokens, ${engine.id}: ${tokens_per_second.toFixed(0)} tokens/s\n`,
  );
}
