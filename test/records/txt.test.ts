import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { isBad } from '#src/records/bad-rows.js';
import { withoutBom } from '#src/records/lines.js';
import { readRecords, resolveInputs } from '#src/records/read.js';
import type { Item } from '#src/records/record.js';
import { fc } from '../properties.js';
import { cutBySizes, failureOf, readAll, readPiped } from './reading.js';

const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 });
const line = fc
  .string({ unit: 'grapheme', maxLength: 30 })
  .map((value) => value.replace(/[\r\n]/g, ''))
  .filter((value) => value === '' || !value.startsWith('\ufeff'));

describe('plain text', () => {
  it('is a text a line whatever the chunks, and a line that is blank is no row', async () => {
    const layout = fc.record({ crlf: fc.boolean(), bom: fc.boolean() });
    const property = fc.asyncProperty(fc.array(line), layout, sizes, async (lines, { crlf, bom }, cuts) => {
      const bytes = Buffer.from(`${bom ? '\ufeff' : ''}${lines.join(crlf ? '\r\n' : '\n')}`);
      const expected = lines.map((text, index) => [text, index + 1, undefined]).filter(([text]) => String(text).trim() !== '');
      const records = await readPiped(cutBySizes(bytes, cuts), 'txt');
      expect(records.map(({ text, place, id }) => [text, place.number, id])).toEqual(expected);
    });
    await fc.assert(property, { numRuns: 200 });
  });

  it('ends a line at LF only: other separators and a lone CR stay in the text', async () => {
    const content = 'a\u2028b\u0085c\rd\ve\n f \n';
    expect((await readPiped([Buffer.from(content)], 'txt')).map(({ text }) => text)).toEqual(['a\u2028b\u0085c\rd\ve', ' f ']);
  });

  it('has no columns to keep, fill in or take ids from', async () => {
    for (const reading of [{ keep: ['a'] }, { template: '{a}' }, { idField: 'a' }]) {
      const failure = await failureOf(readPiped([Buffer.from('x')], 'txt', reading));
      expect([failure.code, failure.sentence]).toEqual([
        'usage',
        'standard input is plain text, which has no columns; leave out --keep, --template and --id-field',
      ]);
    }
  });
});

describe('a byte order mark', () => {
  it.each([1, 2, 3, 4, 100])('is taken off in chunks of %i bytes, once and at the start only', async (size) => {
    for (const content of ['', 'a', 'ab', '\ufeff', '\ufeffa\ufeffb', '\ufeff\ufeffa', 'abcdef']) {
      const chunks: Buffer[] = [];
      for await (const chunk of withoutBom(Readable.from(cutBySizes(Buffer.from(content), [size])))) chunks.push(chunk);
      expect(Buffer.concat(chunks).toString()).toBe(content.replace(/^\ufeff/, ''));
    }
  });
});

describe('a line that is too long', () => {
  it.each([
    [99, 1000],
    [99, 7],
    [100, 1000],
    [100, 7],
  ])('of 100 bytes with a limit of %i is judged alike in chunks of %i', async (maxLineBytes, size) => {
    const chunks = cutBySizes(Buffer.from(`short\n${'y'.repeat(100)}\nshort`), [size]);
    const work = readPiped(chunks, 'txt', { maxLineBytes });
    if (maxLineBytes === 100) return expect(await work).toHaveLength(3);
    const failure = await failureOf(work);
    expect([failure.code, failure.sentence]).toEqual([
      'text-too-long',
      'standard input, line 2: longer than 99 bytes; split it, or raise --max-line-bytes',
    ]);
  });

  it.each([1000, 64, 7])('takes its place among the others, with its first bytes alone (chunks of %i)', async (size) => {
    const long = `${'y'.repeat(3_000)}z`.repeat(2);
    const chunks = cutBySizes(Buffer.from(`first\n${long}\r\nthird\n${long}`), [size]);
    const inputs = await resolveInputs(['-'], { from: 'txt', stdin: Readable.from(chunks) });
    const limits = { maxLineBytes: 5_000 };
    const items: Item[] = [];
    for await (const some of readRecords(
      inputs,
      { selection: { textField: 'text', template: undefined, idField: undefined, keep: [] }, limits },
      { bytesDone: 0 },
    ))
      items.push(...some);
    expect(items.map((item) => (isBad(item) ? item.error.code : item.text))).toEqual(['first', 'text-too-long', 'third', 'text-too-long']);
    expect(items.map(({ place }) => place.number)).toEqual([1, 2, 3, 4]);
    const raws = items.filter(isBad).map(({ raw }) => raw?.toString());
    expect(raws).toEqual([long.slice(0, 4096), long.slice(0, 4096)]);
  });

  it('is refused before its end is read', async () => {
    let taken = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        taken += 1000;
        yield Buffer.alloc(1000, 'a');
      }
    }
    for (const from of ['txt', 'jsonl', 'csv'] as const) {
      taken = 0;
      const failure = await failureOf(readAll(['-'], { from, stdin: Readable.from(endless()), maxLineBytes: 50_000 }));
      expect(failure.code).toBe('text-too-long');
      expect(taken).toBeLessThan(500_000);
    }
  });
});
