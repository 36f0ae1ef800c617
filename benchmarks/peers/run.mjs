// Runs embedkit and its peers in turn and writes OUT/peers.json (every run) and OUT/peers.md (a table).
// Usage and caveats: README.md. Nothing here asserts a timing.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { load, machine, sha256 } from '../machine.mjs';
import { markdown } from './table.mjs';

const DIM = 384;
const BATCH = 32;
const BATCHES = [1, 2, 4, 8, 16, 32, 64, 128, 256];
// variant: which file or arithmetic, where a peer has several. sort: the loop is ours, and sorts by length. sortable: a user gains by sorting the texts by length around it. sentence-transformers
// sorts by itself; npm fastembed pads every text to 512 tokens, so order is nothing to it.
const PEERS = [
  { id: 'fastembed_py', name: 'fastembed (Python)', script: 'fastembed_py.py', sortable: true },
  { id: 'sentence_transformers_py', name: 'sentence-transformers', script: 'sentence_transformers_py.py' },
  { id: 'transformers_js', name: 'transformers.js', script: 'transformers_js.mjs', sortable: true },
  { id: 'sentence_transformers_bf16', name: 'sentence-transformers, bf16', script: 'sentence_transformers_py.py', variant: 'bf16' },
  { id: 'transformers_js_q8', name: 'transformers.js, q8', script: 'transformers_js.mjs', variant: 'q8' },
  { id: 'onnxruntime_fp32', name: 'onnxruntime fp32, length-sorted loop', script: 'onnxruntime_py.py', variant: 'fp32', sort: true },
  {
    id: 'onnxruntime_int8',
    name: 'onnxruntime dynamic INT8, length-sorted loop',
    script: 'onnxruntime_py.py',
    variant: 'int8',
    sort: true,
  },
  { id: 'openvino_bf16', name: 'OpenVINO bf16, length-sorted loop', script: 'openvino_py.py', variant: 'bf16', sort: true },
  {
    id: 'openvino_int8',
    name: "OpenVINO on embedkit's INT8 as QDQ, batches of equal length",
    script: 'openvino_py.py',
    variant: 'int8',
    sort: true,
  },
  { id: 'fastembed_js', name: 'fastembed (npm)', script: 'fastembed_js.mjs' },
];

