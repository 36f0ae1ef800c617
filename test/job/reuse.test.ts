// Vectors of earlier outputs: rows whose text and model are the same take them, bit for bit, and the file is that of a full run.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableFromIPC, tableToIPC } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { type JobConfig, type JobSummary, runJob } from '#src/index.js';
import { alter } from '../inspect/outputs.js';
import { temporaryFolder } from '../run.js';
import { stubModel } from './stub-model.js';

const line = (row: number, text = `text number ${row}`): string => `{"id":${row},"text":"${text}"}\n`;
const corpus = (from: number, to: number): string => Array.from({ length: to - from }, (_, index) => line(from + index)).join('');

interface Ran {
  readonly summary: JobSummary;
  readonly computed: number;
  readonly warnings: readonly string[];
  readonly bytes: Buffer;
}

async function run(folder: string, content: string, output: JobConfig['output'], changes: Partial<JobConfig> = {}): Promise<Ran> {
  writeFileSync(join(folder, 'in.jsonl'), content);
  const stub = stubModel();
  const warnings: string[] = [];
  const config = {
    input: { paths: [join(folder, 'in.jsonl')] },
    output: { ...output, path: join(folder, output.path) },
    window: { rows: 10 },
  };
  const summary = await runJob({ ...config, ...changes, onWarning: (message) => void warnings.push(message) }, stub);
  return { summary, computed: stub.computed, warnings, bytes: readFileSync(config.output.path) };
}

describe('--reuse', () => {
  it.each([
    ['Parquet', { path: 'old.parquet' }],
    ['Arrow', { path: 'old.arrow' }],
    ['an Arrow stream', { path: 'old.arrows' }],
    ['Parquet of float16', { path: 'old.parquet', dtype: 'float16' }],
    ['Parquet of int8', { path: 'old.parquet', dtype: 'int8' }],
    ['Arrow of binary', { path: 'old.arrow', dtype: 'binary' }],
  ] as const)('of %s computes only what changed, to the bytes of a full run', async (_, output) => {
    const folder = temporaryFolder();
    await run(folder, corpus(0, 35), output);
    const changed = corpus(5, 20) + line(900) + corpus(20, 41);
    const fresh = await run(temporaryFolder(), changed, { ...output, path: `new${output.path.slice(3)}` });
    const again = await run(folder, changed, { ...output, path: `new${output.path.slice(3)}` }, { reuse: [join(folder, output.path)] });
    expect(again.bytes.equals(fresh.bytes)).toBe(true);
    expect([again.computed, again.warnings]).toEqual([7, []]);
    expect(again.summary).toMatchObject({ rowsIn: 37, embedded: 7, reused: 30, quarantined: 0, removed: 5 });
  });

  it('does not know what texts lost that an earlier run cut, and says so', async () => {
    const folder = temporaryFolder();
    const long = line(0, 'word '.repeat(600)) + line(1);
    const first = await run(folder, long, { path: 'out.parquet' });
    expect(first.summary).toMatchObject({ truncatedTexts: 1, lostTokens: 90, lostTokensIsExact: true });
    const second = await run(folder, long, { path: 'out.parquet' }, { reuse: [join(folder, 'out.parquet')] });
    expect(second.summary).toMatchObject({ truncatedTexts: 1, lostTokens: 0, lostTokensIsExact: false });
  });

  it('of the output itself, night after night', async () => {
    const folder = temporaryFolder();
    const reuse = [join(folder, 'out.parquet')];
    const first = await run(folder, corpus(0, 12), { path: 'out.parquet' }, { reuse });
    expect(first.warnings).toEqual([`--reuse ${reuse[0]} is not there: nothing is taken from it`]);
    const second = await run(folder, corpus(0, 14), { path: 'out.parquet' }, { reuse });
    expect([second.computed, second.summary.removed]).toEqual([2, 0]);
    const third = await run(folder, corpus(0, 14), { path: 'out.parquet' }, { reuse });
    expect([third.computed, third.bytes.equals(second.bytes)]).toEqual([0, true]);
  });

  it.each([
    ['another prompt', { model: { prompt: 'query' } }, /its prompt is none, not Represent/],
    ['another limit', { model: { maxTokens: 9 } }, /its fingerprint is \w+, not \w+; nothing is taken/],
    ['another model', { model: { precision: 'fp32' as const } }, /its fingerprint is \w+, not \w+/],
  ])('with %s takes nothing, and says so', async (_, changes, why) => {
    const folder = temporaryFolder();
    await run(folder, corpus(0, 12), { path: 'old.parquet' });
    const again = await run(folder, corpus(0, 12), { path: 'new.parquet' }, { ...changes, reuse: [join(folder, 'old.parquet')] });
    expect([again.computed, again.warnings]).toEqual([12, [expect.stringMatching(why)]]);
  });

  it('of another type takes nothing', async () => {
    const folder = temporaryFolder();
    await run(folder, corpus(0, 12), { path: 'old.parquet' });
    const again = await run(folder, corpus(0, 12), { path: 'new.parquet', dtype: 'float16' }, { reuse: [join(folder, 'old.parquet')] });
    expect([again.computed, again.warnings]).toEqual([12, [expect.stringMatching(/its dtype is float32, not float16/)]]);
  });

  it('of int8 by other ranges takes nothing', async () => {
    const folder = temporaryFolder();
    await run(folder, corpus(0, 12), { path: 'old.arrows', dtype: 'int8' });
    alter(join(folder, 'old.arrows'), '"minimum":[-0.1', '"minimum":[-0.2');
    const again = await run(folder, corpus(0, 12), { path: 'new.parquet', dtype: 'int8' }, { reuse: [join(folder, 'old.arrows')] });
    expect([again.computed, again.warnings]).toEqual([
      12,
      [expect.stringMatching(/its int8_ranges are others than those of the model; nothing is taken/)],
    ]);
  });

  it('of codes is not audited, which would hold codes against full precision', async () => {
    const asked = { reuse: ['old.parquet'], audit: 1 };
    await expect(run(temporaryFolder(), corpus(0, 2), { path: 'new.parquet', dtype: 'int8' }, asked)).rejects.toMatchObject({
      code: 'usage',
      message: '--audit holds vectors against fp32, and what --reuse takes of --dtype int8 are codes',
    });
  });

  it('of an Arrow file whose vectors were dropped takes nothing, and says so', async () => {
    const folder = temporaryFolder();
    await run(folder, corpus(0, 5), { path: 'old.arrow' });
    const old = tableFromIPC(readFileSync(join(folder, 'old.arrow')));
    const bare = old.select(['id', 'token_count', 'truncated', 'content_hash']);
    for (const [key, value] of old.schema.metadata) bare.schema.metadata.set(key, value);
    writeFileSync(join(folder, 'bare.arrow'), tableToIPC(bare, 'file'));
    const again = await run(folder, corpus(0, 5), { path: 'new.parquet' }, { reuse: [join(folder, 'bare.arrow')] });
    expect([again.computed, again.warnings]).toEqual([5, [expect.stringMatching(/embedkit did not write it; nothing is taken/)]]);
  });

  it('of what is no output of embedkit, or is damaged, or has no provenance', async () => {
    const folder = temporaryFolder();
    const old = join(folder, 'old.parquet');
    await run(folder, corpus(0, 12), { path: 'old.parquet' });
    writeFileSync(old, readFileSync(old).subarray(0, 500));
    const reuse = (path: string): Promise<Ran> => run(folder, corpus(0, 3), { path: 'new.parquet' }, { reuse: [join(folder, path)] });
    await expect(reuse('old.parquet')).rejects.toMatchObject({
      code: 'input-unreadable',
      message: expect.stringMatching(/--reuse .*old\.parquet: /),
    });
    await expect(reuse('in.jsonl')).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(/only Parquet and Arrow/) });
    expect(existsSync(join(folder, 'new.parquet'))).toBe(false);
  });
});

