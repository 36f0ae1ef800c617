// A job is checked before anything is read or written: flags against each other, output against inputs.
import { linkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { KeepColumn } from '#src/columns/row.js';
import type { JobConfig } from '#src/job/config.js';
import { planJob } from '#src/job/plan.js';
import { PROVENANCE_KEY } from '#src/job/provenance.js';
import { temporaryFolder } from '../run.js';

function jobIn(folder: string, changes: { [Part in 'input' | 'output' | 'model' | 'window']?: object } = {}): JobConfig {
  writeFileSync(join(folder, 'in.jsonl'), '{"text":"a"}\n');
  return {
    input: { paths: [join(folder, 'in.jsonl')], ...changes.input },
    output: { path: join(folder, 'out.parquet'), ...changes.output },
    model: { ...changes.model },
    window: { ...changes.window },
  };
}

const keep = (...names: string[]): { keep: KeepColumn[] } => ({ keep: names.map((name) => ({ name, type: undefined })) });

describe('usage', () => {
  it.each([
    [{ output: { path: 'out' } }, /^-o out: the name does not tell a format; end it in \.parquet/],
    [{ input: keep('a', 'embedding') }, /^--keep embedding: the output has a column "embedding" of its own/],
    [{ input: keep('a', 'b', 'a') }, /^--keep names "a" twice/],
    [{ input: { template: '{a' } }, /template/],
    [{ input: { textField: 'a', template: '{b}' } }, /^--text-field and --template both say what the text is/],
    [{ input: { limit: -1 } }, /^--limit -1: not a whole number of at least 0/],
    [{ input: { limit: 1.5 } }, /^--limit 1\.5/],
    [{ window: { rows: 0 } }, /^--window-rows 0: not a whole number of at least 1/],
    [{ window: { bytes: Number.NaN } }, /^--window-bytes NaN/],
    [{ window: { tokens: -5 } }, /^--window-tokens -5/],
    [{ input: { maxLineBytes: 0 } }, /^--max-line-bytes 0/],
    [{ model: { maxTokens: 513 } }, /^--max-tokens 513: .* takes 3 to 512 tokens/],
    [{ model: { prompt: 'passage: ', maxTokens: 2 } }, /^--max-tokens 2/],
    [
      { model: { prompt: 'querry' } },
      /^--prompt querry: bge-small-en-v1\.5 has no such prompt; name one of none, .*query.*, or write .* like "querry: "/,
    ],
    [{ output: { dims: 100 } }, /^--dims 100: .* gives vectors of 384/],
  ])('%j', async (changes, sentence) => {
    await expect(planJob(jobIn(temporaryFolder(), changes))).rejects.toMatchObject({
      code: 'usage',
      sentence: expect.stringMatching(sentence),
    });
  });
});

describe('an output that is an input', () => {
  it.each(['in.jsonl', './x/../in.jsonl', 'link.jsonl'])('%s is refused', async (name) => {
    const folder = temporaryFolder();
    const job = jobIn(folder);
    symlinkSync('in.jsonl', join(folder, 'link.jsonl'));
    const again = { ...job, output: { path: `${folder}/${name}`.replace('/x/..', '') } };
    await expect(planJob(again)).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(/is also an input$/) });
  });

  it('may be another name of the same bytes: the input is not harmed', async () => {
    const folder = temporaryFolder();
    const job = jobIn(folder);
    linkSync(join(folder, 'in.jsonl'), join(folder, 'hard.jsonl'));
    await expect(planJob({ ...job, output: { path: join(folder, 'hard.jsonl') } })).resolves.toMatchObject({ format: 'jsonl' });
  });
});

describe('the format', () => {
  it.each([
    ['out.parquet', undefined, 'parquet'],
    ['out.ARROW', undefined, 'arrow'],
    ['out.feather', undefined, 'arrow'],
    ['out.arrows', undefined, 'arrow-stream'],
    ['out.ndjson', undefined, 'jsonl'],
    ['out.parquet', 'jsonl', 'jsonl'],
    ['out', 'arrow', 'arrow'],
    ['-', undefined, 'jsonl'],
    ['-', 'arrow', 'arrow-stream'],
    ['-', 'parquet', 'parquet'],
  ] as const)('of %s with --to %s is %s', async (path, to, format) => {
    const job = jobIn(temporaryFolder());
    expect((await planJob({ ...job, output: { path, to } })).format).toBe(format);
  });
});

describe('provenance', () => {
  const factsOf = async (folder: string, changes: Parameters<typeof jobIn>[1] = {}): Promise<Record<string, unknown>> => {
    const job = jobIn(folder, changes);
    return JSON.parse((await planJob(job)).layout.metadata.get(PROVENANCE_KEY) as string);
  };

  it('says what the vectors are, and neither when nor where they were made', async () => {
    const folder = temporaryFolder();
    const facts = await factsOf(folder, { output: { dtype: 'float16' }, model: { prompt: 'query', maxTokens: 99 } });
    expect(facts).toMatchObject({
      model: 'bge-small-en-v1.5',
      dim: 384,
      dtype: 'float16',
      pooling: 'cls',
      normalize: true,
      max_tokens: 99,
    });
    expect(facts['prompt']).toMatch(/^Represent this sentence/);
    expect(facts['fingerprint']).toMatch(/^[0-9a-f]{64}$/);
    const text = JSON.stringify(facts);
    expect(text).not.toMatch(/\d{4}-\d\d-\d\d|\d\d:\d\d/);
    for (const place of [folder, process.cwd(), 'in.jsonl', 'out.parquet']) expect(text).not.toContain(place);
  });

  it('does not depend on threads, batches or windows', async () => {
    const folder = temporaryFolder();
    const other = { model: { threads: 7, batchTokens: 64, batchSize: 2 }, window: { rows: 5, bytes: 100, tokens: 10 } };
    expect(await factsOf(folder, other)).toEqual(await factsOf(folder));
  });

  it('changes with what changes the vectors', async () => {
    const folder = temporaryFolder();
    const ways = [
      {},
      { input: { textField: 'body' } },
      { input: { template: '{a}' } },
      { model: { prompt: 'q: ' } },
      { model: { maxTokens: 9 } },
    ];
    const texts = await Promise.all(ways.map(async (way) => JSON.stringify(await factsOf(folder, way))));
    expect(new Set(texts).size).toBe(ways.length);
  });
});
