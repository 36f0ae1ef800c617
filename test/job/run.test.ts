// The job as a library: inputs in their order, limits, streams, progress, and what is left when it ends early.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { EmbedkitError, type JobConfig, type JobProgress, openModel, runJob } from '#src/index.js';
import { temporaryFolder } from '../run.js';

const passages = readFileSync(new URL('../../examples/passages.jsonl', import.meta.url), 'utf8').split('\n');
const SHORT = passages.filter((line) => line.length > 0 && line.length < 260).slice(0, 24);
const lines = (from: number, to: number): string => `${SHORT.slice(from, to).join('\n')}\n`;

interface Row {
  readonly id: string;
  readonly embedding: readonly number[];
  readonly token_count: number;
}

function rowsIn(path: string): Row[] {
  const text = readFileSync(path, 'utf8').trimEnd();
  return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as Row);
}

function job(folder: string, input: string, changes: Partial<JobConfig> = {}): JobConfig {
  writeFileSync(join(folder, 'in.jsonl'), input);
  return { input: { paths: [join(folder, 'in.jsonl')] }, output: { path: join(folder, 'out.jsonl') }, model: { threads: 1 }, ...changes };
}

const idsOf = (rows: readonly { id: string }[]): string[] => rows.map(({ id }) => id);
const idsFrom = (from: number, to: number): string[] => SHORT.slice(from, to).map((line) => (JSON.parse(line) as Row).id);

describe('runJob', () => {
  it('gives each text the vector that it has alone, whatever its neighbours', async () => {
    const folder = temporaryFolder();
    const reports: JobProgress[] = [];
    const config = job(folder, lines(0, 24), { window: { rows: 9 }, onProgress: (progress) => reports.push({ ...progress }) });
    const summary = await runJob(config);
    const rows = rowsIn(join(folder, 'out.jsonl'));
    const texts = SHORT.map((line) => (JSON.parse(line) as { text: string }).text);
    const model = await openModel(undefined, { threads: 1 });
    for (const at of [23, 0, 11]) {
      const alone = await model.embed([texts[at] as string]);
      expect(Float32Array.from(rows[at]?.embedding ?? [])).toEqual(alone.data);
    }
    await model.close();
    const tokens = rows.reduce((sum, row) => sum + row.token_count, 0);
    expect(summary).toMatchObject({
      rows: 24,
      tokens,
      truncatedTexts: 0,
      lostTokens: 0,
      duplicateIds: 0,
      threads: 1,
      output: config.output.path,
    });
    expect(summary.outputBytes).toBe(readFileSync(config.output.path).length);
    expect(summary.fingerprint).toBe(model.fingerprint);
    const bytes = Buffer.byteLength(lines(0, 24));
    expect(reports.at(-1)).toEqual({ rows: 24, tokens, rowsRead: 24, tokensRead: tokens, bytesRead: bytes, bytesTotal: bytes });
    for (const key of ['rows', 'tokens', 'rowsRead', 'tokensRead', 'bytesRead'] as const) {
      const values = reports.map((report) => report[key]);
      expect(values).toEqual([...values].sort((a, b) => a - b));
    }
    expect(reports.every(({ rows, rowsRead, tokens: done, tokensRead }) => rows <= rowsRead && done <= tokensRead)).toBe(true);
  });

  it('reads several inputs in their order, stdin among them, and counts duplicate ids', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'b.jsonl'), lines(4, 6));
    writeFileSync(join(folder, 'a.jsonl'), lines(0, 3));
    const paths = [join(folder, 'b.jsonl'), '-', join(folder, 'a.jsonl'), join(folder, 'b.jsonl')];
    const stdin = Readable.from([Buffer.from(lines(10, 12))]);
    const output = { path: join(folder, 'out.jsonl') };
    const summary = await runJob({ input: { paths, stdin }, output, model: { threads: 1 } });
    const ids = [...idsFrom(4, 6), ...idsFrom(10, 12), ...idsFrom(0, 3), ...idsFrom(4, 6)];
    expect(idsOf(rowsIn(output.path))).toEqual(ids);
    expect(summary).toMatchObject({ rows: 9, duplicateIds: 2, duplicateIdsIsExact: true });
  });

  it('stops at a limit, and lets go of a stream that would never end', async () => {
    const stdin = new PassThrough();
    stdin.write(lines(0, 8));
    const stdout = new PassThrough({ highWaterMark: 2 ** 20 });
    const output = { path: '-', stdout };
    const summary = await runJob({ input: { paths: ['-'], stdin, limit: 5 }, output, model: { threads: 1 } });
    const written = String(stdout.read()).trimEnd().split('\n');
    expect(idsOf(written.map((line) => JSON.parse(line) as Row))).toEqual(idsFrom(0, 5));
    expect(summary).toMatchObject({ rows: 5, output: '-' });
    expect([stdin.destroyed, stdout.writableEnded]).toEqual([true, false]);
  });

  it.each(['', '\n\n'])('makes an empty output of an empty input (%j)', async (input) => {
    const folder = temporaryFolder();
    expect(await runJob(job(folder, input))).toMatchObject({ rows: 0, tokens: 0, outputBytes: 0 });
    expect(readdirSync(folder).sort()).toEqual(['in.jsonl', 'out.jsonl']);
  });
});

