// A run that ended early goes on to the bytes of an undisturbed one, whatever stopped it and whatever changed meanwhile.
import { appendFileSync, existsSync, readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { EmbedkitError, type JobConfig, type JobSummary, runJob } from '#src/index.js';
import { temporaryFolder } from '../run.js';
import { type StubOptions, stubModel } from './stub-model.js';

const line = (row: number, text = `text number ${row} of the corpus`): string =>
  `${JSON.stringify({ id: `r${row}`, text, tag: row % 7 })}\n`;
const corpus = (rows: number): string[] => Array.from({ length: rows }, (_, row) => line(row));

interface Scene {
  readonly folder: string;
  readonly config: JobConfig;
  readonly write: (lines: readonly string[]) => void;
}

function scene(lines: readonly string[], changes: Partial<JobConfig> = {}): Scene {
  const folder = temporaryFolder();
  const write = (content: readonly string[]): void => writeFileSync(join(folder, 'in.jsonl'), content.join(''));
  write(lines);
  const input = { paths: [join(folder, 'in.jsonl')], keep: [{ name: 'tag', type: undefined }] };
  const config = { input, output: { path: join(folder, 'out.parquet') }, window: { rows: 10 }, ...changes };
  return { folder, config, write };
}

const bytesOf = ({ config }: Scene): Buffer => readFileSync(config.output.path);
const leftIn = ({ folder }: Scene): string[] => readdirSync(folder).filter((name) => name.startsWith('.'));

interface Outcome {
  readonly summary: JobSummary | undefined;
  readonly error: unknown;
  readonly computed: number;
  readonly warnings: readonly string[];
}

async function run({ config }: Scene, changes: Partial<JobConfig> = {}, options: StubOptions = {}): Promise<Outcome> {
  const stub = stubModel(options);
  const warnings: string[] = [];
  const ended = await runJob({ ...config, ...changes, onWarning: (message) => void warnings.push(message) }, stub).then(
    (summary) => ({ summary, error: undefined }),
    (error: unknown) => ({ summary: undefined, error }),
  );
  return { ...ended, computed: stub.computed, warnings };
}

/** Runs until `windows` windows are kept, and stops there. */
async function runUntil(here: Scene, windows: number, changes: Partial<JobConfig> = {}): Promise<Outcome> {
  const reason = new EmbedkitError('interrupted', 'enough');
  const controller = new AbortController();
  const onWindow: JobConfig['onWindow'] = async ({ rowsIn }) => {
    if (rowsIn >= windows * 10) controller.abort(reason);
  };
  const outcome = await run(here, { ...changes, onWindow, signal: controller.signal });
  expect(outcome.error).toBe(reason);
  return outcome;
}

async function undisturbed(lines: readonly string[], changes: Partial<JobConfig> = {}): Promise<Buffer> {
  const here = scene(lines, changes);
  expect((await run(here)).error).toBeUndefined();
  expect(leftIn(here)).toEqual([]);
  return bytesOf(here);
}

describe('the same command after an early end', () => {
  it.each([1, 3, 9])('goes on after %i windows, to the same bytes', async (windows) => {
    const here = scene(corpus(95));
    await runUntil(here, windows);
    expect(existsSync(here.config.output.path)).toBe(false);
    const again = await run(here);
    expect(again).toMatchObject({ error: undefined, warnings: [] });
    expect(again.summary).toMatchObject({ rowsIn: 95, rows: 95, quarantined: 0 });
    expect(again.summary?.resumed).toBeGreaterThanOrEqual(windows * 10);
    // Fewer where the run was stopped between a part and its line in the journal: such a part is found by its texts.
    expect(again.computed).toBe(95 - (again.summary?.resumed ?? 0) - (again.summary?.reused ?? 0));
    expect(bytesOf(here)).toEqual(await undisturbed(corpus(95)));
    expect(leftIn(here)).toEqual([]);
  });

  it('goes on whatever its windows, threads and file times are now', async () => {
    const here = scene(corpus(60));
    await runUntil(here, 2);
    utimesSync(here.config.input.paths[0] as string, 1, 1);
    const again = await run(here, { window: { rows: 7 }, model: { threads: 3 } });
    expect(again).toMatchObject({ error: undefined, warnings: [] });
    expect(again.summary?.resumed).toBeGreaterThanOrEqual(20);
    expect(bytesOf(here)).toEqual(await undisturbed(corpus(60)));
  });

  it('goes on over standard input, which is read again', async () => {
    const here = scene(corpus(45));
    const piped = (): Partial<JobConfig> => ({
      input: { ...here.config.input, paths: ['-'], stdin: Readable.from([Buffer.from(corpus(45).join(''))]) },
    });
    await runUntil(here, 2, piped());
    const again = await run(here, piped());
    expect(again.summary?.resumed).toBeGreaterThanOrEqual(20);
    expect(bytesOf(here)).toEqual(await undisturbed(corpus(45)));
  });

  it('takes up more rows where the input has grown', async () => {
    const here = scene(corpus(30));
    await runUntil(here, 2);
    here.write(corpus(52));
    expect((await run(here)).warnings).toEqual([]);
    expect(bytesOf(here)).toEqual(await undisturbed(corpus(52)));
  });
});

describe('an input that changed since', () => {
  const changed = (lines: string[], at: number, to: string[]): string[] => [...lines.slice(0, at), ...to, ...lines.slice(at + 1)];

  it.each([
    ['a row altered', changed(corpus(60), 25, [line(25, 'another text')])],
    ['a row inserted at the start', [line(900), ...corpus(60)]],
    ['a row removed', changed(corpus(60), 25, [])],
    ['a kept value altered', changed(corpus(60), 25, [line(25).replace(/"tag":\d/, '"tag":77')])],
    ['an id altered', changed(corpus(60), 25, [line(25).replace('r25', 'x25')])],
    ['rows in another order', [...corpus(60)].reverse()],
    ['fewer rows', corpus(33)],
    ['no rows', []],
  ])('(%s) gives the bytes of a new run, and computes no text again', async (_, lines) => {
    const here = scene(corpus(60));
    const before = await runUntil(here, 4);
    here.write(lines);
    const again = await run(here);
    expect(again.error).toBeUndefined();
    expect(again.warnings).toEqual([
      expect.stringMatching(/the input has changed since the unfinished run of .*out\.parquet, in window \d of \d/),
    ]);
    expect(bytesOf(here)).toEqual(await undisturbed(lines));
    const done = new Set(
      corpus(60)
        .slice(0, 40)
        .map((text) => (JSON.parse(text) as { text: string }).text),
    );
    const fresh = lines.filter((text) => !done.has((JSON.parse(text) as { text: string }).text));
    expect(before.computed).toBeGreaterThanOrEqual(40);
    expect(again.computed).toBeLessThanOrEqual(fresh.length);
    expect(leftIn(here)).toEqual([]);
  });

  it('is refused where going on was required, and the parts stay', async () => {
    const here = scene(corpus(60));
    await runUntil(here, 4);
    here.write([line(900), ...corpus(60)]);
    const refused = await run(here, { resume: 'require' });
    expect(refused.error).toMatchObject({ code: 'usage', message: expect.stringMatching(/--resume require: the input has changed/) });
    here.write(corpus(60));
    expect((await run(here, { resume: 'require' })).summary?.resumed).toBeGreaterThanOrEqual(40);
  });
});

describe('options that changed since', () => {
  it('are named, and finished vectors are taken by the hash of their text', async () => {
    const here = scene(corpus(50));
    await runUntil(here, 3);
    const keep = [{ name: 'tag', type: 'string' as const }];
    const changes = { input: { ...here.config.input, keep } };
    const again = await run(here, changes);
    expect(again.warnings).toEqual([expect.stringMatching(/was asked otherwise \(keep: tag, now tag:string\): starting over/)]);
    expect(again.computed).toBeLessThanOrEqual(20);
    expect(again.summary?.reused).toBeGreaterThanOrEqual(30);
    expect(bytesOf(here)).toEqual(bytesOf(await finished(corpus(50), { keep })));
  });

  it.each(['float32', 'binary'] as const)('that round vectors to %s leave none of another type in use', async (dtype) => {
    const here = scene(corpus(50));
    await runUntil(here, 3, { output: { ...here.config.output, dtype: 'float16' } });
    const output = { ...here.config.output, dtype };
    const again = await run(here, { output });
    expect([again.computed, again.warnings]).toEqual([
      50,
      [expect.stringMatching(`dtype: float16, now ${dtype}\\): starting over, with its vectors where text, model and type`)],
    ]);
    const alone = scene(corpus(50));
    await run(alone, { output: { ...alone.config.output, dtype } });
    expect(bytesOf(here)).toEqual(bytesOf(alone));
  });

  it('are told apart even where the journal says nothing any more', async () => {
    const here = scene(corpus(50));
    await runUntil(here, 3, { output: { ...here.config.output, dtype: 'float16' } });
    writeFileSync(join(here.folder, '.embedkit-out.parquet.job', 'journal'), 'torn');
    expect((await run(here)).computed).toBe(50);
    expect(bytesOf(here)).toEqual(await undisturbed(corpus(50)));
  });

  it.each(['int8', 'binary'] as const)('not, and the run goes on in %s, to the same bytes', async (dtype) => {
    const here = scene(corpus(50));
    const ofType = ({ config }: Scene): Partial<JobConfig> => ({ output: { ...config.output, dtype } });
    await runUntil(here, 3, ofType(here));
    expect((await run(here, { ...ofType(here), resume: 'require' })).summary?.resumed).toBeGreaterThanOrEqual(30);
    const alone = scene(corpus(50));
    await run(alone, ofType(alone));
    expect(bytesOf(here)).toEqual(bytesOf(alone));
  });

  it('that change the text change every vector', async () => {
    const here = scene(corpus(50));
    await runUntil(here, 3);
    const again = await run(here, { model: { prompt: 'query' } });
    expect(again.computed).toBe(50);
    expect(again.warnings).toHaveLength(1);
  });

  it('are refused where going on was required; never starts over without a word', async () => {
    const here = scene(corpus(50));
    expect((await run(here, { resume: 'require' })).error).toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/no unfinished run/),
    });
    await runUntil(here, 3);
    const refused = await run(here, { resume: 'require', model: { prompt: 'query' } });
    expect(refused.error).toMatchObject({ code: 'usage', message: expect.stringMatching(/prompt: none, now Represent/) });
    expect(await run(here, { resume: 'never' })).toMatchObject({ error: undefined, warnings: [], computed: 50 });
  });

  async function finished(lines: readonly string[], { keep }: Pick<JobConfig['input'], 'keep'>): Promise<Scene> {
    const here = scene(lines);
    await run(here, { input: { ...here.config.input, keep } });
    return here;
  }
});

