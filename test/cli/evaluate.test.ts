// `embedkit evaluate` as a user runs it, on sets of a few texts.
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { EvaluationReport } from '#src/evaluate/report.js';
import { readManifest } from '#src/model/folder.js';
import { runCli, temporaryFolder } from '../run.js';

const MODEL = fileURLToPath(new URL('../../models/bge-small-en-v1.5/', import.meta.url));

const ANIMALS = [
  'A cat sleeps on the sofa.',
  'The dog chases a ball.',
  'A horse eats grass.',
  'Two birds sit on a wire.',
  'The fox hides.',
];
const MONEY = ['The bank raised its rates.', 'Prices fell in May.', 'She paid the invoice.', 'The loan runs ten years.', 'Taxes are due.'];

function sets(): string {
  const folder = temporaryFolder();
  const pairs = ANIMALS.flatMap((a, at) => [`5\t${a}\t${a.toLowerCase()}`, `${at / 10}\t${a}\t${MONEY[at]}`]);
  writeFileSync(join(folder, 'sts.tsv'), `${pairs.join('\n')}\n`);
  writeFileSync(
    join(folder, 'classes.tsv'),
    [...ANIMALS.map((text) => `animal\t${text}`), ...MONEY.map((text) => `money\t${text}`)].join('\n'),
  );
  writeFileSync(join(folder, 'texts.txt'), [...ANIMALS, ...MONEY, `${ANIMALS[0]}\t${MONEY[0]}`, `${ANIMALS[1]}\t${ANIMALS[2]}`].join('\n'));
  const beir = join(folder, 'beir');
  mkdirSync(join(beir, 'qrels'), { recursive: true });
  const documents = [...ANIMALS, ...MONEY].map((text, at) => JSON.stringify({ _id: `d${at}`, title: '', text }));
  writeFileSync(join(beir, 'corpus.jsonl'), documents.join('\n'));
  writeFileSync(join(beir, 'queries.jsonl'), '{"_id":"q1","text":"sleeping pet"}\n{"_id":"q2","text":"interest on savings"}\n');
  writeFileSync(join(beir, 'qrels', 'test.tsv'), 'q1\td0\t1\nq2\td5\t1\n');
  return folder;
}

/** The shipped model in a folder of its own, its large files linked. */
function modelCopy(folder: string, files: readonly string[] = ['model.int8.onnx', 'model.fp16.onnx']): string {
  const copy = join(folder, 'model');
  mkdirSync(copy);
  for (const name of ['embedkit.json', 'tokenizer.json']) cpSync(join(MODEL, name), join(copy, name));
  for (const name of files) symlinkSync(join(MODEL, name), join(copy, name));
  return copy;
}

