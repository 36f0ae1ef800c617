import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openParquet } from '#src/records/parquet-file.js';
import { resolveInputs } from '#src/records/read.js';
import { temporaryFolder } from '../run.js';
import { FIXTURE_ROWS, fixture } from './fixtures.js';
import { failureOf, openRecords, readAll, readPiped } from './reading.js';

const TABLE = fixture('table.parquet');

describe('Parquet', () => {
  it('gives text, ids beyond 2^53, row numbers over row groups, and kept columns of their own type', async () => {
    const records = await readAll([TABLE], { keep: ['score', 'kind'] });
    const values = records.map(({ id, text, place, kept }) => [
      id,
      text,
      place.number,
      ...(kept.kind === 'arrow' ? kept.columns.map((column) => column.get(kept.row)) : []),
    ]);
    expect(values).toEqual(FIXTURE_ROWS.map(({ id, text, score, kind }, row) => [id, text, row, score, kind]));
  });

  it('fills a template from struct members, numbers and nulls', async () => {
    const records = await readAll([TABLE], { template: '{doc.body}|{score?}', idField: 'kind' });
    expect(records.map(({ id, text }) => [id, text])).toEqual(
      FIXTURE_ROWS.map(({ kind, body, score }) => [kind, `${body}|${score ?? ''}`]),
    );
  });

  it('decodes the columns that are asked for only', async () => {
    const file = await openParquet(TABLE);
    expect([file.names, file.rows]).toEqual([['id', 'text', 'kind', 'score', 'doc'], 40]);
    for await (const batch of file.batches(['kind', 'id'])) {
      expect(batch.schema.fields.map(({ name }) => name)).toEqual(['id', 'kind']);
    }
    await file.close();
  });

  it.each([
    ['number', /odd\.parquet, row 0: field "number" is the number 1.5, not text/],
    ['bytes', /odd\.parquet, row 0: field "bytes" is bytes, not text/],
    ['none', /odd\.parquet, row 1: field "none" is null, not text/],
    ['absent', /odd\.parquet, row 0: no field "absent"; name one of these with --text-field: number, bytes, none/],
  ])('refuses the column %s with a sentence', async (textField, sentence) => {
    const failure = await failureOf(readAll([fixture('odd.parquet')], { textField }));
    expect(failure.code).toBe('bad-row');
    expect(failure.sentence).toMatch(sentence);
  });

  it('says NaN and null apart, and goes on where the caller does', async () => {
    const found: string[] = [];
    await readAll([fixture('odd.parquet')], {
      textField: 'number',
      onBadRow: (error) => found.push(error.message.replace(/.*row/, 'row')),
    });
    expect(found).toEqual([
      'row 0: field "number" is the number 1.5, not text',
      'row 1: field "number" is the number NaN, not text',
      'row 2: field "number" is null, not text',
    ]);
    const filled = await readAll([fixture('odd.parquet')], { template: 'n{number?}' });
    expect(filled.map(({ text }) => text)).toEqual(['n1.5', 'n', 'n']);
  });

  it('is refused where it is cut off, something else, or empty', async () => {
    const bytes = readFileSync(TABLE);
    const path = `${temporaryFolder()}/x.parquet`;
    const notParquet = [Buffer.from('{"text":"hello"}\n'), Buffer.alloc(0), bytes.subarray(8)];
    for (const content of [...notParquet, ...[1, 4, 100, 3000, bytes.length - 1].map((end) => bytes.subarray(0, end))]) {
      writeFileSync(path, content);
      const failure = await failureOf(readAll([path]));
      expect([failure.code, failure.message.startsWith(path)]).toEqual(['input-unreadable', true]);
    }
  });

  it('cannot come from a pipe', async () => {
    const failure = await failureOf(readPiped([readFileSync(TABLE)], 'parquet'));
    expect([failure.code, failure.sentence]).toEqual(['usage', 'Parquet cannot be read from a pipe; name the file']);
  });

  it('is left alone by a reader that stops early', async () => {
    const records = openRecords(await resolveInputs([TABLE], { from: undefined, stdin: undefined }));
    expect((await records.next()).value?.length).toBeGreaterThan(0);
    expect(await records.return(undefined)).toEqual({ done: true, value: undefined });
    expect(process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length).toBeLessThanOrEqual(1);
  });
});
