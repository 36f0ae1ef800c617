// Ids become vectors in one session of the runtime, without tokenizer, pool or worker threads: small enough for an emulated CPU.
// Not the product's path: the session's options repeat those of src/engine/ort.ts.
//
//   node vectors.mjs MODEL.onnx IDS.json OUT.f32 [--threads 1] [--optimize all|extended|basic|disabled]
//
// IDS.json holds a list of id lists; OUT.f32 gets one little-endian float32 row of length 1 for each of them. Standard output gets one
// line of JSON: {"arch", "openMs", "runMs": [a number for each list]}.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { env, InferenceSession, Tensor } from 'onnxruntime-node';

// What each input is fed with: the ids themselves, or one value for every token.
const FEEDS = { input_ids: 'ids', attention_mask: 1n, token_type_ids: 0n };

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { threads: { type: 'string', default: '1' }, optimize: { type: 'string', default: 'all' } },
});
const [modelPath, idsPath, outPath] = positionals;
if (outPath === undefined) throw new Error('usage: vectors.mjs MODEL.onnx IDS.json OUT.f32 [--threads 1] [--optimize all]');

const started = performance.now();
const session = await open(modelPath);
const openMs = Math.round(performance.now() - started);
const runMs = [];
const rows = [];
for (const ids of JSON.parse(readFileSync(idsPath, 'utf8'))) {
  const before = performance.now();
  rows.push(normalise(await firstRow(ids)));
  runMs.push(Math.round(performance.now() - before));
}
writeFileSync(outPath, Buffer.concat(rows.map((row) => Buffer.from(row.buffer))));
console.log(JSON.stringify({ arch: process.arch, openMs, runMs }));

function open(path) {
  env.logLevel = 'error';
  return InferenceSession.create(path, {
    intraOpNumThreads: Number(values.threads),
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: values.optimize,
    enableMemPattern: false,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
    logSeverityLevel: 3,
  });
}

/** The vector of one text, not normalised: the CLS row of [1, tokens, dim], or the row of [1, dim]. */
async function firstRow(ids) {
  const feeds = Object.fromEntries(session.inputNames.map((name) => [name, feed(name, ids)]));
  const output = session.outputNames[0];
  const { data, dims, type } = (await session.run(feeds, [output]))[output];
  if (type !== 'float32' || dims[0] !== 1 || (dims.length !== 2 && dims.length !== 3)) {
    throw new Error(`output "${output}" is ${type} [${dims}], not float32 [1, dim] or [1, tokens, dim]`);
  }
  return data.subarray(0, dims.at(-1));
}

function feed(name, ids) {
  const value = FEEDS[name];
  if (value === undefined) throw new Error(`the model wants an input "${name}"; known are ${Object.keys(FEEDS).join(', ')}`);
  const data = value === 'ids' ? BigInt64Array.from(ids, BigInt) : new BigInt64Array(ids.length).fill(value);
  return new Tensor('int64', data, [1, ids.length]);
}

function normalise(row) {
  let squares = 0;
  for (const value of row) squares += value * value;
  const length = Math.sqrt(squares);
  if (!(length > 0 && Number.isFinite(length))) throw new Error(`a vector of length ${length}`);
  return Float32Array.from(row, (value) => value / length);
}
