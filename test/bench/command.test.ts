// `embedkit bench` as a user runs it, with a tiny model and hardly any time: what it prints, what it writes, and slips that end in a sentence.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BenchResult } from '#src/bench/result.js';
import type { TuneResult } from '#src/bench/run-tune.js';
import { exportModel } from '#src/model/export.js';
import { productsModel } from '../quantize/products-model.js';
import { lines, writeSource } from '../quantize/tiny-source.js';
import { runCli, temporaryFolder } from '../run.js';
import { startApi } from './api.js';
import { madeUp } from './made-up.js';

const QUICK = ['--seconds', '0.1', '--turn-seconds', '0.02', '--threads', '1', '--batch', '4', '--tokens', '12'];

/** A folder with a model folder, the ONNX file that it was made of, and a corpus. */
async function scene(): Promise<string> {
  const folder = temporaryFolder();
  writeSource(join(folder, 'source'), productsModel());
  await exportModel(join(folder, 'source'), join(folder, 'model'), { dtype: 'fp16', pooling: 'mean' });
  writeFileSync(join(folder, 'corpus.txt'), lines(80).join('\n'));
  return folder;
}

const read = <T>(folder: string, name: string): T => JSON.parse(readFileSync(join(folder, name), 'utf8'));

const ROWS =
  `P50 of one text,P50 of one text from a server here,P99 of a batch of 4,embeddings/s; many,tokens/s,corpus: the same; padded,peak memory,model file,start to first,
million tokens,roof`
    .split(/,\s*/)
    .map((row) => row.replace(';', ','));

describe('embedkit bench', () => {
  it('measures a model folder, an ONNX file and an API, and writes all that it saw', async () => {
    const folder = await scene();
    const { url, asked } = await startApi();
    writeFileSync(join(folder, 'key'), 'secret-key\n');
    const models = ['--model', 'model', '--variants', 'fp32,source/model.onnx', '--pooling', 'mean'];
    const api = ['--baseline-url', url, '--baseline-model', 'some-model', '--baseline-key-file', 'key'];
    const more = ['--corpus', 'corpus.txt', '--price-per-hour', '0.1', '--claim', '1 emb/s at 12 tokens', '--curves', '--serve'];
    const outputs = ['--json', 'bench.json', '--html', 'bench.html'];
    const ran = await runCli(['bench', ...QUICK, ...models, ...api, ...more, ...outputs], { cwd: folder });
    expect(ran.stderr).toContain('round 1: full precision');
    expect(ran.code).toBe(0);
    const result = read<BenchResult>(folder, 'bench.json');

    const table = ran.stdout.toString();
    expect(table.split('\n')[0]).toMatch(/^NOISY RUN: .*1 round is too few for an interval/);
    expect(table).toMatch(/API: some-model +full precision +model\.onnx\n/);
    for (const row of ROWS) expect(table).toContain(row);
    expect(table).toMatch(/claim "1 emb\/s at 12 tokens".*the roof allows it/);

    expect(result.variants.map(({ name }) => name)).toEqual(['fp32', 'source/model.onnx']);
    for (const { name, turns, figures, operations, profile, tokensPerSecond } of result.variants) {
      expect(turns).toHaveLength(1);
      const [turn] = turns;
      expect(turn?.one.milliseconds.length).toBeGreaterThan(0);
      expect([turn?.one.texts[0], turn?.batch.texts[0], turn?.batch.tokens[0]]).toEqual([1, 4, 48]);
      // An ONNX file alone cannot be served.
      expect(turn?.served?.tokens[0]).toBe(name === 'fp32' ? 12 : undefined);
      expect(figures.served_p50_ms === undefined).toBe(name !== 'fp32');
      expect(turn?.corpus?.whole.texts[0]).toBe(result.corpus?.texts);
      expect(turn?.corpus?.padded.tokens[0]).toBe(turn?.corpus?.whole.tokens[0]);
      expect(turn?.peak_bytes).toBeGreaterThan(2 ** 25);
      expect(tokensPerSecond).toBe(figures.tokens_per_second?.value);
      expect(operations.fp32[1]).toBeGreaterThan(0);
      expect(Object.keys(profile.classes)).toContain('MatMul');
    }
    expect(result.roof[0]?.products).toHaveLength(6);
    expect(result.roof[0]?.bandwidth).toBeGreaterThan(1e8);
    expect(result.corpus).toMatchObject({ path: 'corpus.txt', rows: 80, texts: 80 });
    expect(result.machine.node).toBe(process.versions.node);
    expect(result.baseline?.turns[0]?.batch.texts[0]).toBe(4);
    expect(asked.length).toBeGreaterThan(2);
    expect(result.curves.map(({ along }) => along).sort()).toEqual(['batch', 'batch', 'threads', 'threads', 'tokens', 'tokens']);
    expect(result.curves.find(({ along }) => along === 'tokens')?.points.map(({ at }) => at)).toEqual([8, 16, 32]);

    expect(readFileSync(join(folder, 'bench.json'), 'utf8')).not.toContain('secret-key');
    const page = readFileSync(join(folder, 'bench.html'), 'utf8');
    expect([...page.matchAll(/<svg xmlns/g)]).toHaveLength(8);
    expect(page).not.toMatch(/NaN|secret-key/);

    const compared = await runCli(['bench', 'compare', 'bench.json', 'bench.json'], { cwd: folder });
    expect(compared.code).toBe(0);
    expect(compared.stdout.toString()).toMatch(/full precision +embeddings\/s +1\.000 \(1\.000-1\.000\) +too few rounds/);
    const json = await runCli(['bench', 'compare', 'bench.json', 'bench.json', '--log-format', 'json'], { cwd: folder });
    expect(JSON.parse(json.stdout.toString()).rows).toHaveLength(12);
  });

  it('tunes on a corpus, and says which flags to use', async () => {
    const folder = await scene();
    const args = ['--tune', '--model', 'model', '--corpus', 'corpus.txt', '--json', 'tune.json'];
    const ran = await runCli(['bench', ...QUICK, ...args], { cwd: folder });
    expect(ran.code).toBe(0);
    const { tuned } = read<TuneResult>(folder, 'tune.json');
    expect(tuned.tried).toHaveLength(5);
    expect(tuned.tried.every(({ rates }) => rates.length >= 1)).toBe(true);
    expect(tuned.best.rates.length).toBe(tuned.default.rates.length);
    expect(tuned.default.setting).toEqual({ threads: 1, threadsPerWorker: 1, batchTokens: 1024 });
    expect(ran.stdout.toString()).toMatch(
      tuned.isBetter ? /^use: --threads 1/m : /^(the defaults are as good|no difference to the defaults could be shown): use no flags/m,
    );
  });

  it('goes on without an API that fails midway, and says why', async () => {
    const folder = await scene();
    const { url } = await startApi((asked, count) =>
      count > 2 ? { status: 429, body: 'slow down' } : { status: 200, body: { data: asked.body.input.map(() => ({ embedding: [1] })) } },
    );
    const args = ['--model', 'model', '--baseline-url', url, '--baseline-model', 'm', '--json', 'bench.json', '--quiet'];
    const ran = await runCli(['bench', ...QUICK, ...args], { cwd: folder });
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(read<BenchResult>(folder, 'bench.json').baseline?.failed).toMatch(/^failed in round 1: .*HTTP 429: slow down/);
    expect(ran.stdout.toString()).toMatch(/API: failed in round 1/);
    expect(ran.stdout.toString()).toMatch(/int8 was not measured/);
  });
});

