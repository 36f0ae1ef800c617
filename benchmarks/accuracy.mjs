// What INT8 keeps of full precision on labelled sets: scores, shares kept and neighbours in common.
// usage: node benchmarks/accuracy.mjs --sets SET... --out OUT [--model FOLDER] [--precisions fp32,int8] [--threads N]
// SET: an STS file (score, a, b by tabs) or a BEIR folder. OUT/accuracy.json keeps what earlier calls for other precisions wrote.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readLabelledSet } from '../dist/evaluate/labelled-set.js';
import { overlap } from '../dist/evaluate/neighbours.js';
import { scoreSet } from '../dist/evaluate/score.js';
import { openModel } from '../dist/index.js';
import { machine } from './machine.mjs';

const { values: options } = parseArgs({
  options: {
    sets: { type: 'string', multiple: true },
    out: { type: 'string' },
    model: { type: 'string' },
    precisions: { type: 'string', default: 'fp32,int8' },
    threads: { type: 'string', default: '2' },
  },
});
mkdirSync(options.out, { recursive: true });
const path = join(options.out, 'accuracy.json');
const result = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : { runs: {} };
for (const precision of options.precisions.split(',')) {
  const model = await openModel(options.model, { precision, threads: Number(options.threads) });
  const promptOf = (prompt) => (prompt in model.folder.manifest.prompts ? prompt : 'none');
  const scores = {};
  for (const set of options.sets) {
    const { neighbours, ...score } = await scoreSet(await readLabelledSet(set), (texts, prompt) =>
      model.embed(texts, { prompt: promptOf(prompt) }),
    );
    scores[score.set] = { ...score, ...(neighbours && { neighbours: [...neighbours] }) };
  }
  result.runs[precision] = { machine: machine(), fingerprint: model.fingerprint, scores };
  await model.close();
}
const { fp32, int8 } = result.runs;
result.kept = Object.entries(fp32 && int8 ? int8.scores : {}).map(([set, score]) => {
  const full = fp32.scores[set];
  const common = score.neighbours && overlap(Int32Array.from(full.neighbours), Int32Array.from(score.neighbours), 10);
  return { set, metric: score.metric, fp32: full.value, int8: score.value, kept: score.value / full.value, top10_in_common: common };
});
writeFileSync(path, `${JSON.stringify(result)}\n`);
console.table(result.kept);
