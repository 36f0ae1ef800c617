// A run with a stub for a model that kills itself, for real, ahead of its N-th write operation: node killed-run.mjs FOLDER N
import { join } from 'node:path';
import { realDisk } from '../../dist/columns/disk.js';
import { runJob } from '../../dist/job/run.js';
import { fingerprint } from '../../dist/model/settings.js';
import { createTokenizer } from '../../dist/tokens/tokenizer.js';

const [folder, last] = process.argv.slice(2);
let operations = 0;

function before() {
  if (++operations === Number(last)) process.kill(process.pid, 'SIGKILL');
}

const changing =
  (name) =>
  async (...args) => {
    before();
    return realDisk[name](...args);
  };
const disk = {
  ...realDisk,
  ...Object.fromEntries(['truncate', 'rename', 'syncFolder', 'makeFolder', 'remove'].map((name) => [name, changing(name)])),
  open: async (...args) => {
    before();
    const file = await realDisk.open(...args);
    const write = async (bytes) => {
      before();
      await file.write(bytes.subarray(0, bytes.length >> 1));
      before();
      await file.write(bytes.subarray(bytes.length >> 1));
    };
    const sync = async () => {
      before();
      await file.sync();
    };
    return { write, sync, close: file.close };
  },
};

/** Vectors of length 1 whose first two values are a function of the ids. */
async function run({ ids, rows, width }) {
  const vectors = new Float32Array(rows * 384);
  for (let row = 0; row < rows; row++) {
    const angle = ids.subarray(row * width, (row + 1) * width).reduce((sum, id) => (sum * 31 + id) % 9973, 7);
    vectors.set([Math.cos(angle), Math.sin(angle)], row * 384);
  }
  return vectors;
}

const startModel = (model, { maxTokens }) => ({
  folder: model,
  dim: 384,
  maxTokens,
  fingerprint: fingerprint(model.manifest, maxTokens),
  threads: 1,
  tokenizer: createTokenizer(model.tokenizer),
  batches: { maxTokens: 1024, maxRows: 256, workers: 1, dim: 384 },
  pool: { run, ready: async () => undefined, close: async () => undefined, busySeconds: 0 },
  close: async () => undefined,
});

const config = { input: { paths: [join(folder, 'in.jsonl')] }, output: { path: join(folder, 'out.parquet') }, window: { rows: 10 } };
const { resumed, rows, quarantined } = await runJob(config, { disk, startModel });
console.log(JSON.stringify({ operations, resumed, rows, quarantined }));
