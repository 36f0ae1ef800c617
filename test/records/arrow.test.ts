import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { DataType } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { resolveInputs } from '#src/records/read.js';
import type { TextRecord } from '#src/records/record.js';
import { temporaryFolder } from '../run.js';
import { FIXTURE_ROWS, fixture } from './fixtures.js';
import { cutBySizes, failureOf, openRecords, readAll, readPiped } from './reading.js';

const EXPECTED = FIXTURE_ROWS.map(({ id, text }) => [id, text]);
const idAndText = (records: readonly TextRecord[]): unknown => records.map(({ id, text }) => [id, text]);

/** The kept values of each record, as Arrow has them. */
function keptValues(records: readonly TextRecord[]): unknown[][] {
  return records.map(({ kept }) => (kept.kind === 'arrow' ? kept.columns.map((column) => column.get(kept.row)) : []));
}

describe.each(['lz4.feather', 'zstd.feather'])('%s, of 3 batches', (name) => {
  it('gives text, ids beyond 2^53 and row numbers', async () => {
    const records = await readAll([fixture(name)]);
    expect(idAndText(records)).toEqual(EXPECTED);
    expect(records.map(({ place }) => [place.unit, place.number])).toEqual(FIXTURE_ROWS.map((_, row) => ['row', row]));
  });

  it('keeps columns as vectors of their own type, dictionaries too', async () => {
    const records = await readAll([fixture(name)], { keep: ['score', 'kind', 'id'] });
    expect(keptValues(records)).toEqual(FIXTURE_ROWS.map(({ score, kind, id }) => [score, kind, BigInt(id)]));
    const { kept } = records[0] as TextRecord;
    const types = kept.kind === 'arrow' ? kept.columns.map(({ type }) => type) : [];
    expect([DataType.isFloat(types[0]), DataType.isDictionary(types[1]), DataType.isInt(types[2])]).toEqual([true, true, true]);
  });

  it('reads large strings, dictionaries and struct members as text', async () => {
    const read = async (textField: string) => (await readAll([fixture(name)], { textField })).map(({ text }) => text);
    expect(await read('large')).toEqual(FIXTURE_ROWS.map(({ text }) => text));
    expect(await read('kind')).toEqual(FIXTURE_ROWS.map(({ kind }) => kind));
    expect(await read('doc.body')).toEqual(FIXTURE_ROWS.map(({ body }) => body));
  });

  it('is refused wherever it is cut off', async () => {
    const bytes = readFileSync(fixture(name));
    const path = `${temporaryFolder()}/cut.feather`;
    for (let end = 0; end < bytes.length; end += 97) {
      writeFileSync(path, bytes.subarray(0, end));
      const { code, sentence } = await failureOf(readAll([path]));
      expect([code, sentence]).toEqual([
        'input-unreadable',
        `${path}: the Arrow data has no end mark (a truncated file?); fetch or write the file again`,
      ]);
    }
  });
});

describe('an Arrow stream', () => {
  const bytes = readFileSync(fixture('table.arrows'));

  it('comes by name or on standard input, in any chunks, gzip too', async () => {
    expect(idAndText(await readAll([fixture('table.arrows')]))).toEqual(EXPECTED);
    for (const sizes of [[1], [3, 1000], [bytes.length]]) {
      expect(idAndText(await readPiped(cutBySizes(bytes, sizes), 'arrow'))).toEqual(EXPECTED);
    }
    expect(idAndText(await readPiped([gzipSync(bytes)], 'arrow'))).toEqual(EXPECTED);
  });

  it('may carry the file format', async () => {
    expect(idAndText(await readPiped([readFileSync(fixture('lz4.feather'))], 'arrow'))).toEqual(EXPECTED);
  });

  it('is refused wherever it is cut off, also between two messages', async () => {
    for (let end = 0; end < bytes.length; end += 8) {
      const { code, message } = await failureOf(readPiped([bytes.subarray(0, end)], 'arrow'));
      expect([code, message]).toEqual(['input-unreadable', 'standard input: the Arrow data has no end mark (a truncated file?)']);
    }
  });

  it('is refused with the error of its source', async () => {
    const packed = gzipSync(bytes);
    const { message } = await failureOf(readPiped([packed.subarray(0, packed.length / 2)], 'arrow'));
    expect(message).toBe('standard input: the compressed data ends too early (a truncated file?)');
  });

  it('is closed by a reader that stops early', async () => {
    const stream = createReadStream(fixture('table.arrows'));
    const inputs = await resolveInputs(['-'], { from: 'arrow', stdin: stream });
    const records = openRecords(inputs);
    expect((await records.next()).done).toBe(false);
    await records.return(undefined);
    expect(stream.destroyed).toBe(true);
  });
});

describe('other Arrow files', () => {
  it('may have string views', async () => {
    const records = await readAll([fixture('view.arrow')]);
    expect(records.map(({ text }) => text)).toEqual(FIXTURE_ROWS.slice(0, 5).map(({ text }) => text));
  });

  it('lack a column with a sentence that lists what there is', async () => {
    const failure = await failureOf(readAll([fixture('lz4.feather')], { textField: 'body' }));
    expect(failure.sentence).toMatch(
      /row 0: no field "body"; name one of these with --text-field: id, text, large, kind, score, doc, note$/,
    );
    const kept = await failureOf(readAll([fixture('lz4.feather')], { keep: ['absent'] }));
    expect(kept.sentence).toMatch(/row 0: no column "absent"; name some of these with --keep: id, text/);
  });

  it('are refused where they are something else', async () => {
    const path = `${temporaryFolder()}/x.arrow`;
    writeFileSync(path, '{"text":"this is not Arrow"}\n');
    const { code } = await failureOf(readAll([path]));
    expect(code).toBe('input-unreadable');
  });
});