const { values: options } = parseArgs({
  options: {
    scratch: { type: 'string' }, // what setup.sh filled
    model: { type: 'string' }, // embedkit's model folder
    source: { type: 'string' }, // the folder setup.sh was given
    texts: { type: 'string' },
    out: { type: 'string' },
    limit: { type: 'string', default: '1000' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
    'sweep-limit': { type: 'string', default: '256' }, // 256 texts: the largest batch is a full one
    best: { type: 'string', default: '' }, // "fastembed_py=1,transformers_js=1": batches known, not swept
    peers: { type: 'string', default: PEERS.map((p) => p.id).join(',') },
    sorted: { type: 'boolean', default: false }, // also the sortable peers with --sort, in a table of their own
    timeout: { type: 'string', default: '1800' }, // seconds for one run
  },
});
for (const name of ['scratch', 'model', 'source', 'texts', 'out']) {
  if (options[name] === undefined) {
    console.error(`run.mjs: --${name} is needed; see README.md`);
    process.exit(2);
  }
}
const here = fileURLToPath(new URL('.', import.meta.url));
const scratch = resolve(options.scratch);
const threads = Number(options.threads);
const limit = Number(options.limit);
const rounds = Number(options.rounds);
const python = join(scratch, 'venv/bin/python');
const peerModel = join(scratch, 'hf/bge-small-en-v1.5');
const wanted = options.peers.split(',');
const known = new Map(
  options.best
    .split(',')
    .filter(Boolean)
    .map((pair) => [pair.split('=')[0], Number(pair.split('=')[1])]),
);

const embedkits = [
  { id: 'embedkit_fp32', name: 'embedkit fp32', script: 'embedkit.mjs', precision: 'fp32' }, // the vectors of a round are held against its
  { id: 'embedkit_int8', name: 'embedkit INT8', script: 'embedkit.mjs', precision: 'int8' },
];
const peers = PEERS.filter((p) => wanted.includes(p.id));
const subjects = [
  ...peers,
  ...peers.filter((p) => p.sortable && options.sorted).map((p) => ({ ...p, id: `${p.id}_sorted`, name: `${p.name}, sorted`, sort: true })),
];

const result = { machine: subjectFacts(), before: load(), after: null, sweep: {}, best: {}, failed: {}, runs: [] };
const outFolder = resolve(options.out);
mkdirSync(outFolder, { recursive: true });
const save = () => writeFileSync(join(outFolder, 'peers.json'), `${JSON.stringify(result, null, 2)}\n`);
save();

// 1. The best batch of each subject, over fewer texts.
for (const subject of subjects) {
  if (known.has(subject.id)) {
    result.best[subject.id] = known.get(subject.id);
    continue;
  }
  const swept = BATCHES.map((batch) => ({ batch, ...once(subject, batch, Number(options['sweep-limit'])) }));
  result.sweep[subject.id] = swept;
  const fastest = swept.filter((r) => !r.error).sort((a, b) => a.seconds - b.seconds)[0];
  if (fastest) result.best[subject.id] = fastest.batch;
  else result.failed[subject.id] = swept[0].error;
  save();
}

// 2. The rounds: every round runs everything once, in the same order, each in a fresh process.
for (let round = 1; round <= rounds; round++) {
  let reference; // the vectors the others of this round are held against: embedkit fp32's
  for (const subject of [...embedkits, ...subjects]) {
    if (result.failed[subject.id]) continue; // no batch of its sweep ran
    for (const batch of new Set([BATCH, subject.precision ? BATCH : result.best[subject.id]])) {
      const vectorsFile = join(scratch, 'vectors.f32');
      const run = { round, id: subject.id, batch, ...once(subject, batch, limit, vectorsFile) };
      if (!run.error) {
        const vectors = floats(vectorsFile);
        reference ??= { id: subject.id, vectors };
        run.cosine = { against: reference.id, ...cosines(vectors, reference.vectors) };
        rmSync(vectorsFile);
      }
      result.runs.push(run);
      save();
    }
  }
}
result.after = load();
save();
const table = markdown({ result, subjects, embedkits, options, batch: BATCH, batches: BATCHES });
writeFileSync(join(outFolder, 'peers.md'), table);
console.log(table);

/** One process: its JSON line and what the machine was doing, or { error }. */
function once(subject, batch, texts, vectorsFile) {
  const [command, model] = [subject.script.endsWith('.py') ? python : process.execPath, subject.precision ? options.model : peerModel];
  const args = [join(here, subject.script), '--model', resolve(model), '--texts', resolve(options.texts)];
  args.push('--limit', `${texts}`, '--batch', `${batch}`, '--threads', `${threads}`);
  if (subject.sort) args.push('--sort');
  if (subject.variant) args.push('--variant', subject.variant);
  if (subject.precision) args.push('--precision', subject.precision);
  if (vectorsFile) args.push('--vectors', vectorsFile);
  const env = { ...process.env };
  if (!subject.precision) {
    env.NODE_PATH = join(scratch, 'node/node_modules');
    env.PYTHONDONTWRITEBYTECODE = '1';
    // npm fastembed's tokenizer works in libuv's pool, 4 threads unless told.
    env.UV_THREADPOOL_SIZE = `${threads}`;
  }
  process.stderr.write(`${subject.name}, batch ${batch}, ${texts} texts: `);
  const before = load();
  const child = spawnSync(command, args, { env, encoding: 'utf8', timeout: Number(options.timeout) * 1000, maxBuffer: 1 << 26 });
  const after = load();
  const line = child.stdout?.trim().split('\n').at(-1);
  if (child.error || child.status !== 0 || !line) {
    const error = reason(child);
    process.stderr.write(`could not run: ${error}\n`);
    return { error };
  }
  const run = JSON.parse(line);
  process.stderr.write(`${run.seconds} s\n`);
  const total = after.cpu_ticks - before.cpu_ticks;
  return {
    ...run,
    load_average_before: before.load_average[0],
    steal_percent: +((100 * (after.steal_ticks - before.steal_ticks)) / Math.max(1, total)).toFixed(2),
  };
}

function reason(child) {
  if (child.error) return child.error.message;
  const lines = (child.stderr ?? '').split('\n').map((l) => l.trim());
  const said = lines.findLast((l) => /error/i.test(l)) ?? lines.findLast(Boolean) ?? 'no message';
  // Results are published: no paths of this machine.
  const tidy = said.replaceAll(resolve(here, '../..'), 'embedkit').replaceAll(scratch, 'SCRATCH');
  return `${child.signal ?? `exit code ${child.status}`}: ${tidy}`;
}

function floats(file) {
  const bytes = readFileSync(file);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

function cosines(a, b) {
  if (a.length !== b.length) throw new Error(`${a.length} floats against ${b.length}`);
  let min = Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let row = 0; row < a.length; row += DIM) {
    let [ab, aa, bb] = [0, 0, 0];
    for (let i = row; i < row + DIM; i++) {
      ab += a[i] * b[i];
      aa += a[i] * a[i];
      bb += b[i] * b[i];
    }
    const cosine = ab / Math.sqrt(aa * bb);
    min = Math.min(min, cosine); // a NaN stays, and is written as null
    sum += cosine;
  }
  return { min, mean: sum / (a.length / DIM) };
}

/** The machine and what is measured on it; refuses peers that hold another ONNX file. */
function subjectFacts() {
  const onnx = sha256(join(options.source, 'model.onnx'));
  if (sha256(join(peerModel, 'onnx/model.onnx')) !== onnx) throw new Error("the peers' ONNX file is not --source's: run setup.sh again");
  return {
    ...machine(),
    python: spawnSync(python, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? 'none',
    onnx_sha256: onnx,
    texts: { file: basename(options.texts), sha256: sha256(options.texts), limit },
    embedkit_model: basename(resolve(options.model)),
    embedkit_files: JSON.parse(readFileSync(join(options.model, 'embedkit.json'), 'utf8')).files, // checked on opening
    threads,
    rounds,
  };
}