describe('a slip of the user', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'embedkit-test-'));
    const other = { ...madeUp(), machine: { ...madeUp().machine, cpu: 'Another' } };
    writeFileSync(join(folder, 'wrong.jsonl'), '{"txt":"a"}\n');
    writeFileSync(join(folder, 'wrong.onnx'), 'x');
    writeFileSync(join(folder, 'a.json'), JSON.stringify(madeUp()));
    writeFileSync(join(folder, 'other-machine.json'), JSON.stringify(other));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const NOBODY = ['--baseline-url', 'http://127.0.0.1:9'];
  it.each<[readonly string[], number, RegExp]>([
    [['--variants', 'int7'], 2, /--variants int7: neither int8 nor fp32, and there is no such folder or file; name int8, fp32/],
    [['--variants', 'int8,,fp32'], 2, /has an empty name in it/],
    [['--batch', '0'], 2, /--batch 0: not a whole number from 1 to 4096; choose one/],
    [['--batch', 'many'], 2, /"many" is not a whole number/],
    [['--threads', '0'], 2, /--threads 0/],
    [['--tokens', '513'], 2, /--tokens 513: full precision takes texts of 3 to 512 tokens/],
    [['--tokens', '2'], 2, /--tokens 2: full precision takes texts of 3 to 512 tokens/],
    [['--seconds', '0'], 2, /--seconds 0: not a number above 0/],
    [['--price-per-hour', '-1'], 2, /"-1" is not a number like 0\.5/],
    [['--corpus', 'gone.jsonl'], 1, /no file, folder or match for "gone\.jsonl"/],
    [['--corpus', 'wrong.jsonl'], 1, /wrong\.jsonl: no row holds a text/],
    [['--model', 'gone'], 2, /no model "gone"/],
    [['--variants', 'wrong.onnx'], 1, /no tokenizer\.json beside the model/],
    [['--claim', 'fast'], 2, /--claim "fast": not a claim; write it like "4200 emb\/s at 50 tokens on 4 cores"/],
    [['--baseline-url', 'nowhere', '--baseline-model', 'm'], 2, /--baseline-url nowhere: not a web address/],
    [NOBODY, 2, /--baseline-url without --baseline-model/],
    [['--baseline-model', 'm'], 2, /a baseline without --baseline-url/],
    [[...NOBODY, '--baseline-model', 'm', '--baseline-key-file', 'gone'], 1, /--baseline-key-file gone: .*name a file that holds the key/],
    [[...NOBODY, '--baseline-model', 'm'], 1, /no answer .*check --baseline-url/],
    [['--json', 'gone/bench.json'], 2, /--json gone\/bench\.json: there is no folder gone; make it first/],
    [['--html', 'gone/bench.html'], 2, /--html gone\/bench\.html: there is no folder gone/],
    [['--tune'], 2, /--tune without --corpus; name texts like those that you embed/],
    [['--tune', '--corpus', 'wrong.jsonl', '--variants', 'int8,fp32'], 2, /--tune with several --variants; name one/],
    [['--tune', '--html', 'x.html'], 2, /--html with --tune/],
    [['compare', 'a.json', 'gone.json'], 1, /gone\.json.*name a file that embedkit bench --json wrote/],
    [['compare', 'a.json', 'wrong.jsonl'], 1, /wrong\.jsonl: not the JSON of a benchmark/],
    [['compare', 'a.json', 'other-machine.json'], 2, /the two were measured on different machines .*measure both on one machine/],
    [['compare', 'a.json'], 2, /missing required argument 'second'/],
  ])('%j ends in one sentence', async (args, code, sentence) => {
    const ran = await runCli(['bench', ...args], { cwd: folder });
    const last = ran.stderr.trimEnd().split('\n').at(-1);
    expect(last).toMatch(sentence);
    expect(last).toMatch(/^embedkit: /);
    expect([ran.code, ran.stdout.length]).toEqual([code, 0]);
  });
});
