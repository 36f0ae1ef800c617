// One test for each trap that people fall into with embeddings on CPUs; details are tested where they are built, and the trap of
// per-tensor or uncalibrated quantizing, which takes minutes, in quantize/negative-controls.test.ts.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cosine, type EmbeddingModel, openModel, rowOf, runJob } from '#src/index.js';
import { runCli, temporaryFolder } from './run.js';

const QUERY = 'Represent this sentence for searching relevant passages: ';
const TEXTS = ['how to mend a puncture', 'a recipe for lentil soup', 'the train to the coast leaves at nine'];

let model: EmbeddingModel;
beforeAll(async () => {
  model = await openModel(undefined, { threads: 1 });
});
afterAll(() => model.close());

describe('traps', () => {
  it('a length limit beyond what the model was exported with is refused, not cut in silence or crashed on', async () => {
    await expect(openModel(undefined, { maxTokens: 513 })).rejects.toMatchObject({ code: 'usage' });
    const long = 'word '.repeat(2000);
    const { rows, data } = await model.embed([long, TEXTS[0] as string]);
    expect([rows, data.every(Number.isFinite)]).toEqual([2, true]);
  });

  it('thread settings of the environment do not fight with ours: the same vectors, and as many threads as asked for', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'in.txt'), `${TEXTS.join('\n')}\n`);
    const run = async (out: string, env: Record<string, string>): Promise<Record<string, unknown>> => {
      const args = ['embed', 'in.txt', '-o', out, '--threads', '2', '--summary', `${out}.json`, '--quiet'];
      expect((await runCli(args, { cwd, env })).code).toBe(0);
      return JSON.parse(readFileSync(join(cwd, `${out}.json`), 'utf8'));
    };
    const plain = await run('a.parquet', {});
    const fought = await run('b.parquet', { OMP_NUM_THREADS: '7', MKL_NUM_THREADS: '5', UV_THREADPOOL_SIZE: '1' });
    expect([plain['threads'], fought['threads']]).toEqual([2, 2]);
    expect(readFileSync(join(cwd, 'a.parquet')).equals(readFileSync(join(cwd, 'b.parquet')))).toBe(true);
  });

  it('texts that are empty, blank, null or NaN get no vector, and are named', async () => {
    const folder = temporaryFolder();
    const rows = ['{"text":"good"}', '{"text":""}', '{"text":" \\n"}', '{"text":null}', '{"text":NaN}', '{"text":0}', '{}'];
    writeFileSync(join(folder, 'in.jsonl'), `${rows.join('\n')}\n`);
    const output = join(folder, 'out.jsonl');
    expect(await runJob({ input: { paths: [join(folder, 'in.jsonl')] }, output: { path: output }, model: { threads: 1 } })).toMatchObject({
      rows: 1,
      quarantined: 6,
    });
    const bad = readFileSync(`${output}.quarantine.jsonl`, 'utf8').trimEnd().split('\n');
    expect(bad.map((line) => (JSON.parse(line) as { line: number }).line)).toEqual([2, 3, 4, 5, 6, 7]);
  });

  it('a text has the vector that it has alone, whatever stands beside it: no padding, no scale of the batch', async () => {
    const together = await model.embed([...TEXTS, 'word '.repeat(400)]);
    for (const [row, text] of TEXTS.entries()) expect(rowOf(together, row)).toEqual((await model.embed([text])).data);
  });

  it('the event loop goes on turning while texts are embedded', async () => {
    let turns = 0;
    let running = true;
    const turn = (): void => {
      turns++;
      if (running) setImmediate(turn);
    };
    turn();
    await model.embed(Array.from({ length: 32 }, (_, row) => `${TEXTS[row % 3]} ${'and more '.repeat(40)}${row}`));
    running = false;
    // An engine on this thread would leave none between two batches.
    expect(turns).toBeGreaterThan(50);
  });

  it('a text of many megabytes does not take memory in proportion', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'in.txt'), `${'a long story '.repeat(1_500_000)}\n${TEXTS.join('\n')}\n`);
    const ran = await runCli(['embed', 'in.txt', '-o', 'out.parquet', '--threads', '1', '--summary', 's.json', '--quiet'], { cwd });
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    const summary = JSON.parse(readFileSync(join(cwd, 's.json'), 'utf8'));
    expect(summary).toMatchObject({ rows: 4, truncatedTexts: 1 });
    // 19.5 MB of text; the runtime's buffers for 512 tokens and a few copies of the line are all that it may add.
    expect(summary.peakMemoryBytes).toBeLessThan(600 * 2 ** 20);
  });

  it('a prompt is put before a text once, where it is asked for, and is not forgotten', async () => {
    const [text] = TEXTS as [string];
    const vector = async (of: string, prompt?: string): Promise<Float32Array> => (await model.embed([of], { prompt })).data;
    const query = await vector(text, 'query');
    expect(query).toEqual(await vector(QUERY + text, 'none'));
    expect(query).not.toEqual(await vector(text));
    expect(query).not.toEqual(await vector(QUERY + text, 'query'));
    expect(await vector(text)).toEqual(await vector(text, 'none'));
  });

  it('vectors are of length 1, so that a dot product is the cosine', async () => {
    const vectors = await model.embed(TEXTS);
    for (let row = 0; row < vectors.rows; row++) {
      const own = rowOf(vectors, row);
      expect(Math.abs(Math.hypot(...own) - 1)).toBeLessThan(1e-6);
      const dot = own.reduce((sum, value, index) => sum + value * (rowOf(vectors, 0)[index] as number), 0);
      expect(dot).toBeCloseTo(cosine(own, rowOf(vectors, 0)), 6);
    }
  });
});
