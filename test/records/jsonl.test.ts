import { describe, expect, it } from 'vitest';
import { fc } from '../properties.js';
import { cutBySizes, failureOf, readPiped } from './reading.js';

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }).filter((value) => value.trim() !== '');
const scalar = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.boolean(),
  fc.constant(null),
  fc.maxSafeInteger(),
  fc.double({ noInteger: true }),
);
const row = fc.record({ id: fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }), text, extra: scalar });

/** A line as another program may write it: a big integer as its digits. */
function lineOf(value: { id: bigint; text: string; extra: unknown }): string {
  return `{"id":${value.id},"text":${JSON.stringify(value.text)},"extra":${JSON.stringify(value.extra)}}`;
}

const piped = (content: string | Buffer, reading = {}) => readPiped([Buffer.from(content as string)], 'jsonl', reading);

describe('JSON lines', () => {
  it('come back equal whatever the chunks, line ends, blank lines, byte order mark and final newline', async () => {
    const layout = fc.record({ crlf: fc.boolean(), bom: fc.boolean(), blank: fc.boolean(), final: fc.boolean() });
    const property = fc.asyncProperty(fc.array(row, { maxLength: 8 }), layout, sizes, async (rows, { crlf, bom, blank, final }, cuts) => {
      const end = crlf ? '\r\n' : '\n';
      const body = rows.map(lineOf).join(blank ? `${end}  ${end}${end}` : end);
      const bytes = Buffer.from(`${bom ? '\ufeff' : ''}${body}${final ? end : ''}`);
      const records = await readPiped(cutBySizes(bytes, cuts), 'jsonl', { keep: ['extra'] });
      const expected = rows.map((value) => ({
        id: String(value.id),
        text: value.text.toWellFormed(),
        kept: { kind: 'values', values: [JSON.parse(JSON.stringify(value.extra))] },
      }));
      expect(records.map(({ id, text: read, kept }) => ({ id, text: read, kept }))).toEqual(expected);
    });
    await fc.assert(property, { numRuns: 150 });
  });

  it('name the line that they stand on, blank lines counted', async () => {
    const records = await piped('\n{"text":"a"}\n \n\n{"text":"b"}');
    expect(records.map(({ place }) => place)).toEqual([
      { source: 'standard input', unit: 'line', number: 2 },
      { source: 'standard input', unit: 'line', number: 5 },
    ]);
  });

  it('take dotted paths, but first the field that has the dot in its name', async () => {
    const lines = '{"a":{"b":"inner"},"id":1}\n{"a":{"b":"inner"},"a.b":"literal","id":2}';
    expect((await piped(lines, { textField: 'a.b' })).map((record) => record.text)).toEqual(['inner', 'literal']);
  });

  it('keep numbers and lists as they are, and count the last of a repeated key', async () => {
    const line = '{"text":"first","text":"t","n":12345678901234567890,"f":0.12500000000000000000,"l":[1,null,"x"],"o":{"k":true}}';
    const [record] = await piped(line, { keep: ['n', 'f', 'l', 'o', 'absent'] });
    expect(record?.text).toBe('t');
    const values = [12345678901234567890n, 0.125, [1, null, 'x'], { k: true }, undefined];
    expect(record?.kept).toEqual({ kind: 'values', values });
  });

  it('have U+FFFD where JSON escapes half a surrogate pair', async () => {
    expect((await piped('{"text":"a\\ud800b","id":"\\udc00"}')).map(({ id, text: read }) => [id, read])).toEqual([['\ufffd', 'a\ufffdb']]);
  });

  it.each([
    ['hello', /line 1: not JSON \(.*; write one JSON object a line/],
    ['{"text":"a"', /line 1: not JSON/],
    ['[1]', /line 1: an array, not an object/],
    ['"x"', /line 1: text, not an object/],
    ['{"text":"a"}\n{"body":"x","n":1}', /line 2: no field "text"; name one of these with --text-field: body, n/],
    ['{"text":3}', /line 1: field "text" is the number 3, not text/],
    ['{"text":null}', /line 1: field "text" is null, not text/],
    ['{"text":{"a":1}}', /line 1: field "text" is an object, not text/],
    ['{"text":""}', /line 1: field "text" is empty/],
    ['{"text":" \\n\\t"}', /line 1: field "text" is only white space/],
    ['{"text":"a","id":null}', /line 1: id field "id" is null/],
    ['{"text":"a","id":[1]}', /line 1: id field "id" is an array/],
    [Buffer.from([0x7b, 0x22, 0xe9, 0x22, 0x7d]), /line 1: not UTF-8 \(after 2 bytes that are\); convert the file/],
  ])('refuse %j with a sentence', async (content, sentence) => {
    const failure = await failureOf(piped(content));
    expect(failure.code).toBe('bad-row');
    expect(failure.sentence).toMatch(sentence);
  });

  it('in UTF-16 are no rows at all', async () => {
    const failure = await failureOf(piped(Buffer.from('\ufeff{"text":"a"}\n', 'utf16le')));
    expect([failure.code, failure.sentence]).toEqual([
      'input-unreadable',
      'standard input: UTF-16 text, not UTF-8; convert the file to UTF-8, for example with iconv',
    ]);
  });

  it('hand each bad row to the caller, who may go on', async () => {
    const found: string[] = [];
    const content = Buffer.concat([Buffer.from('{"text":"a"}\nno\n'), Buffer.from([0xff, 0x0a]), Buffer.from('{}\n{"text":"b"}')]);
    const records = await piped(content, { onBadRow: (error: Error) => found.push(error.message) });
    expect(records.map((record) => record.text)).toEqual(['a', 'b']);
    expect(found.map((message) => /line (\d)/.exec(message)?.[1])).toEqual(['2', '3', '4']);
  });
});
