// The bytes of an output depend on the input and on what was asked for: not on threads, windows or batches.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { JobModel, WindowLimits } from '#src/job/config.js';
import { runJob } from '#src/job/run.js';
import { temporaryFolder } from '../run.js';

interface Way {
  readonly model: JobModel;
  readonly window: Partial<WindowLimits>;
}

const WAYS: readonly Way[] = [
  { model: { threads: 1 }, window: {} },
  { model: { threads: 2, batchTokens: 64 }, window: { rows: 7 } },
  { model: { threads: 2, batchTokens: 4096, batchSize: 3 }, window: { tokens: 500 } },
  { model: { threads: 1, batchSize: 1 }, window: { bytes: 900, rows: 1 } },
];

const passages = readFileSync(new URL('../../examples/passages.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .slice(0, 16);

it.each(['parquet', 'arrow', 'jsonl'])('%s', async (extension) => {
  const folder = temporaryFolder();
  const input = join(folder, 'in.jsonl');
  writeFileSync(input, `${passages.join('\n')}\n`);
  const files: Buffer[] = [];
  for (const [index, { model, window }] of WAYS.entries()) {
    const output = join(folder, `${index}.${extension}`);
    const keep = [
      { name: 'title', type: undefined },
      { name: 'year', type: undefined },
    ];
    const summary = await runJob({ input: { paths: [input], keep }, output: { path: output }, model, window });
    expect(summary.rows).toBe(passages.length);
    files.push(readFileSync(output));
  }
  for (const file of files) expect(file.equals(files[0] as Buffer)).toBe(true);
});
