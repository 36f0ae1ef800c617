// A kept value of another type than the first rows settle costs its row, not the night; and never the run at its very end.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { type JobConfig, runJob } from '#src/index.js';
import { temporaryFolder } from '../run.js';
import { stubModel } from './stub-model.js';

const ROWS = 4100;

/** Rows with a whole number `n`, but where `others` says otherwise. */
async function run(
  others: Record<number, string>,
  keep: NonNullable<JobConfig['input']['keep']>,
  changes: Partial<JobConfig> = {},
  to = 'arrow',
) {
  const folder = temporaryFolder();
  const input = join(folder, 'in.jsonl');
  writeFileSync(
    input,
    Array.from({ length: ROWS }, (_, row) => `{"id":${row},"text":"text ${row % 7}","n":${others[row] ?? row}}\n`).join(''),
  );
  const path = join(folder, `out.${to}`);
  const stub = stubModel();
  const summary = await runJob({ input: { paths: [input], keep }, output: { path }, ...changes }, stub);
  const quarantine = summary.quarantine === undefined ? '' : readFileSync(summary.quarantine, 'utf8');
  return {
    summary,
    path,
    computed: stub.computed,
    bad: quarantine
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { line: number; message: string }),
  };
}

const N = [{ name: 'n', type: undefined }];

describe('a kept value', () => {
  it.each([1, 100, 5000])('of another type than the first row group is put aside (windows of %i rows)', async (rows) => {
    const { summary, bad, path } = await run({ 4097: '"many"', 4099: '1.5' }, N, { window: { rows } });
    expect(bad.map(({ line }) => line)).toEqual([4098, 4100]);
    expect(bad[0]?.message).toMatch(/kept column "n" is int64 \(by the first rows\), but here is the text "many"$/);
    expect(summary).toMatchObject({ rowsIn: ROWS, rows: ROWS - 2, quarantined: 2 });
    expect(tableFromIPC(readFileSync(path)).getChild('n')?.get(4097)).toBe(4098n);
  });

  it('of another type than the one that was named is put aside wherever it stands', async () => {
    const { bad } = await run({ 0: '"many"', 7: '"8"' }, [{ name: 'n', type: 'int64' }]);
    expect(bad.map(({ line }) => line)).toEqual([1]);
  });

  it('is of any type in JSONL, but for one that was named', async () => {
    expect((await run({ 4097: '"many"' }, N, {}, 'jsonl')).summary.quarantined).toBe(0);
    expect((await run({ 4097: '"many"' }, [{ name: 'n', type: 'int64' }], {}, 'jsonl')).bad.map(({ line }) => line)).toEqual([4098]);
  });

  it('ends the run where one bad row is to, and a column that no row has ends it before the second row group', async () => {
    await expect(run({ 4097: '"many"' }, N, { onError: 'fail' })).rejects.toMatchObject({ code: 'bad-row' });
    await expect(run({}, [{ name: 'm', type: undefined }])).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/^--keep m: no field of that name in the first 4096 rows$/),
    });
  });

  it('that no float holds beside fractions makes the column text, and loses nothing', async () => {
    const { path } = await run({ 3: '9007199254740993', 4: '0.5' }, N);
    const column = tableFromIPC(readFileSync(path)).getChild('n');
    expect([3, 4, 5].map((row) => column?.get(row))).toEqual(['9007199254740993', '0.5', '5']);
  });
});
