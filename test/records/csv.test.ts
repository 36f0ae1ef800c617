import { describe, expect, it } from 'vitest';
import type { FormatName } from '#src/records/formats.js';
import { fc } from '../properties.js';
import { cutBySizes, failureOf, readPiped } from './reading.js';

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
const cell = fc
  .array(fc.constantFrom('"', ',', '\t', '\r\n', '\n', 'a', ' é', '漢', '😀', "'", ';'), { maxLength: 8 })
  .map((cells) => cells.join(''));
const row = fc.record({ id: cell.map((value) => `i${value}`), text: cell.map((value) => `x${value}`), extra: cell });

/** Quoted only where it must be, as most writers do. */
function quoted(value: string): string {
  return /[",\t\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

const piped = (content: string | Buffer, reading = {}, from: FormatName = 'csv') =>
  readPiped([Buffer.from(content as string)], from, reading);

describe.each([
  ['csv', ','],
  ['tsv', '\t'],
] as const)('%s', (format, delimiter) => {
  it('comes back equal whatever the chunks, and names the line on which each row starts', async () => {
    const layout = fc.record({ crlf: fc.boolean(), bom: fc.boolean(), final: fc.boolean() });
    const property = fc.asyncProperty(fc.array(row, { maxLength: 6 }), layout, sizes, async (rows, { crlf, bom, final }, cuts) => {
      const end = crlf ? '\r\n' : '\n';
      const lines = [['id', 'text', 'extra'], ...rows.map(({ id, text, extra }) => [id, text, extra])];
      const written = lines.map((cells) => cells.map(quoted).join(delimiter));
      const bytes = Buffer.from(`${bom ? '\ufeff' : ''}${written.join(end)}${final ? end : ''}`);
      const records = await readPiped(cutBySizes(bytes, cuts), format, { keep: ['extra'] });
      const starts = written.map((_, index) => written.slice(0, index).join('\n').split('\n').length + (index > 0 ? 1 : 0));
      const expected = rows.map(({ id, text, extra }, index) => [id, text, extra, starts[index + 1]]);
      expect(records.map(({ id, text, kept, place }) => [id, text, kept.kind === 'values' && kept.values[0], place.number])).toEqual(
        expected,
      );
    });
    await fc.assert(property, { numRuns: 150 });
  });
});

describe('CSV', () => {
  it('takes line ends that differ from line to line, and passes over empty lines', async () => {
    const records = await piped('"id",text\r\n1,a\n\n2,b\r\n\r\n3,"c\r\nd"\n4,e');
    expect(records.map(({ id, text, place }) => [id, text, place.number])).toEqual([
      ['1', 'a', 2],
      ['2', 'b', 4],
      ['3', 'c\r\nd', 6],
      ['4', 'e', 8],
    ]);
  });

  it('has a header alone, or nothing, as no rows', async () => {
    expect(await piped('id,text\n')).toEqual([]);
    expect(await piped('')).toEqual([]);
    expect(await piped('\ufeff')).toEqual([]);
  });

  it('decodes only what is asked for', async () => {
    const bytes = Buffer.concat([Buffer.from('text,other\na,'), Buffer.from([0xff]), Buffer.from('\n')]);
    expect((await piped(bytes)).map((record) => record.text)).toEqual(['a']);
    expect((await failureOf(piped(bytes, { keep: ['other'] }))).sentence).toMatch(/line 2: not UTF-8/);
  });

  it.each([
    ['id,text\n1,a\n2\n', 'bad-row', /line 3: 1 value, but the header names 2 columns/],
    ['id,text\n1,a,b\n', 'bad-row', /line 2: 3 values, but the header names 2 columns/],
    ['id,text\n1,"a\n\n\n', 'bad-row', /line 2: a value opens with a quote that is never closed; close it/],
    ['id,text\n1,a\n2,b "c"\n', 'bad-row', /line 3: a quote inside a value without quotes/],
    ['id,text\n1,"a"b\n', 'bad-row', /line 2: a quoted value goes on after its closing quote/],
    ['id,text,id\n1,a,2\n', 'bad-row', /line 1: the header names the column "id" twice/],
    ['id,body\n1,a\n', 'bad-row', /line 2: no field "text"; name one of these with --text-field: id, body/],
    ['id;text\n1;a\n', 'bad-row', /line 2: no field "text", only one named "id;text"; put commas between/],
    ['id,text\n1,\n', 'bad-row', /line 2: field "text" is empty/],
    [`id,text\n1,"${'a\n'.repeat(60)}`, 'text-too-long', /line 2: the row is longer than --max-line-bytes allows; close a quote/],
    [Buffer.from('\ufeffid,text\n1,a\n', 'utf16le'), 'input-unreadable', /standard input: UTF-16 text, not UTF-8/],
  ])('refuses %j with a sentence', async (content, code, sentence) => {
    const failure = await failureOf(piped(content, { maxLineBytes: 100 }));
    expect(failure.code).toBe(code);
    expect(failure.sentence).toMatch(sentence);
  });

  it('hands a row of another width to the caller, who may go on', async () => {
    const found: string[] = [];
    const records = await piped('id,text\n1,a\n2\n3,c\n', { onBadRow: (error: Error) => found.push(error.message) });
    expect(records.map((record) => record.id)).toEqual(['1', '3']);
    expect(found).toEqual([expect.stringContaining('line 3')]);
  });
});
