// `embedkit inspect` and `embedkit verify` as a user runs them, over an output of the real model.
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alter, INPUT } from '../inspect/outputs.js';
import { runCli } from '../run.js';

const env = { EMBEDKIT_THREADS: '1' };
const cwd = mkdtempSync(join(tmpdir(), 'embedkit-test-'));
const run = (...args: string[]) => runCli(args, { cwd, env });

beforeAll(async () => {
  writeFileSync(join(cwd, 'in.jsonl'), INPUT);
  for (const [name, dtype] of [
    ['out.parquet', 'float32'],
    ['half.jsonl', 'float16'],
  ] as const) {
    expect((await run('embed', 'in.jsonl', '-o', name, '--dtype', dtype, '--quiet')).code).toBe(3);
  }
}, 60_000);
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe('inspect', () => {
  it('prints provenance, columns, counts and quarantine', async () => {
    const { code, stdout, stderr } = await run('inspect', 'out.parquet');
    expect([code, stderr]).toEqual([0, '']);
    const text = stdout.toString();
    expect(text).toMatch(/^out\.parquet: parquet, 4 rows, [\d.]+ MiB\nprovenance\n {2}model +bge-small-en-v1\.5\n {2}precision +int8\n/);
    expect(text).toMatch(/\n {2}prompt +\(none\)\n/);
    expect(text).toMatch(/\ncolumns\n {2}id +Utf8\n {2}embedding +FixedSizeList\[384\]<Float32>\n/);
    expect(text).toMatch(/\ncounts\n {2}rows +4\n {2}truncated +0 rows\n {2}tokens +\d+\n {2}duplicates +1 rows with/);
    expect(text).toMatch(
      /\nquarantine\n {2}out\.parquet\.quarantine\.jsonl: 2 rows \(2 bad-row\)\n {4}bad-row: in\.jsonl, line 2: [^\n]+\n/,
    );
  });

  it.each([['--json'], ['--log-format=json']])('prints one JSON object with %s', async (flag) => {
    const { stdout } = await run('inspect', 'half.jsonl', flag);
    expect(JSON.parse(stdout.toString())).toMatchObject({ format: 'jsonl', provenance: null, rows: 4, quarantine: { rows: 2 } });
    expect(stdout.toString().trimEnd()).not.toContain('\n');
  });

  it('fails with one sentence at a file of others', async () => {
    const { code, stdout, stderr } = await run('inspect', 'in.jsonl');
    expect([code, stdout.length]).toEqual([1, 0]);
    expect(stderr).toMatch(/^embedkit: in\.jsonl is no output of embedkit: it has no field "embedding", [^\n]+; [^\n]+\n$/);
  });
});

describe('verify', () => {
  it('says what was checked, and exits 0 where all holds', async () => {
    const { code, stdout, stderr } = await run('verify', 'out.parquet', '--against', 'in.jsonl');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.toString()).toMatch(/\n {2}sample +4 rows checked, 0 differ /);
    expect(stdout.toString()).toMatch(/\n6 rows of the input read, 2 of them rightly not in the output\n$/);
  });

  it('takes from flags what JSONL does not say', async () => {
    const right = await run('verify', 'half.jsonl', '--against', 'in.jsonl', '--dtype', 'float16');
    expect([right.code, right.stderr]).toEqual([0, '']);
    const wrong = await run('verify', 'half.jsonl', '--against', 'in.jsonl', '--json');
    expect(wrong.code).toBe(1);
    expect(JSON.parse(wrong.stdout.toString())).toMatchObject({ holds: false, rows: 4 });
    expect(wrong.stderr).toMatch(
      /^embedkit: half\.jsonl is not what it claims: sample of 4 of 4 rows differ, the first at row 0 \(id a\); /,
    );
  });

  it('exits 1 with one sentence where something does not hold, and names rows', async () => {
    writeFileSync(join(cwd, 'other.jsonl'), INPUT.replace('the last one', 'the last two'));
    const { code, stdout, stderr } = await run('verify', 'out.parquet', '--against', 'other.jsonl');
    expect(code).toBe(1);
    expect(stdout.toString()).toMatch(/\n {2}texts +4 rows checked, 1 differ [^\n]+\n {4}row 3, id 5: the input has another text there\n/);
    expect(stderr).toMatch(
      /^embedkit: out\.parquet is not what it claims: texts of 1 of 4 rows differ, the first at row 3 \(id 5\); [^\n]+\n$/,
    );
  });

  it('exits 1 with one sentence at a file that is damaged', async () => {
    copyFileSync(join(cwd, 'out.parquet'), join(cwd, 'cut.parquet'));
    writeFileSync(join(cwd, 'cut.parquet'), readFileSync(join(cwd, 'out.parquet')).subarray(0, -100));
    const { code, stderr } = await run('verify', 'cut.parquet');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^embedkit: cut\.parquet: cannot be read: [^\n]+\n$/)]);
  });

  it('exits 2 at a model that is not here, and takes another place of it', async () => {
    copyFileSync(join(cwd, 'out.parquet'), join(cwd, 'mine.parquet'));
    alter(join(cwd, 'mine.parquet'), '"model":"bge-small', '"model":"bge-large');
    const { code, stderr } = await run('verify', 'mine.parquet');
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^embedkit: the model bge-large.* is not here; name its folder with --model\n$/),
    ]);
    expect((await run('verify', 'mine.parquet', '--model', 'bge-small-en-v1.5')).code).toBe(0);
  });

  it('ends at an input that is not there', async () => {
    const { code, stderr } = await run('verify', 'out.parquet', '--against', 'gone.jsonl');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^embedkit: no file, folder or match for "gone\.jsonl"; /)]);
  });
});
