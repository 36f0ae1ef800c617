// `--on-overflow chunk`: long documents become rows that say which part they are, and join to the document again.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { type JobConfig, openModel, predictJob, runJob } from '#src/index.js';
import { temporaryFolder } from '../run.js';
import { stubModel } from './stub-model.js';

const passages = readFileSync(new URL('../../examples/passages.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n');
const texts = passages.map((line) => (JSON.parse(line) as { text: string }).text);
const LONG = `${texts.slice(0, 12).join(' ')} \u{1F600} ${texts.slice(12, 20).join(' ')}`;

interface Row {
  readonly id: string;
  readonly parent_id: string;
  readonly chunk_start: number;
  readonly chunk_end: number;
  readonly token_count: number;
  readonly truncated: boolean;
  readonly embedding: readonly number[];
  readonly kind?: string;
}

function job(folder: string, changes: Partial<JobConfig['model']> = {}): JobConfig {
  const rows = [
    { id: 'short', text: texts[0], kind: 'a' },
    { id: 'long', text: LONG, kind: 'b' },
    { text: texts[1], kind: 'c' },
  ];
  writeFileSync(join(folder, 'in.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const input = { paths: [join(folder, 'in.jsonl')], keep: [{ name: 'kind', type: undefined }] };
  return {
    input,
    output: { path: join(folder, 'out.jsonl') },
    model: { threads: 1, onOverflow: 'chunk', ...changes },
    window: { rows: 3 },
  };
}

const rowsIn = (path: string): Row[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);

describe('chunks', () => {
  it('of a long document stand in its place, whole ones as they are; nothing of it is lost', async () => {
    const folder = temporaryFolder();
    const config = job(folder, { chunkTokens: 200, chunkOverlap: 40 });
    const summary = await runJob(config, stubModel());
    const rows = rowsIn(config.output.path);
    const long = rows.filter(({ parent_id }) => parent_id === 'long');
    expect(long.length).toBeGreaterThan(6);
    expect(rows.map(({ id }) => id)).toEqual(['short', ...long.map((_, index) => `long#${index}`), '2']);
    expect(rows.map(({ kind }) => kind)).toEqual(['a', ...long.map(() => 'b'), 'c']);
    expect(summary).toMatchObject({ rowsIn: rows.length, rows: rows.length, truncatedTexts: 0, quarantined: 0 });
    for (const { token_count, truncated } of rows) expect([token_count <= 200, truncated]).toEqual([true, false]);
    // Offsets are characters as Python counts them.
    const characters = [...LONG];
    let covered = 0;
    for (const { chunk_start, chunk_end } of long) {
      expect(characters.slice(covered, chunk_start).join('').trim()).toBe('');
      covered = Math.max(covered, chunk_end);
    }
    expect(characters.slice(covered).join('').trim()).toBe('');
    expect([rows[0]?.chunk_start, rows[0]?.chunk_end]).toEqual([0, [...(texts[0] as string)].length]);
  });

  it('have the vectors of their stretches of text, prompt included', async () => {
    const folder = temporaryFolder();
    const config = job(folder, { chunkTokens: 300, prompt: 'query' });
    await runJob(config);
    const rows = rowsIn(config.output.path);
    const model = await openModel(undefined, { threads: 1 });
    const row = rows.find(({ id }) => id === 'long#1') as Row;
    const text = [...LONG].slice(row.chunk_start, row.chunk_end).join('');
    const { data } = await model.embed([text], { prompt: 'query' });
    await model.close();
    expect(Float32Array.from(row.embedding)).toEqual(data);
    expect(row.token_count).toBeLessThanOrEqual(300);
  });

  it('are the same in every format, resumed or not, and foretold', async () => {
    const folder = temporaryFolder();
    const config = job(folder, { chunkTokens: 100 });
    const predicted = await predictJob(config);
    await runJob(config, stubModel());
    const rows = rowsIn(config.output.path);
    expect(predicted).toMatchObject({ rows: rows.length, truncatedTexts: 0 });
    const path = join(folder, 'out.arrow');
    const controller = new AbortController();
    const stopped = { ...config, output: { path }, signal: controller.signal, onWindow: async () => controller.abort(new Error('enough')) };
    await expect(runJob(stopped, stubModel())).rejects.toThrow('enough');
    expect((await runJob({ ...config, output: { path } }, stubModel())).resumed).toBeGreaterThan(0);
    const table = tableFromIPC(readFileSync(path));
    const read = table.toArray().map((row) => [row.id, row.parent_id, row.chunk_start, row.chunk_end, row.kind]);
    expect(read).toEqual(rows.map(({ id, parent_id, chunk_start, chunk_end, kind }) => [id, parent_id, chunk_start, chunk_end, kind]));
    await runJob({ ...config, output: { path: join(folder, 'out.parquet') } }, stubModel());
  });

  it.each([
    [{ chunkTokens: 513 }, /--chunk-tokens 513: more than the 512 that the model takes/],
    [{ chunkTokens: 5 }, /--chunk-tokens 5: not a whole number of at least 16/],
    [{ chunkTokens: 100, chunkOverlap: 51 }, /--chunk-overlap 51: more than half/],
    [{ onOverflow: 'truncate' as const, chunkTokens: 100 }, /are for --on-overflow chunk/],
  ])('%j is wrong usage', async (changes, message) => {
    await expect(runJob(job(temporaryFolder(), changes))).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(message) });
  });
});
