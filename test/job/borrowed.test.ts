// Rows that leave their vectors in an earlier output: nothing of those is written twice, and no early end, change or loss of that output
// makes another file than a full run would.
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Disk } from '#src/columns/disk.js';
import { realDisk } from '#src/columns/disk.js';
import { EmbedkitError, type JobConfig, type JobSummary, runJob } from '#src/index.js';
import { failingFrom } from '../faults/disks.js';
import { temporaryFolder } from '../run.js';
import { stubModel } from './stub-model.js';

const ROWS = 60;
/** Of the operations at which a disk fails: every one takes minutes. */
const STRIDE = 5;
const VECTOR_BYTES = 384 * 4;
const line = (row: number, text = `text number ${row}`): string => `{"id":${row},"text":"${text}"}\n`;
const night = (changed: (row: number) => boolean): string =>
  Array.from({ length: ROWS }, (_, row) => line(row, changed(row) ? `another text ${row}` : undefined)).join('');
const FIRST = night(() => false);
const SECOND = night((row) => row % 10 === 3);

interface Ran {
  readonly summary: JobSummary | undefined;
  readonly error: unknown;
  readonly computed: number;
  readonly warnings: readonly string[];
}

/** Embeds into out.parquet, or what `changes` names, ten rows a window. */
async function run(folder: string, content: string, changes: Partial<JobConfig> = {}, disk: Disk = realDisk): Promise<Ran> {
  writeFileSync(join(folder, 'in.jsonl'), content);
  const stub = stubModel();
  const warnings: string[] = [];
  const config = { input: { paths: [join(folder, 'in.jsonl')] }, output: { path: join(folder, 'out.parquet') }, window: { rows: 10 } };
  const ended = await runJob({ ...config, ...changes, onWarning: (message) => void warnings.push(message) }, { ...stub, disk }).then(
    (summary) => ({ summary, error: undefined }),
    (error: unknown) => ({ summary: undefined, error }),
  );
  return { ...ended, computed: stub.computed, warnings };
}

/** Stops once so many windows are kept. */
function until(windows: number): Partial<JobConfig> {
  const controller = new AbortController();
  const onWindow: JobConfig['onWindow'] = async ({ rowsIn }) => {
    if (rowsIn >= windows * 10) controller.abort(new EmbedkitError('interrupted', 'enough'));
  };
  return { onWindow, signal: controller.signal };
}

const outputOf = (folder: string, name = 'out.parquet'): Buffer => readFileSync(join(folder, name));

async function full(content: string): Promise<Buffer> {
  const folder = temporaryFolder();
  expect((await run(folder, content)).error).toBeUndefined();
  return outputOf(folder);
}

/** A folder with the output of the first night, which is to be reused by the second. */
async function afterFirst(): Promise<{ folder: string; reuse: { reuse: string[] } }> {
  const folder = temporaryFolder();
  await run(folder, FIRST);
  return { folder, reuse: { reuse: [join(folder, 'out.parquet')] } };
}

const jobFolder = (folder: string): string => join(folder, '.embedkit-out.parquet.job');
const bytesIn = (folder: string): number => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);

describe('a night of few changes', () => {
  it('keeps vectors of the changed rows only', async () => {
    const { folder, reuse } = await afterFirst();
    expect((await run(folder, SECOND, { ...reuse, ...until(5) })).error).toMatchObject({ code: 'interrupted' });
    const parts = readdirSync(jobFolder(folder)).filter((name) => name.endsWith('.arrow'));
    expect(parts.length).toBeGreaterThanOrEqual(5);
    expect(bytesIn(jobFolder(folder))).toBeLessThan((ROWS / 2) * VECTOR_BYTES);
    const again = await run(folder, SECOND, reuse);
    expect(again).toMatchObject({ error: undefined, warnings: [] });
    expect(again.summary).toMatchObject({ rowsIn: ROWS, rows: ROWS, quarantined: 0, removed: 6 });
    expect(outputOf(folder).equals(await full(SECOND))).toBe(true);
  });

  it('of other formats than plain Parquet copies them, as nothing says where they stand', async () => {
    const folder = temporaryFolder();
    await run(folder, FIRST, { output: { path: join(folder, 'old.arrow') } });
    await run(folder, SECOND, { reuse: [join(folder, 'old.arrow')], ...until(5) });
    expect(bytesIn(jobFolder(folder))).toBeGreaterThan((ROWS / 2) * VECTOR_BYTES);
    rmSync(join(folder, 'old.arrow'));
    const again = await run(folder, SECOND, {});
    expect(again.summary?.resumed).toBeGreaterThanOrEqual(50);
    expect(outputOf(folder).equals(await full(SECOND))).toBe(true);
  });

  it('with audit compares the vectors that were left where they are', async () => {
    const { folder, reuse } = await afterFirst();
    const { summary } = await run(folder, SECOND, { ...reuse, audit: 1 });
    expect(summary?.audit).toMatchObject({ texts: ROWS, minimum: 1 });
  });
});

