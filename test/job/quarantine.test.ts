// Rows that cannot be embedded: put aside with what it takes to mend them, counted, and never lost or written.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type JobConfig, runJob } from '#src/index.js';
import { temporaryFolder } from '../run.js';
import { batchFailure, type StubOptions, stubModel } from './stub-model.js';

interface Scene {
  readonly folder: string;
  readonly config: JobConfig;
}

function scene(content: string | Buffer, changes: Partial<JobConfig> = {}, name = 'in.jsonl'): Scene {
  const folder = temporaryFolder();
  writeFileSync(join(folder, name), content);
  const config = { input: { paths: [join(folder, name)] }, output: { path: join(folder, 'out.jsonl') }, ...changes };
  return { folder, config };
}

const quarantineOf = ({ folder }: Scene): Record<string, unknown>[] => {
  const path = join(folder, 'out.jsonl.quarantine.jsonl');
  return existsSync(path) ? jsonLines(path) : [];
};
const idsOf = ({ config }: Scene): unknown[] => jsonLines(config.output.path).map(({ id }) => id);

function jsonLines(path: string): Record<string, unknown>[] {
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const good = (id: number): string => `{"id":${id},"text":"good text ${id}"}\n`;

describe('bad rows of the input', () => {
  const long = `{"id":4,"text":"${'y'.repeat(5_000)}"}`;
  const content = Buffer.concat([
    Buffer.from(good(0)),
    Buffer.from('{"id":1,"text":null}\n'),
    Buffer.from(good(2)),
    Buffer.from([0x22, 0xe9, 0x22, 0x0a]),
    Buffer.from(`${long}\n`),
    Buffer.from('{"text":"no id of its own"}\nno JSON\n'),
  ]);

  it('are put aside with place, id, reason, remedy and bytes; the others stand, numbered as if all were good', async () => {
    const here = scene(content, { window: { rows: 2 } });
    const limited = { ...here.config, input: { ...here.config.input, maxLineBytes: 4_500 } };
    expect(await runJob(limited, stubModel())).toMatchObject({ rowsIn: 7, rows: 3, embedded: 3, reused: 0, quarantined: 4 });
    expect(idsOf(here)).toEqual(['0', '2', '5']);
    const file = here.config.input.paths[0];
    expect(quarantineOf(here)).toEqual([
      {
        file,
        line: 2,
        id: '1',
        code: 'bad-row',
        message: expect.stringMatching(/field "text" is null/),
        hint: expect.any(String),
        raw: '{"id":1,"text":null}',
      },
      {
        file,
        line: 4,
        id: null,
        code: 'bad-row',
        message: expect.stringMatching(/not UTF-8/),
        hint: expect.any(String),
        raw_base64: Buffer.from([0x22, 0xe9, 0x22]).toString('base64'),
      },
      {
        file,
        line: 5,
        id: null,
        code: 'text-too-long',
        message: expect.stringMatching(/longer than 4500 bytes/),
        hint: expect.any(String),
        raw: long.slice(0, 4096),
      },
      { file, line: 7, id: null, code: 'bad-row', message: expect.stringMatching(/not JSON/), hint: expect.any(String), raw: 'no JSON' },
    ]);
  });

  it('of an earlier run are forgotten by one without any', async () => {
    const here = scene(content);
    await runJob(here.config, stubModel());
    expect(quarantineOf(here)).toHaveLength(3);
    writeFileSync(here.config.input.paths[0] as string, good(1));
    expect(await runJob(here.config, stubModel())).toMatchObject({ quarantined: 0, quarantine: undefined });
    expect(readdirSync(here.folder).sort()).toEqual(['in.jsonl', 'out.jsonl']);
  });

  it('end a run that is to fail, and one that writes a stream', async () => {
    const here = scene(content);
    await expect(runJob({ ...here.config, onError: 'fail' }, stubModel())).rejects.toMatchObject({ code: 'bad-row' });
    const output = { path: '-', stdout: new PassThrough() };
    await expect(runJob({ ...here.config, output }, stubModel())).rejects.toMatchObject({ code: 'bad-row' });
    await expect(runJob({ ...here.config, output, onError: 'quarantine' }, stubModel())).rejects.toMatchObject({
      code: 'usage',
      message: '--on-error quarantine needs an output that is a file, and -o - is a stream',
    });
  });

  it('that are all there is are a wrong command: the old output stays', async () => {
    const here = scene('{"body":"a"}\n{"body":"b"}\n');
    writeFileSync(here.config.output.path, 'old');
    await expect(runJob(here.config, stubModel())).rejects.toMatchObject({
      code: 'too-many-errors',
      sentence: expect.stringMatching(
        /^none of 2 rows could be embedded; the first: .*, line 1: no field "text"; name one of these with --text-field: body; all of them are in .*out\.jsonl\.failed\.jsonl$/,
      ),
    });
    expect(readFileSync(here.config.output.path, 'utf8')).toBe('old');
    const failed = readFileSync(`${here.config.output.path}.failed.jsonl`, 'utf8').trimEnd().split('\n');
    expect([failed.length, quarantineOf(here)]).toEqual([2, []]);
    expect(readdirSync(here.folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});

describe('--max-errors', () => {
  const rows = (bad: number, of: number): string =>
    Array.from({ length: of }, (_, row) => (row < bad ? '{"text":5}\n' : good(row))).join('');

  it.each([
    [{ rows: 3 }, 3, 10, true],
    [{ rows: 3 }, 4, 10, false],
    [{ rows: 0 }, 1, 10, false],
    [{ share: 0.1 }, 20, 200, true],
    [{ share: 0.1 }, 21, 200, false],
    // A share of a handful of rows says nothing before the end.
    [{ share: 0.1 }, 5, 20, false],
    [{ share: 0.1 }, 2, 20, true],
  ] as const)('%j with %i of %i rows bad: passes %s', async (maxErrors, bad, of, passes) => {
    const here = scene(rows(bad, of), { maxErrors });
    const ended = await runJob(here.config, stubModel()).then(
      () => true,
      (error: { code: string }) => error.code,
    );
    expect(ended).toBe(passes || 'too-many-errors');
    expect(existsSync(here.config.output.path)).toBe(passes);
  });
});

describe('a text that the engine cannot do', () => {
  const content = Array.from({ length: 40 }, (_, row) => good(row)).join('');
  const withStub = (options: StubOptions): [Scene, ReturnType<typeof stubModel>] => [scene(content), stubModel(options)];

  /** The last token before [SEP] tells the texts apart. */
  const poison = (texts: readonly (readonly number[])[], isPoison: (text: readonly number[]) => boolean): void => {
    if (texts.some(isPoison)) throw batchFailure('out of memory');
  };

  it('is alone in quarantine, whatever batch it stood in', async () => {
    const seen = new Map<string, number>();
    const [here, stub] = withStub({ onBatch: (texts) => poison(texts, (text) => text.includes(2861)) });
    for (const text of ['good text 17']) seen.set(text, 1);
    const summary = await runJob(here.config, stub);
    const bad = quarantineOf(here);
    expect(summary.rowsIn).toBe(summary.embedded + summary.reused + summary.quarantined);
    expect(bad.map(({ code }) => code)).toEqual(bad.map(() => 'engine-failed'));
    expect(bad.length).toBe(summary.quarantined);
    expect(bad.length).toBeGreaterThan(0);
    expect(bad.length).toBeLessThan(3);
    const badIds = new Set(bad.map(({ id }) => id));
    expect(idsOf(here)).toEqual(Array.from({ length: 40 }, (_, row) => String(row)).filter((id) => !badIds.has(id)));
  });

  it('once is tried again, and nothing is lost', async () => {
    let failures = 0;
    const [here, stub] = withStub({
      onBatch: () => {
        if (failures++ === 0) throw batchFailure('a passing fault');
      },
    });
    expect(await runJob(here.config, stub)).toMatchObject({ rows: 40, quarantined: 0 });
  });

  it.each([
    ['not finite', () => Number.NaN],
    ['all zeros', () => 0],
    ['of another length', (value: number) => value * 2],
  ])('(a vector %s) is put aside, not written', async (_, change) => {
    const [clean, plain] = withStub({});
    await runJob(clean.config, plain);
    const vectors = jsonLines(clean.config.output.path).map(({ embedding }) => embedding as number[]);
    let texts = 0;
    const [here, stub] = withStub({
      vectorOf: (_ids, dim) => {
        const vector = Float32Array.from(vectors[texts % vectors.length] as number[]);
        return texts++ === 5 ? vector.map(change) : vector.subarray(0, dim);
      },
    });
    expect(await runJob(here.config, stub)).toMatchObject({ rows: 39, quarantined: 1 });
    expect(quarantineOf(here)).toEqual([
      expect.objectContaining({ code: 'vector-invalid', message: expect.stringMatching(/in\.jsonl, line \d+: .* vector/) }),
    ]);
  });

  it('in float16 is one whose vector does not fit', async () => {
    // Not a unit vector: only a model that does not normalise could give it, so its norm is the fault that is named.
    const [here, stub] = withStub({ vectorOf: (_ids, dim) => new Float32Array(dim).fill(1e6) });
    await expect(runJob({ ...here.config, output: { ...here.config.output, dtype: 'float16' } }, stub)).rejects.toMatchObject({
      code: 'too-many-errors',
    });
  });
});