describe('a journal or a part that is damaged', () => {
  const journalOf = (here: Scene): string => join(here.folder, '.embedkit-out.parquet.job', 'journal');
  function partOf(here: Scene, part: number): string {
    const folder = join(here.folder, '.embedkit-out.parquet.job');
    const name = readdirSync(folder).find((file) => file.startsWith(`${String(part).padStart(6, '0')}-`));
    return join(folder, name ?? 'none');
  }

  it.each([
    ['cut within its last line', (path: string) => truncateSync(path, readFileSync(path).length - 5)],
    ['with a torn line at its end', (path: string) => appendFileSync(path, '0123456789abcdef {"items":10')],
    ['with a digit altered in its third line', (path: string) => writeFileSync(path, alteredLine(path, 2))],
    ['with its third line twice', (path: string) => writeFileSync(path, repeatedLine(path, 2))],
    ['emptied', (path: string) => truncateSync(path, 0)],
  ])('(journal %s) is rolled back to its last good window', async (_, damage) => {
    const here = scene(corpus(60));
    await runUntil(here, 4);
    damage(journalOf(here));
    expect((await run(here)).error).toBeUndefined();
    expect(bytesOf(here)).toEqual(await undisturbed(corpus(60)));
  });

  it.each([
    ['cut', (path: string) => truncateSync(path, 1000)],
    ['altered in one bit', (path: string) => writeFileSync(path, flipped(readFileSync(path)))],
  ])('(part %s) is computed again, with what follows it', async (_, damage) => {
    const here = scene(corpus(60));
    await runUntil(here, 4);
    damage(partOf(here, 2));
    const again = await run(here);
    expect(again.warnings).toEqual([expect.stringMatching(/lost a finished window \(2 of \d\)/)]);
    expect(again.summary?.resumed).toBe(10);
    expect(bytesOf(here)).toEqual(await undisturbed(corpus(60)));
  });

  const linesOf = (path: string): string[] => readFileSync(path, 'utf8').split(/(?<=\n)/);
  const alteredLine = (path: string, at: number): string =>
    linesOf(path)
      .with(at, (linesOf(path)[at] as string).replace('"items":10', '"items":11'))
      .join('');
  const repeatedLine = (path: string, at: number): string =>
    linesOf(path)
      .toSpliced(at, 0, linesOf(path)[at] as string)
      .join('');
  function flipped(bytes: Buffer): Buffer {
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
    return bytes;
  }
});
