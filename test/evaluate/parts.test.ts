// The shipped model on parts of STS-B and SciFact: the scores of `evaluate` are those that plain loops find with its vectors.
// The whole of SciFact takes minutes: benchmarks/evaluate.mjs.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ndcg } from '#src/evaluate/ndcg.js';
import { evaluateModels } from '#src/evaluate/run.js';
import { spearman } from '#src/evaluate/spearman.js';
import { cosine, openModel, rowOf } from '#src/index.js';
import { temporaryFolder } from '../run.js';
import { describeShared, sharedPath } from '../shared.js';

const PAIRS = 60;
const QUERIES = 8;
const OTHERS = 24;

interface Row {
  readonly _id: string;
  readonly title: string;
  readonly text: string;
}

const linesOf = (path: string): string[] => readFileSync(path, 'utf8').trim().split('\n');
const rowsOf = (path: string): Row[] => linesOf(path).map((line) => JSON.parse(line) as Row);

/** The first queries of SciFact, their documents and some others. */
function partOfSciFact(folder: string): { queries: Row[]; documents: Row[]; qrels: string[][] } {
  const shared = sharedPath('data/scifact');
  const all = linesOf(join(shared, 'qrels/test.tsv')).slice(1);
  const judged = all.map((line) => line.split('\t'));
  const names = [...new Set(judged.map(([query]) => query))].slice(0, QUERIES);
  const qrels = judged.filter(([query]) => names.includes(query));
  const wanted = new Set(qrels.map(([, document]) => document));
  const corpus = rowsOf(join(shared, 'corpus.jsonl'));
  const documents = [...corpus.filter(({ _id }) => wanted.has(_id)), ...corpus.filter(({ _id }) => !wanted.has(_id)).slice(0, OTHERS)];
  const queries = rowsOf(join(shared, 'queries.jsonl')).filter(({ _id }) => names.includes(_id));
  mkdirSync(join(folder, 'part/qrels'), { recursive: true });
  writeFileSync(join(folder, 'part/corpus.jsonl'), documents.map((row) => JSON.stringify(row)).join('\n'));
  writeFileSync(join(folder, 'part/queries.jsonl'), queries.map((row) => JSON.stringify(row)).join('\n'));
  writeFileSync(join(folder, 'part/qrels/test.tsv'), qrels.map((fields) => fields.join('\t')).join('\n'));
  return { queries, documents, qrels };
}

describeShared('evaluate on parts of the shared sets', () => {
  it('scores what the vectors say', async () => {
    const folder = temporaryFolder();
    const lines = linesOf(sharedPath('data/stsb/dev.tsv')).slice(1, PAIRS + 1);
    writeFileSync(join(folder, 'dev.tsv'), lines.join('\n'));
    const { queries, documents, qrels } = partOfSciFact(folder);
    const report = await evaluateModels({ sts: [join(folder, 'dev.tsv')], retrieval: [join(folder, 'part')] });
    const found = Object.fromEntries(report.scores.map(({ metric, value }) => [metric, value]));
    const model = await openModel();
    try {
      const pairs = lines.map((line) => line.split('\t') as [string, string, string]);
      const [a, b] = [await model.embed(pairs.map((pair) => pair[1])), await model.embed(pairs.map((pair) => pair[2]))];
      const cosines = Float64Array.from(pairs, (_, row) => cosine(rowOf(a, row), rowOf(b, row)));
      const labels = Float64Array.from(pairs, ([score]) => Number(score));
      expect(found['sts']).toBeCloseTo(spearman(cosines, labels), 12);
      const q = await model.embed(
        queries.map(({ text }) => text.trim()),
        { prompt: 'query' },
      );
      const d = await model.embed(documents.map(({ title, text }) => `${title} ${text}`.trim()));
      const scores = queries.map(({ _id }, query) => {
        const run = new Map(documents.map((document, row) => [document._id, cosine(rowOf(q, query), rowOf(d, row))]));
        run.delete(_id);
        const relevance = new Map(qrels.filter(([name]) => name === _id).map(([, id, score]) => [id as string, Number(score)]));
        return ndcg(run, relevance, 10);
      });
      expect(found['ndcg']).toBeCloseTo(scores.reduce((sum, score) => sum + score, 0) / scores.length, 9);
      expect(found['ndcg']).toBeGreaterThan(0.6);
    } finally {
      await model.close();
    }
  }, 120_000);
});
