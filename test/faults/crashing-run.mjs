// A run whose stub for an engine ends the whole process, as a native crash does, at texts that hold a word: node crashing-run.mjs FOLDER WORD
import { join } from 'node:path';
import { runJob } from '../../dist/job/run.js';
import { fingerprint } from '../../dist/model/settings.js';
import { createTokenizer } from '../../dist/tokens/tokenizer.js';

const [folder, word] = process.argv.slice(2);

const startModel = (model, { maxTokens }) => {
  const tokenizer = createTokenizer(model.tokenizer);
  const [, poison] = tokenizer.encode(word, 8).ids;
  const run = async ({ ids, rows }, onSent) => {
    onSent();
    // Later, as a worker thread would: other batches are in flight by then.
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (ids.includes(poison)) process.abort();
    const vectors = new Float32Array(rows * 384);
    for (let row = 0; row < rows; row++) vectors[row * 384 + (ids[row * (ids.length / rows) + 3] % 384)] = 1;
    return vectors;
  };
  return {
    folder: model,
    dim: 384,
    maxTokens,
    fingerprint: fingerprint(model.manifest, maxTokens),
    threads: 1,
    tokenizer,
    batches: { maxTokens: 64, maxRows: 4, workers: 1, dim: 384 },
    pool: { run, ready: async () => undefined, close: async () => undefined, busySeconds: 0 },
    close: async () => undefined,
  };
};

const config = { input: { paths: [join(folder, 'in.jsonl')] }, output: { path: join(folder, 'out.jsonl') }, window: { rows: 10 } };
await runJob(config, { startModel }).then(
  ({ rows, quarantined }) => console.log(JSON.stringify({ rows, quarantined })),
  (error) => console.log(JSON.stringify({ code: error.code, message: error.message })),
);