describe('the output that vectors were left in', () => {
  it('gone before the run goes on: its windows are made again, and no vector twice', async () => {
    const { folder, reuse } = await afterFirst();
    const stopped = await run(folder, SECOND, { ...reuse, ...until(5) });
    rmSync(join(folder, 'out.parquet'));
    const again = await run(folder, SECOND, reuse);
    expect(again.error).toBeUndefined();
    expect(again.warnings).toContainEqual(expect.stringMatching(/took vectors for window 1 of \d from an output that has them no more/));
    expect(again.computed + stopped.computed).toBeLessThanOrEqual(ROWS);
    expect(outputOf(folder).equals(await full(SECOND))).toBe(true);
  });

  it('another one by then, with half of the vectors: the windows before the first loss stand', async () => {
    const { folder, reuse } = await afterFirst();
    await run(folder, SECOND, { ...reuse, ...until(5) });
    const half = temporaryFolder();
    await run(half, FIRST.split('\n').slice(0, 30).join('\n'));
    cpSync(join(half, 'out.parquet'), join(folder, 'out.parquet'));
    const again = await run(folder, SECOND, reuse);
    expect(again.warnings).toContainEqual(expect.stringMatching(/took vectors for window 4 of/));
    expect(again.summary?.resumed).toBe(30);
    expect(outputOf(folder).equals(await full(SECOND))).toBe(true);
  });

  it.each([
    ['cut short', (path: string) => truncateSync(path, 40_000)],
    [
      'replaced',
      (path: string) => {
        cpSync(path, `${path}.copy`);
        renameSync(`${path}.copy`, path);
      },
    ],
    ['emptied of its vectors', (path: string) => writeFileSync(path, new Uint8Array(statSync(path).size))],
  ])('%s during the run ends it, and never in a wrong file', async (_, change) => {
    const { folder } = await afterFirst();
    const lent = join(folder, 'lent.parquet');
    renameSync(join(folder, 'out.parquet'), lent);
    let isDone = false;
    const onWindow: JobConfig['onWindow'] = async ({ rowsIn }) => {
      if (rowsIn < ROWS || isDone) return;
      isDone = true;
      change(lent);
    };
    const { error, summary } = await run(folder, SECOND, { reuse: [lent], onWindow });
    if (summary === undefined) expect(error).toMatchObject({ code: 'input-unreadable', hint: expect.stringMatching(/./) });
    else expect(outputOf(folder).equals(await full(SECOND))).toBe(true);
    rmSync(lent);
    expect((await run(folder, SECOND)).error).toBeUndefined();
    expect(outputOf(folder).equals(await full(SECOND))).toBe(true);
  });

  it('in the folder that is written: its files go before the new ones are there, so that they are copied first', async () => {
    const folder = temporaryFolder();
    const output = { path: `${join(folder, 'out')}/`, overwrite: true };
    await run(folder, FIRST, { output });
    const expected = temporaryFolder();
    await run(expected, SECOND, { output: { path: `${join(expected, 'out')}/` } });
    for (let fatal = 2; fatal < 400; fatal += STRIDE) {
      const here = temporaryFolder();
      cpSync(join(folder, 'out'), join(here, 'out'), { recursive: true });
      const at = { output: { ...output, path: `${join(here, 'out')}/` }, reuse: [join(here, 'out')] };
      const first = await run(here, SECOND, at, failingFrom(fatal, 'EIO'));
      const { error, computed } = await run(here, SECOND, at);
      expect([fatal, error, computed + first.computed <= 12]).toEqual([fatal, undefined, true]);
      expect(outputOf(here, 'out/part-00000.parquet').equals(outputOf(expected, 'out/part-00000.parquet'))).toBe(true);
      if (first.error === undefined) return;
    }
    expect.unreachable('no run came to its end');
  });
});

describe('a run that reuses its own output', () => {
  it('(EIO at every write) ends in an error or in the right file, and so does the next one', async () => {
    const { folder } = await afterFirst();
    const first = outputOf(folder);
    const second = await full(SECOND);
    for (let fatal = 1; fatal < 400; fatal += STRIDE) {
      const here = temporaryFolder();
      writeFileSync(join(here, 'out.parquet'), first);
      const reuse = { reuse: [join(here, 'out.parquet')] };
      const { error } = await run(here, SECOND, reuse, failingFrom(fatal, 'EIO'));
      expect([first, second].some((whole) => whole.equals(outputOf(here)))).toBe(true);
      const again = await run(here, SECOND, reuse);
      expect([fatal, again.error, outputOf(here).equals(second)]).toEqual([fatal, undefined, true]);
      expect(readdirSync(here).sort()).toEqual(['in.jsonl', 'out.parquet']);
      if (error === undefined) return;
    }
    expect.unreachable('no run came to its end');
  });
});
