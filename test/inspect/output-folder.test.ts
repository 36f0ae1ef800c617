// A folder of outputs is looked at as one output, and not before it is finished.
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inspectOutput } from '#src/inspect/survey.js';
import { verifyOutput } from '#src/inspect/verify.js';
import { stubModel } from '../job/stub-model.js';
import { makeOutput } from './outputs.js';

describe('a folder', () => {
  it.each(['parquet', 'arrow', 'jsonl'] as const)('of %s is verified against the input, with its quarantine', async (to) => {
    const { path, input } = await makeOutput('out/', { output: { path: '', to } });
    expect(await inspectOutput(path)).toMatchObject({ rows: 4, quarantine: { path: join(path, '_quarantine.jsonl'), rows: 2 } });
    const found = await verifyOutput(path, { against: { paths: [input] } }, stubModel());
    expect(found).toMatchObject({ holds: true, rows: 4, input: { items: 6, putAside: 2 } });
  });

  it('has the rows of all its files, in the order of their names', async () => {
    const { path, input } = await makeOutput('out/');
    copyFileSync(join(path, 'part-00000.parquet'), join(path, 'part-00001.parquet'));
    // Twice the rows of a run over the input twice.
    writeFileSync(input, `${readFileSync(input, 'utf8')}\n`.repeat(2));
    expect(await inspectOutput(path)).toMatchObject({ rows: 8, duplicateHashes: 5 });
    const found = await verifyOutput(path, { against: { paths: [input] } }, stubModel());
    // Rows without an id are numbered over the whole input: the last row of the second half has another number.
    expect(found.checks.filter(({ differ }) => differ > 0).map(({ name, differ }) => [name, differ])).toEqual([['ids', 1]]);
  });

  it('without its marker, without a part, or with parts of two runs is refused, with what to do', async () => {
    const one = await makeOutput('out/');
    const other = await makeOutput('out/', { model: { prompt: 'query' } });
    copyFileSync(join(other.path, 'part-00000.parquet'), join(one.path, 'part-00001.parquet'));
    await expect(inspectOutput(one.path)).rejects.toMatchObject({
      sentence: expect.stringMatching(/outputs of different runs: .*; look at them/),
    });
    rmSync(join(other.path, '_SUCCESS'));
    await expect(inspectOutput(other.path)).rejects.toMatchObject({ sentence: expect.stringMatching(/has no _SUCCESS; run the command/) });
    rmSync(join(other.path, 'part-00000.parquet'));
    await expect(inspectOutput(other.path)).rejects.toMatchObject({ sentence: expect.stringMatching(/holds no part of an output; name/) });
  });
});
