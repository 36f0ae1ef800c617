// What the Node peers share: arguments, timing, the JSON line.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

const DIM = 384;
// Unlike import, require finds packages through NODE_PATH, which run.mjs sets to SCRATCH/node/node_modules.
export const require = createRequire(import.meta.url);

/** load(args) imports the library and resolves to { versions, embed, close? }; embed(texts) to a Float32Array of N x 384. */
export async function run(peer, load) {
  const { values } = parseArgs({
    options: {
      model: { type: 'string' },
      texts: { type: 'string' },
      limit: { type: 'string', default: '1000' },
      batch: { type: 'string', default: '32' },
      threads: { type: 'string', default: '2' },
      vectors: { type: 'string' },
      sort: { type: 'boolean', default: false }, // longest text first, order restored after
      precision: { type: 'string', default: 'fp32' }, // embedkit's
      variant: { type: 'string', default: 'fp32' }, // which file of the model, where the peer has several
    },
  });
  const args = { ...values, limit: +values.limit, batch: +values.batch, threads: +values.threads };
  const texts = readFileSync(args.texts, 'utf8').replace(/\n$/, '').split('\n').slice(0, args.limit);

  let start = performance.now();
  const { versions, embed: plain, close } = await load(args);
  const loadSeconds = (performance.now() - start) / 1000;
  const embed = args.sort ? sortedByLength(plain) : plain;
  await embed(texts.slice(0, 32));

  start = performance.now();
  const vectors = await embed(texts);
  const seconds = (performance.now() - start) / 1000;

  if (!(vectors instanceof Float32Array) || vectors.length !== texts.length * DIM)
    throw new Error(`expected ${texts.length} x ${DIM} floats`);
  if (args.vectors) writeFileSync(args.vectors, new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength));
  console.log(
    JSON.stringify({
      peer,
      versions: { node: process.versions.node, ...versions },
      batch: args.batch,
      threads: args.threads,
      precision: args.precision,
      variant: args.variant,
      sorted: args.sort,
      texts: texts.length,
      load_seconds: +loadSeconds.toFixed(3),
      seconds: +seconds.toFixed(4),
      texts_per_second: +(texts.length / seconds).toFixed(2),
      peak_rss_mb: peakRssMb(),
    }),
  );
  await close?.();
}

/** Calls embedBatch on slices of `batch` texts and gathers the rows in one array. */
export async function inBatches(texts, batch, embedBatch) {
  const out = new Float32Array(texts.length * DIM);
  for (let i = 0; i < texts.length; i += batch) out.set(await embedBatch(texts.slice(i, i + batch)), i * DIM);
  return out;
}

/** The version of a package that may not export its package.json; `from` is a file inside it. */
export function versionOf(name, from = require.resolve(name)) {
  for (let dir = dirname(from); dir !== dirname(dir); dir = dirname(dir)) {
    try {
      const manifest = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
      if (manifest.name === name) return manifest.version;
    } catch {
      // no package.json in this folder
    }
  }
  return 'unknown';
}

function sortedByLength(embed) {
  return async (texts) => {
    const order = texts.map((_, i) => i).sort((a, b) => texts[b].length - texts[a].length);
    const rows = await embed(order.map((i) => texts[i]));
    const out = new Float32Array(rows.length);
    for (const [from, to] of order.entries()) out.set(rows.subarray(from * DIM, (from + 1) * DIM), to * DIM);
    return out;
  };
}

function peakRssMb() {
  // Not resourceUsage(): its maximum can be inherited from the process that started this one.
  const status = readFileSync('/proc/self/status', 'utf8');
  return +(Number(/VmHWM:\s+(\d+)/.exec(status)[1]) / 1024).toFixed(1);
}
