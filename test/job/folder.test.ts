// A folder as output: files of a bounded number of rows and, last, the marker that says it is whole.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Part } from '#src/columns/part.js';
import type { OutputRow } from '#src/columns/row.js';
import { type JobConfig, runJob } from '#src/index.js';
import { inFiles } from '#src/job/assemble.js';
import { watched } from '../faults/disks.js';
import { fc } from '../properties.js';
import { temporaryFolder } from '../run.js';
import { stubModel } from './stub-model.js';

const corpus = (rows: number): string =>
  Array.from({ length: rows }, (_, row) => (row === 3 ? 'no JSON\n' : `{"id":${row},"text":"text ${row}"}\n`)).join('');

function scene(rows = 25): { folder: string; out: string; config: JobConfig } {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'in.jsonl'), corpus(rows));
  const out = join(folder, 'out');
  return { folder, out, config: { input: { paths: [join(folder, 'in.jsonl')] }, output: { path: `${out}/` }, window: { rows: 10 } } };
}

describe('an output folder', () => {
  it('holds files, quarantine and marker, and the same rows as a file', async () => {
    const { folder, out, config } = scene();
    const summary = await runJob(config, stubModel());
    expect(readdirSync(out).sort()).toEqual(['_SUCCESS', '_quarantine.jsonl', 'part-00000.parquet']);
    expect(summary).toMatchObject({ rowsIn: 25, rows: 24, quarantined: 1, quarantine: join(out, '_quarantine.jsonl') });
    await runJob({ ...config, output: { path: join(folder, 'one.parquet') } }, stubModel());
    expect(readFileSync(join(out, 'part-00000.parquet')).equals(readFileSync(join(folder, 'one.parquet')))).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(['in.jsonl', 'one.parquet', 'one.parquet.quarantine.jsonl', 'out']);
  });

  it('with something in it is written to when told so: only what embedkit wrote is replaced', async () => {
    const { out, config } = scene();
    await runJob({ ...config, output: { ...config.output, to: 'jsonl' } }, stubModel());
    writeFileSync(join(out, 'notes.txt'), 'mine');
    await expect(runJob(config, stubModel())).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/is a folder with 4 files in it/),
    });
    await runJob({ ...config, output: { path: out, overwrite: true } }, stubModel());
    expect(readdirSync(out).sort()).toEqual(['_SUCCESS', '_quarantine.jsonl', 'notes.txt', 'part-00000.parquet']);
  });

  it('has no marker while it is written, and the next run completes it', async () => {
    const { folder, out, config } = scene();
    mkdirSync(out);
    writeFileSync(join(out, '_SUCCESS'), '');
    const overwriting = { ...config, output: { path: out, overwrite: true } };
    const disk = watched((operation, path) => {
      if (operation === 'open' && path.includes('part-00000')) throw Object.assign(new Error('injected'), { code: 'EIO' });
      if (operation === 'rename' && path.includes('.embedkit-part-00000')) throw Object.assign(new Error('injected'), { code: 'EIO' });
    });
    await expect(runJob(overwriting, { ...stubModel(), disk })).rejects.toMatchObject({ code: 'output-unwritable' });
    expect(existsSync(join(out, '_SUCCESS'))).toBe(false);
    expect(readdirSync(folder).sort()).toEqual(['.embedkit-out.job', 'in.jsonl', 'out']);
    const stub = stubModel();
    await runJob(config, stub);
    expect(stub.computed).toBe(0);
    expect(readdirSync(out).sort()).toEqual(['_SUCCESS', '_quarantine.jsonl', 'part-00000.parquet']);
  });

  it('that holds an input is no output', async () => {
    const { folder, config } = scene();
    await expect(runJob({ ...config, output: { path: folder, overwrite: true } }, stubModel())).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/is also an input$/),
    });
  });
});

describe('inFiles', () => {
  const DIM = 2;
  const partOf = (ids: readonly number[]): Part => ({
    rows: ids.map((id) => ({ id: String(id) }) as OutputRow),
    vectors: { rows: ids.length, dim: DIM, data: Float32Array.from(ids.flatMap((id) => [id, -id])) },
  });

  it('cuts rows into files of a number of rows each, in their order, the last one shorter', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 20 }),
        async (sizes, rows) => {
          let next = 0;
          async function* parts(): AsyncGenerator<Part> {
            for (const size of sizes) yield partOf(Array.from({ length: size }, () => next++));
          }
          const files: number[][] = [];
          for await (const file of inFiles(parts(), rows)) {
            const ids: number[] = [];
            for await (const part of file) {
              expect([...part.vectors.data]).toEqual(part.rows.flatMap(({ id }) => [Number(id), -Number(id)]));
              ids.push(...part.rows.map(({ id }) => Number(id)));
            }
            files.push(ids);
          }
          expect(files.flat()).toEqual([...Array(next).keys()]);
          expect(files.length).toBe(Math.max(1, Math.ceil(next / rows)));
          expect(files.slice(0, -1).every((ids) => ids.length === rows)).toBe(true);
        },
      ),
    );
  });
});