describe('equal texts', () => {
  it('are computed once in a run, whatever windows they are in', async () => {
    const folder = temporaryFolder();
    const content = (line(1) + line(2)).repeat(15) + line(3);
    const { computed, summary } = await run(folder, content, { path: 'out.parquet' });
    // The second window is read while the first is computed, the third when it is kept.
    expect(computed).toBe(3);
    expect(summary).toMatchObject({ rowsIn: 31, rows: 31, embedded: 3, reused: 28 });
    const streamed = await run(folder, content, { path: 'out.jsonl' });
    const vectors = streamed.bytes
      .toString()
      .trimEnd()
      .split('\n')
      .map((row) => JSON.stringify((JSON.parse(row) as { embedding: unknown }).embedding));
    expect(new Set(vectors).size).toBe(3);
    expect(vectors.slice(0, 4)).toEqual([vectors[0], vectors[1], vectors[0], vectors[1]]);
  });
});

describe('ids', () => {
  it('of some rows only are warned of once: the others are numbered, and a number may be the id of another row', async () => {
    const folder = temporaryFolder();
    const mixed = '{"id":2,"text":"a"}\n{"text":"b"}\n{"text":"c"}\n';
    const { warnings, summary } = await run(folder, mixed, { path: 'out.parquet' });
    expect(warnings).toEqual([expect.stringMatching(/some rows have an id and others none/)]);
    expect(summary).toMatchObject({ rows: 3, duplicateIds: 1 });
    for (const all of [line(1) + line(2), '{"text":"b"}\n{"text":"c"}\n']) {
      expect((await run(folder, all, { path: 'out.parquet' })).warnings).toEqual([]);
    }
  });

  it('that are empty put their row aside', async () => {
    const { summary } = await run(temporaryFolder(), `{"id":"","text":"a"}\n${line(1)}`, { path: 'out.parquet' });
    expect(summary).toMatchObject({ rows: 1, quarantined: 1 });
  });
});
