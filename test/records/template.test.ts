import { describe, expect, it } from 'vitest';
import { EmbedkitError } from '#src/errors.js';
import { valueAt } from '#src/records/path.js';
import { parseTemplate } from '#src/records/template.js';
import { fc } from '../properties.js';
import { failureOf, readPiped } from './reading.js';

const fill = async (template: string, row: object): Promise<string | undefined> =>
  (await readPiped([Buffer.from(JSON.stringify(row))], 'jsonl', { template }))[0]?.text;

describe('a template', () => {
  it.each([
    ['{title}\\n{text}', 'T\nx'],
    ['{title}\n{text}', 'T\nx'],
    ['a\\tb\\\\n{text}', 'a\tb\\nx'],
    ['{{{text}}} {{}}', '{x} {}'],
    ['{ text }', 'x'],
    ['{doc.part}/{doc.list.0}', 'inner/first'],
    ['{absent?}{nothing?}[{text}]', '[x]'],
    ['{count} {yes} {big}', '3 true 12345678901234567890'],
  ])('%j is filled in', async (template, expected) => {
    const row =
      '{"title":"T","text":"x","doc":{"part":"inner","list":["first"]},"nothing":null,"count":3,"yes":true,"big":12345678901234567890}';
    const [record] = await readPiped([Buffer.from(row)], 'jsonl', { template });
    expect(record?.text).toBe(expected);
  });

  it('gives back any literal text, braces and backslashes doubled', async () => {
    const property = fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (literal) => {
      const template = `${literal.replaceAll('\\', '\\\\').replaceAll('{', '{{').replaceAll('}', '}}')}{text}`;
      expect(await fill(template, { text: 'x' })).toBe(`${literal}x`);
    });
    await fc.assert(property);
  });

  it.each([
    ['text', 'it names no field'],
    ['', 'it names no field'],
    ['{', '"{" stands alone (write {{ for a brace)'],
    ['{a} }', '"}" stands alone (write }} for a brace)'],
    ['{a', '"{" stands alone (write {{ for a brace)'],
    ['{}', 'a field has no name'],
    ['{?}', 'a field has no name'],
  ])('%j is refused', (template, why) => {
    const refused = (): unknown => parseTemplate(template);
    expect(refused).toThrow(EmbedkitError);
    expect(refused).toThrow(`--template "${template}": ${why}`);
  });

  it.each([
    [
      '{absent}',
      /no field "absent"; name one of these with --template: text, nothing, list, or write \{absent\?\} where it may be missing/,
    ],
    ['{nothing}', /field "nothing" is null, not text; write \{nothing\?\} where it may be missing/],
    ['{list}', /field "list" is an array, not text; name another field/],
    ['{absent?} {nothing?}', /the filled template is only white space/],
  ])('%j says what a row lacks', async (template, sentence) => {
    const failure = await failureOf(fill(template, { text: 'x', nothing: null, list: [1] }));
    expect(failure.sentence).toMatch(sentence);
  });
});

describe('a dotted path', () => {
  it('reaches own properties only', () => {
    const root = { a: { b: { c: 1 } }, 'a.b': 2, n: null, s: 'text' };
    expect(
      ['a.b', 'a.b.c', 'a', 'n', 'n.x', 's.length', 'constructor', 'a.__proto__', 'toString.name', ''].map((path) => valueAt(root, path)),
    ).toEqual([2, 1, { b: { c: 1 } }, null, undefined, undefined, undefined, undefined, undefined, undefined]);
  });
});

describe('ids', () => {
  it.each([
    [{}, undefined, undefined],
    [{ _id: 'u' }, undefined, 'u'],
    [{ id: 7, _id: 'u' }, undefined, '7'],
    [{ id: 7, key: { k: 'deep' } }, 'key.k', 'deep'],
    [{ id: -0.5 }, undefined, '-0.5'],
  ])('of %j by %j are %j', async (row, idField, expected) => {
    const [record] = await readPiped([Buffer.from(JSON.stringify({ ...row, text: 'x' }))], 'jsonl', { idField });
    expect(record?.id).toBe(expected);
  });

  it('are missed where a field for them was named', async () => {
    const failure = await failureOf(readPiped([Buffer.from('{"text":"x"}')], 'jsonl', { idField: 'key' }));
    expect(failure.sentence).toMatch(/line 1: no field "key"; name one of these with --id-field: text/);
  });
});