describe('evaluate', () => {
  it('holds INT8 against fp32 on all kinds of sets, writes table, JSON and page, and lets the gate decide', async () => {
    const folder = sets();
    const named = ['--sts', 'sts.tsv', '--retrieval', 'beir', '--classification', 'classes.tsv', '--pairs', 'texts.txt'];
    const written = ['--json', 'report.json', '--html', 'report.html'];
    const gate = 'sts>=-5% cosine>=0.99 ndcg>=0.9';
    const asked = ['--against', 'fp32', ...named, ...written, '--dtypes', 'int8,binary'];
    const ran = await runCli(['evaluate', ...asked, '--gate', gate], { cwd: folder });
    expect([ran.code, ran.stderr.split('\n')[0]]).toEqual([0, 'reading the sets']);
    const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as EvaluationReport;
    expect([report.model.precision, report.against?.precision]).toEqual(['int8', 'fp32']);
    expect(report.scores.map(({ metric }) => metric)).toEqual(['sts', 'ndcg', 'recall@10', 'recall@100', 'mrr', 'accuracy', 'f1']);
    for (const { metric, value, against } of report.scores) {
      expect([metric, value > 0.4, against !== undefined && against <= 1]).toEqual([metric, true, true]);
    }
    const agreement = Object.fromEntries(report.agreement.map(({ task, measure, value }) => [`${task} ${measure}`, value]));
    expect(agreement['texts cosine']).toBeGreaterThan(0.998);
    expect(agreement['texts cosine']).toBeLessThan(1);
    expect(Object.keys(agreement)).toContain('retrieval overlap');
    expect(report.prompts[0]?.scores.map(({ prompt }) => prompt)).toEqual(['own', 'none', 'wrong']);
    const stored = report.storages.map(({ dtype, queries }) => `${dtype} by ${queries}`);
    expect(stored).toEqual(['float32 by float32', 'int8 by float32', 'binary by binary', 'binary by float32']);
    expect(report.worst.filter(({ task }) => task === 'texts')).toHaveLength(10);
    const table = ran.stdout.toString();
    expect(table).toContain(`passed ${gate}`);
    expect(table).toContain('"Represent this sentence for searching relevant passages: "');
    expect(table).toMatch(/\n *beir +binary +signs of both, by Hamming distance +48 /);
    expect(readFileSync(join(folder, 'report.html'), 'utf8')).toMatch(/^<!doctype html>\n.*signs of both, by Hamming distance/s);
  }, 60_000);

  it('exits 5 where the gate says no, with the JSON all the same; --record writes the scores into the manifest', async () => {
    const folder = sets();
    const model = modelCopy(folder);
    const before = await readManifest(model);
    const asked = ['evaluate', '--model', model, '--sts', 'sts.tsv', '--json', 'report.json', '--record', '--gate', 'sts>=0.9999'];
    const ran = await runCli(asked, { cwd: folder });
    expect(ran.code).toBe(5);
    expect(ran.stderr).toMatch(/the gate said no: sts on .*sts: 0\.\d{5}, and sts>=0\.9999 was asked for; see the texts/);
    const { scores, model: facts } = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as EvaluationReport;
    const { manifest } = await readManifest(model);
    const expected = { metric: 'sts', value: scores[0]?.value, count: 10, fingerprint: facts.fingerprint };
    expect(manifest.int8?.evaluation).toEqual([expect.objectContaining(expected)]);
    const plain = ({ int8, ...rest }: typeof manifest): object => ({ ...rest, int8: { ...int8, evaluation: undefined } });
    expect(plain(manifest)).toEqual(plain(before.manifest));
  }, 60_000);

  it.each([
    [[], /^embedkit: no set to evaluate on; name some with --sts/],
    [['--pairs', 'texts.txt'], /--pairs has no labels, so it needs a second model/],
    [['--sts', 'sts.tsv', '--gate', 'sts>=-1%'], /--gate sts>=-1% compares two models; name the second with --against/],
    [['--sts', 'sts.tsv', '--gate', 'ndcg>=0.5'], /--gate ndcg>=0.5: no set of this run measures ndcg; name one with --retrieval/],
    [['--sts', 'sts.tsv', '--gate', 'speed>=2'], /"speed>=2" is no term of a gate/],
    [['--sts', 'sts.tsv', '--against', 'int8'], /--against int8: both are bge-small-en-v1.5 in int8; name another/],
    [['--sts', 'sts.tsv', '--against', 'nowhere'], /no model "nowhere"/],
    [['--retrieval', 'beir', '--dtypes', 'int4'], /"int4" is none of float16, int8, binary/],
    [['--sts', 'sts.tsv', '--dtypes', 'int8'], /--dtypes says what storing costs in retrieval, and there is no retrieval set; name one/],
    [['--sts', 'sts.tsv', '--json', 'none/report.json'], /--json none\/report.json: there is no folder none; make it first/],
  ])('is refused: %j', async (args, sentence) => {
    const ran = await runCli(['evaluate', ...args], { cwd: sets() });
    expect([ran.code, ran.stderr.trim().split('\n').length, ran.stdout.length]).toEqual([2, 1, 0]);
    expect(ran.stderr).toMatch(sentence);
  });

  it('says which file is wrong, and what a folder lacks', async () => {
    const folder = sets();
    const missing = await runCli(['evaluate', '--sts', 'nope.tsv', '--quiet'], { cwd: folder });
    expect([missing.code, missing.stderr]).toEqual([1, 'embedkit: no file "nope.tsv"; write lines of score, tab, text, tab, text\n']);
    const model = modelCopy(folder, ['model.int8.onnx']);
    const lean = await runCli(['evaluate', '--model', model, '--against', 'fp32', '--sts', 'sts.tsv', '--quiet'], { cwd: folder });
    const sentence = /^embedkit: --against fp32: .*model holds no full-precision model.fp16.onnx; /;
    expect([lean.code, lean.stderr]).toEqual([2, expect.stringMatching(sentence)]);
  });
});
