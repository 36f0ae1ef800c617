// The public suites of odd and broken files through the whole job: every row is written or put aside, in order, and no file ends it without a sentence.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EmbedkitError } from '#src/errors.js';
import type { JobSummary } from '#src/job/config.js';
import { runJob } from '#src/job/run.js';
import { openParquet } from '#src/records/parquet-file.js';
import { stubModel } from '../job/stub-model.js';
import { temporaryFolder } from '../run.js';
import { describeShared, sharedPath } from '../shared.js';

/** How a run over the first column ends: all its rows, none that is text, or a container that cannot be read. */
const PARQUET: Readonly<Record<string, string>> = {
  'bad_data/ARROW-GH-41317.parquet': 'input-unreadable',
  'bad_data/ARROW-GH-41321.parquet': 'too-many-errors',
  'bad_data/ARROW-GH-43605.parquet': 'too-many-errors',
  'bad_data/ARROW-GH-45185.parquet': 'input-unreadable',
  'bad_data/ARROW-GH-47662.parquet': 'input-unreadable',
  'bad_data/ARROW-RS-GH-6229-DICTHEADER.parquet': 'too-many-errors',
  'bad_data/ARROW-RS-GH-6229-LEVELS.parquet': 'input-unreadable',
  'bad_data/PARQUET-1481.parquet': 'input-unreadable',
  'data/alltypes_plain.parquet': 'too-many-errors',
  'data/delta_byte_array.parquet': '1000 rows, 0 put aside',
};

interface Outcome {
  readonly summary: JobSummary;
  /** Of the rows written, in their order. */
  readonly ids: readonly string[];
  readonly quarantined: readonly { readonly line?: number; readonly code: string; readonly message: string }[];
}

/** One run into a fresh folder; its books and its files say the same. */
async function runOver(paths: readonly string[], input: { textField?: string; from?: 'jsonl' | 'txt' }): Promise<Outcome> {
  const path = join(temporaryFolder(), 'out.jsonl');
  const summary = await runJob({ input: { paths, ...input }, output: { path } }, stubModel());
  const written = linesOf(path) as { id: string; embedding: number[] }[];
  const quarantined = linesOf(`${path}.quarantine.jsonl`) as Outcome['quarantined'][number][];
  expect(written.length).toBe(summary.rows);
  expect(quarantined.length).toBe(summary.quarantined);
  expect(summary.rowsIn).toBe(summary.embedded + summary.reused + summary.quarantined);
  for (const { embedding } of written) expect(Math.hypot(...embedding)).toBeCloseTo(1, 5);
  for (const { code, message } of quarantined)
    expect([code, message]).toEqual([expect.stringMatching(/^[a-z-]+$/), expect.stringMatching(/^.+$/)]);
  return { summary, ids: written.map(({ id }) => id), quarantined };
}

function linesOf(path: string): unknown[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as unknown);
}

describeShared('the whole job', () => {
  it('over the JSON documents that are a line each, as members of an object', async () => {
    const folder = sharedPath('data/jsontestsuite/test_parsing');
    const documents = readdirSync(folder)
      .sort()
      .map((name) => ({ name, bytes: readFileSync(join(folder, name)) }))
      .filter(({ bytes }) => !/\n./s.test(bytes.toString('latin1')) && !bytes.includes(Buffer.from('\r')));
    const path = join(temporaryFolder(), 'documents.jsonl');
    const line = (bytes: Buffer): Buffer[] => [
      Buffer.from('{"text":"t","value":'),
      Buffer.from(bytes.toString('latin1').trimEnd(), 'latin1'),
      Buffer.from('}\n'),
    ];
    writeFileSync(path, Buffer.concat(documents.flatMap(({ bytes }) => line(bytes))));
    const { summary, quarantined } = await runOver([path], {});
    const refused = new Set(quarantined.map(({ line: number }) => documents[(number as number) - 1]?.name as string));
    expect(summary.rowsIn).toBe(documents.length);
    expect(documents.length).toBeGreaterThan(290);
    // This one is whole once it stands inside an object.
    const must = documents.map(({ name }) => name).filter((name) => name !== 'n_object_trailing_comment_open.json');
    expect(must.filter((name) => name.startsWith('y_') && refused.has(name))).toEqual([]);
    expect(must.filter((name) => name.startsWith('n_') && !refused.has(name))).toEqual([]);
  });

  it('over naughty strings: every one is a row', async () => {
    const strings = JSON.parse(readFileSync(sharedPath('data/naughty-strings/blns.json'), 'utf8')) as string[];
    const path = join(temporaryFolder(), 'strings.jsonl');
    writeFileSync(path, strings.map((text, id) => `${JSON.stringify({ id, text })}\n`).join(''));
    const { ids, quarantined } = await runOver([path], {});
    const blank = strings.flatMap((text, id) => (text.trim() === '' ? [id + 1] : []));
    expect(quarantined.map(({ line }) => line)).toEqual(blank);
    expect(ids).toEqual(strings.flatMap((text, id) => (text.trim() === '' ? [] : [String(id)])));
  });

  it('over text with every kind of invalid UTF-8: exactly the invalid lines are put aside', async () => {
    const path = sharedPath('data/utf8-tests/utf8tests.bin');
    const lines = readFileSync(path).toString('latin1').trimEnd().split('\n');
    const invalid = lines.flatMap((line, index) => (line.split(':')[1]?.startsWith('invalid') ? [index + 1] : []));
    const { quarantined } = await runOver([path], { from: 'txt' });
    expect(quarantined.map(({ line }) => line)).toEqual(invalid);
    expect(invalid.length).toBe(145);
  });

  it('over Parquet files that are damaged, and some that are not', async () => {
    const ended: Record<string, string> = {};
    for (const name of Object.keys(PARQUET)) ended[name] = await endOf(sharedPath(`data/parquet-testing/${name}`));
    expect(ended).toEqual(PARQUET);
  });
});

/** A run over the file's first column: how many rows it wrote and put aside, or the code of the sentence that ended it. */
async function endOf(path: string): Promise<string> {
  const file = await openParquet(path).catch(() => undefined);
  await file?.close();
  const textField = file?.names[0] ?? 'text';
  try {
    const { summary } = await runOver([path], { textField });
    expect(summary.rowsIn).toBe(file?.rows);
    return `${summary.rows} rows, ${summary.quarantined} put aside`;
  } catch (error) {
    if (!(error instanceof EmbedkitError)) throw error;
    return /^[^\n]+; [^\n]+$/.test(error.sentence) ? error.code : `NO SENTENCE ${error.sentence}`;
  }
}
