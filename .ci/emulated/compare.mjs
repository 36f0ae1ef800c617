// Does an INT8 model give the same vectors on CPUs that this machine does not have? Runs it natively and under user-mode emulators.
// Not a quality gate (that is `quantize`): vectors are compared with the same model's, not with fp32. Called by run.sh.
//
//   node compare.mjs CONTROL.onnx [SAFE.onnx] [--arm64 ROOT] [--optimize all] [--installed-seconds N]
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createTokenizer } from '../../dist/tokens/tokenizer.js';
import { judge } from './judge.mjs';

const MODEL = fileURLToPath(new URL('../../models/bge-small-en-v1.5/', import.meta.url));
const HERE = fileURLToPath(new URL('.', import.meta.url));
const MAX_TOKENS = 130;
const LIMIT_MS = 5 * 60_000;
// AVX2 and FMA without AVX-512 and VNNI; what the emulator lacks of a Haswell is named, or it warns on every thread.
const HASWELL = ['qemu-x86_64', '-cpu', 'Haswell-noTSX,-pcid,-x2apic,-tsc-deadline,-invpcid', process.execPath];
// Dot-product instructions, exact 32-bit sums.
const arm64 = (root) => ['qemu-aarch64', '-cpu', 'neoverse-n1', '-L', root, join(root, 'package/bin/node')];

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { arm64: { type: 'string' }, optimize: { type: 'string', default: 'all' }, 'installed-seconds': { type: 'string' } },
});
const [control, safe = join(MODEL, 'model.int8.onnx')] = positionals;
if (control === undefined) throw new Error('usage: compare.mjs CONTROL.onnx [SAFE.onnx] [--arm64 ROOT] [--optimize all]');
const models = { safe, control };
const cpus = { native: [process.execPath], Haswell: HASWELL, ...(values.arm64 === undefined ? {} : { arm64: arm64(values.arm64) }) };

const folder = mkdtempSync(join(tmpdir(), 'emulated-'));
const stop = new AbortController();
try {
  process.exitCode = await main();
} catch (error) {
  console.error(`FAILED: ${error.message}`);
  process.exitCode = 1;
} finally {
  // Where one run failed, the others are still going.
  stop.abort();
  rmSync(folder, { recursive: true, force: true });
}

async function main() {
  const hostHasVnni = /\b(avx512_vnni|avx_vnni)\b/.test(readFileSync('/proc/cpuinfo', 'utf8'));
  console.log(`host: ${hostHasVnni ? 'VNNI (8-bit sums are exact)' : 'no VNNI (8-bit sums can saturate, as on Haswell)'}`);
  if (values['installed-seconds'] !== undefined) console.log(`installs: ${values['installed-seconds']} s`);
  if (cpus.arm64 === undefined) console.log('arm64: its parts could not be had; not compared');
  for (const path of Object.values(models)) if (!existsSync(path)) throw new Error(`${path}: no such file`);
  const started = performance.now();
  const cosines = await compareAll(await writeIds());
  console.log(`compared in ${seconds(performance.now() - started)} s`);
  const { lines, ok } = judge(cosines, hostHasVnni);
  for (const line of lines) console.log(line);
  return ok ? 0 : 1;
}

async function writeIds() {
  const tokenizer = createTokenizer(JSON.parse(readFileSync(join(MODEL, 'tokenizer.json'), 'utf8')));
  const texts = JSON.parse(readFileSync(join(HERE, 'texts.json'), 'utf8'));
  const ids = texts.map((text) => tokenizer.encode(text, MAX_TOKENS).ids);
  console.log(`texts: ${ids.map((list) => list.length).join(', ')} tokens`);
  const path = join(folder, 'ids.json');
  await writeFile(path, JSON.stringify(ids));
  return path;
}

/** {model: {cpu: [cosine of each text to the native vectors]}}; all pairs of model and CPU run at once, the cores share them. */
async function compareAll(idsPath) {
  const pairs = Object.keys(models).flatMap((model) => Object.keys(cpus).map((cpu) => ({ model, cpu })));
  const runs = await Promise.all(pairs.map((pair) => runPair(pair, idsPath)));
  const cosines = {};
  for (const run of runs) {
    const native = runs.find((other) => other.model === run.model && other.cpu === 'native');
    const row = run.vectors.map((vector, text) => cosine(vector, native.vectors[text]));
    if (run.cpu !== 'native') cosines[run.model] = { ...cosines[run.model], [run.cpu]: row };
    report(run, row, run.bytes.equals(native.bytes));
  }
  return cosines;
}

async function runPair({ model, cpu }, idsPath) {
  const out = join(folder, `${model}-${cpu}.f32`);
  const [command, ...before] = cpus[cpu];
  const args = [...before, join(HERE, 'vectors.mjs'), models[model], idsPath, out, '--optimize', values.optimize];
  const timing = JSON.parse(await stdoutOf(command, args, `${model} model on ${cpu}`));
  const bytes = readFileSync(out);
  const floats = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const dim = floats.length / timing.runMs.length;
  return { model, cpu, bytes, timing, vectors: timing.runMs.map((_, text) => floats.subarray(text * dim, (text + 1) * dim)) };
}

function stdoutOf(command, args, name) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: LIMIT_MS, signal: stop.signal });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => (code === 0 ? resolve(text) : reject(new Error(`${name}: ended with ${signal ?? code}`))));
  });
}

function report({ model, cpu, timing }, row, sameBits) {
  const times = `opened in ${seconds(timing.openMs)} s, ran ${timing.runMs.map(seconds).join(' ')} s`;
  const found =
    cpu === 'native' ? '' : `; cosine ${row.map((value) => value.toFixed(6)).join(' ')}, ${sameBits ? 'same bits' : 'other bits'}`;
  console.log(`${model.padEnd(7)} ${cpu.padEnd(7)} (${timing.arch}) ${times}${found}`);
}

function cosine(a, b) {
  let dot = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (let index = 0; index < a.length; index++) {
    dot += a[index] * b[index];
    squaresA += a[index] ** 2;
    squaresB += b[index] ** 2;
  }
  return dot / Math.sqrt(squaresA * squaresB);
}

function seconds(milliseconds) {
  return (milliseconds / 1000).toFixed(1);
}
