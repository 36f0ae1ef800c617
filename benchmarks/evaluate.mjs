// The evaluation of a model in its two precisions on large sets, in steps that can each be interrupted and gone on with: the vectors are
// made by `embedkit embed`, which resumes, and looked up here. A vector depends on nothing but text, prompt and model, so the report is
// that of `embedkit evaluate --against fp32` on the same sets.
// usage: node benchmarks/evaluate.mjs texts --out TEXTS.jsonl SETS          (SETS: [--sts FILE...] [--retrieval FOLDER...])
//        node bin/embedkit.js embed TEXTS.jsonl --prompt none --precision int8 -o INT8.arrow      and fp32 -o FP32.arrow
//        node benchmarks/evaluate.mjs report --int8 INT8.arrow --fp32 FP32.arrow --out FOLDER SETS   -> FOLDER/evaluate.json, .md
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureSet } from '../dist/evaluate/measure.js';
import { reportOf } from '../dist/evaluate/report-of.js';
import { factsOf, readSets, WRONG_PROMPT } from '../dist/evaluate/run.js';
import { openOutput } from '../dist/inspect/output.js';
import { openFolder } from '../dist/model/folder.js';
import { contentHash } from '../dist/model/settings.js';
import { evaluateMarkdown } from './evaluate-table.mjs';
import { machine } from './machine.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sts: { type: 'string', multiple: true },
    retrieval: { type: 'string', multiple: true },
    model: { type: 'string' },
    int8: { type: 'string' },
    fp32: { type: 'string' },
    out: { type: 'string' },
  },
});

/** Measures all sets with vectors that `vectorsOf` gives for whole texts, prompt and all. */
async function measureAll(folder, sets, vectorsOf) {
  const { prompts } = folder.manifest;
  const embed = async (texts, prompt) => vectorsOf(texts.map((text) => (prompts[prompt] ?? '') + text));
  const measured = [];
  for (const set of sets) measured.push(await measureSet(set, embed, { own: prompts.query ?? '', wrong: WRONG_PROMPT }));
  return measured;
}

/** Writes every text that the evaluation will ask for, each once. */
async function writeTexts() {
  const asked = new Set();
  await measureAll(await openFolder(options.model), await readSets(options), (texts) => {
    for (const text of texts) asked.add(text);
    return { rows: texts.length, dim: 2, data: new Float32Array(2 * texts.length).fill(1) };
  });
  writeFileSync(options.out, [...asked].map((text, id) => `${JSON.stringify({ id, text })}\n`).join(''));
  console.log(`${asked.size} texts`);
}

/** The model of a precision, measured with the vectors of an output of embed. */
async function measurePrecision(precision, path) {
  const folder = await openFolder(options.model, precision);
  const facts = factsOf(folder, {});
  const file = await openOutput(path);
  if (file.provenance.fingerprint !== facts.fingerprint) throw new Error(`${path} was made by another model`);
  const vectors = new Map();
  for await (const batch of file.batches({ vectors: true })) {
    const { dim, data } = batch.vectors;
    batch.rows.forEach((row, at) => void vectors.set(row.contentHash, data.slice(at * dim, (at + 1) * dim)));
  }
  const vectorsOf = (texts) => {
    const data = new Float32Array(texts.length * file.dim);
    texts.forEach((text, row) => void data.set(vectors.get(contentHash(facts.fingerprint, text)), row * file.dim));
    return { rows: texts.length, dim: file.dim, data };
  };
  return { model: facts, measured: await measureAll(folder, await readSets(options), vectorsOf) };
}

async function writeReport() {
  const started = performance.now();
  const int8 = await measurePrecision('int8', options.int8);
  const fp32 = await measurePrecision('fp32', options.fp32);
  const report = { ...reportOf(int8, fp32, { terms: [], seconds: (performance.now() - started) / 1000 }), machine: machine() };
  mkdirSync(options.out, { recursive: true });
  writeFileSync(join(options.out, 'evaluate.json'), `${JSON.stringify({ command: 'benchmarks/evaluate.mjs', ...report }, null, 1)}\n`);
  writeFileSync(join(options.out, 'evaluate.md'), evaluateMarkdown(report));
}

await (positionals[0] === 'texts' ? writeTexts() : writeReport());