describe('a job that ends early', () => {
  const reason = new EmbedkitError('interrupted', 'enough');

  it('by a signal that is aborted already does not even look for its input', async () => {
    const folder = temporaryFolder();
    const config = { input: { paths: [join(folder, 'none.jsonl')] }, output: { path: join(folder, 'out.jsonl') } };
    await expect(runJob({ ...config, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await expect(runJob(config)).rejects.toMatchObject({ code: 'input-not-found' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('by a signal leaves the old output, and beside it what is done', async () => {
    const folder = temporaryFolder();
    const controller = new AbortController();
    writeFileSync(join(folder, 'out.jsonl'), 'old');
    const onProgress = ({ tokens }: JobProgress): void => {
      if (tokens > 0) controller.abort(reason);
    };
    const config = job(folder, lines(0, 24), { signal: controller.signal, window: { rows: 4 }, onProgress });
    await expect(runJob(config)).rejects.toBe(reason);
    expect(readdirSync(folder).sort()).toEqual(['.embedkit-out.jsonl.job', 'in.jsonl', 'out.jsonl']);
    expect(readFileSync(join(folder, 'out.jsonl'), 'utf8')).toBe('old');
  });

  it('because its input is empty leaves the old output; a new one has no rows', async () => {
    const folder = temporaryFolder();
    const config = job(folder, '');
    expect(await runJob(config)).toMatchObject({ rowsIn: 0, rows: 0 });
    await expect(runJob(config)).rejects.toMatchObject({
      sentence: expect.stringMatching(/the input has no rows, and .* is there: it stays as it was; if that is right, remove/),
    });
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('while its input says nothing more lets go of it', async () => {
    const folder = temporaryFolder();
    const stdin = new PassThrough();
    stdin.write(lines(0, 2));
    const controller = new AbortController();
    const output = { path: join(folder, 'out.parquet') };
    const running = runJob({ input: { paths: ['-'], stdin }, output, model: { threads: 1 }, signal: controller.signal });
    setTimeout(() => controller.abort(reason), 300);
    await expect(running).rejects.toBe(reason);
    expect(stdin.destroyed).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('because a row is bad says which, and leaves nothing where nothing was finished', async () => {
    const folder = temporaryFolder();
    const config = job(folder, `${lines(0, 5)}{"id": 6, "text": null}\n`, { onError: 'fail' });
    const message = `${join(folder, 'in.jsonl')}, line 6: field "text" is null, not text`;
    await expect(runJob(config)).rejects.toMatchObject({ code: 'bad-row', message });
    expect(readdirSync(folder)).toEqual(['in.jsonl']);
  });

  it('because the reader of the output went away is closed-pipe', async () => {
    const folder = temporaryFolder();
    const stdout = new PassThrough();
    stdout.destroy();
    const config = job(folder, lines(0, 2), { output: { path: '-', stdout } });
    await expect(runJob(config)).rejects.toMatchObject({ code: 'closed-pipe' });
  });
});
