// Kept columns of plain values: the type that their first row group settles, and the sentence for what does not fit.
import { DataType, Int32, Utf8, vectorFromArray } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { OUTPUT_FORMAT_NAMES } from '#src/columns/formats.js';
import type { KeepColumn } from '#src/columns/row.js';
import { ROW_GROUP_ROWS } from '#src/columns/row-groups.js';
import { arrowRows, columnsOf, keptColumn, rowsOf, vectorsOf, write } from './written.js';

const BIG = 2n ** 63n - 1n;

const INFERRED: readonly (readonly [string, readonly unknown[], string, readonly unknown[]])[] = [
  ['whole numbers', [1, null, -5], 'Int64', [1n, null, -5n]],
  ['whole numbers beyond 2^53', [BIG, -(2n ** 63n), 9007199254740993n, 1], 'Int64', [BIG, -(2n ** 63n), 9007199254740993n, 1n]],
  ['whole numbers beyond 64 bits', [2n ** 63n, 1], 'Utf8', ['9223372036854775808', '1']],
  ['whole numbers and fractions', [1, 2.5, null], 'Float64', [1, 2.5, null]],
  ['large fractions', [1e300, -0.5], 'Float64', [1e300, -0.5]],
  ['booleans', [true, null, false], 'Bool', [true, null, false]],
  ['text', ['a', '', null, '\ud800'], 'Utf8', ['a', '', null, '\ufffd']],
  ['nothing but null', [null, null], 'Utf8', [null, null]],
  ['a field that some rows lack', [undefined, 3, undefined], 'Int64', [null, 3n, null]],
  ['arrays of numbers', [[1, null], [], null, [2]], 'List<Int64>', [[1n, null], [], null, [2n]]],
  ['arrays of numbers and fractions', [[1], [0.5]], 'List<Float64>', [[1], [0.5]]],
  ['arrays of text', [['a', 'b'], []], 'List<Utf8>', [['a', 'b'], []]],
  ['empty arrays', [[], null], 'List<Utf8>', [[], null]],
  ['objects', [{ a: [1, { b: null }] }, null], 'Utf8', ['{"a":[1,{"b":null}]}', null]],
  ['arrays of mixed types', [[1, 'a']], 'Utf8', ['[1,"a"]']],
  ['arrays of arrays', [[[1], [2]]], 'Utf8', ['[[1],[2]]']],
  ['arrays and scalars', [[1], 1], 'Utf8', ['[1]', '1']],
  ['text and numbers', ['a', 1, true, BIG], 'Utf8', ['"a"', '1', 'true', String(BIG)]],
];

describe('types found in the values', () => {
  it.each(INFERRED)('%s', async (_, values, type, expected) => {
    const column = await keptColumn(values);
    expect(String(column.type)).toBe(type);
    expect([...column].map((value) => (DataType.isList(column.type) && value ? [...value] : value))).toEqual(expected);
  });
});

const NAMED: readonly (readonly [NonNullable<KeepColumn['type']>, readonly unknown[], readonly unknown[]])[] = [
  ['string', ['a', 1, 2.5, true, BIG, null], ['a', '1', '2.5', 'true', String(BIG), null]],
  ['int64', ['12', '-3', '+4', '', ' 7 ', 5, String(BIG), null], [12n, -3n, 4n, null, 7n, 5n, BIG, null]],
  ['float64', ['1', '2.5e3', '', '-inf'.replace('inf', 'Infinity'), 7, 8n, null], [1, 2500, null, Number.NEGATIVE_INFINITY, 7, 8, null]],
  ['bool', ['true', 'False', '', true, null], [true, false, null, true, null]],
  ['json', ['a', 1, [1, 2], { a: BIG }, null], ['"a"', '1', '[1,2]', `{"a":${BIG}}`, null]],
];

describe('named types', () => {
  it.each(NAMED)('%s', async (type, values, expected) => {
    expect([...(await keptColumn(values, type))]).toEqual(expected);
  });

  it.each([
    ['int64', '1.5', 'the text "1.5"', 'string'],
    ['int64', 1.5, 'the number 1.5', 'string'],
    ['int64', '9223372036854775808', 'the text "9223372036854775808"', 'string'],
    ['float64', 'many', 'the text "many"', 'string'],
    ['bool', 1, 'the number 1', 'string'],
    ['string', { a: 1 }, 'an object', 'json'],
    ['int64', [1], 'an array', 'json'],
  ] as const)('%s does not hold %j', async (type, value, found, wider) => {
    const sentence = `corpus.jsonl, line 2: kept column "k" is ${type}, but here is ${found}; correct the row, or name a wider type: --keep k:${wider}`;
    await expect(keptColumn([null, value], type)).rejects.toMatchObject({ code: 'bad-row', sentence });
  });
});

describe('a value that comes after the first row group', () => {
  const later = async (first: unknown, value: unknown): Promise<unknown> => keptColumn([...Array(ROW_GROUP_ROWS).fill(first), value]);

  it.each([
    [1, 1.5, 'int64', 'the number 1.5', 'float64'],
    [1, '2', 'int64', 'the text "2"', 'json'],
    [2.5, 'x', 'float64', 'the text "x"', 'json'],
    ['a', 5, 'string', 'the number 5', 'json'],
    [null, 5, 'string', 'the number 5', 'json'],
    [true, 'true', 'bool', 'the text "true"', 'json'],
    [[1], ['a'], 'list of int64', 'an array', 'json'],
    [[1], 1, 'list of int64', 'the number 1', 'json'],
    ['a', { b: 1 }, 'string', 'an object', 'json'],
  ])('after %j: %j', async (first, value, type, found, wider) => {
    const sentence = `corpus.jsonl, line 4097: kept column "k" is ${type} (by the first rows), but here is ${found}; correct the row, or name a wider type: --keep k:${wider}`;
    await expect(later(first, value)).rejects.toMatchObject({ code: 'bad-row', sentence });
  });

  it.each([
    [0.5, 3],
    [{ a: 1 }, 'text'],
    ['a', null],
    [1, undefined],
  ])('fits after %j: %j', async (first, value) => {
    await expect(later(first, value)).resolves.toHaveLength(ROW_GROUP_ROWS + 1);
  });
});

describe.each(OUTPUT_FORMAT_NAMES)('a column that is nowhere, in %s', (format) => {
  it('is an error that names the flag', async () => {
    const writing = write(
      format,
      rowsOf([
        [1, undefined],
        [2, undefined],
      ]),
      vectorsOf(2, 4),
      { keep: columnsOf('a', 'yaer') },
    );
    const sentence = '--keep yaer: no field of that name in the first 2 rows; correct the name or leave it out';
    await expect(writing).rejects.toMatchObject({ code: 'usage', sentence });
  });

  it('whose name ends like a type that there is not says which there are', async () => {
    const writing = write(format, rowsOf([[undefined], [undefined]]), vectorsOf(2, 4), { keep: columnsOf('year:int') });
    const sentence = /^--keep year:int: .*; "int" is no type: write one of string, int64, float64, bool, json, or correct the name$/;
    await expect(writing).rejects.toMatchObject({ code: 'usage', sentence: expect.stringMatching(sentence) });
  });

  it('is no error where one row has it as null', async () => {
    await expect(write(format, rowsOf([[undefined], [null]]), vectorsOf(2, 4), { keep: columnsOf('a') })).resolves.toBeInstanceOf(Buffer);
  });

  it('cannot be given a type where its input has types', async () => {
    const rows = arrowRows([[vectorFromArray([1], new Int32())]]);
    const writing = write(format, rows, vectorsOf(1, 4), { keep: [{ name: 'k', type: 'string' }] });
    await expect(writing).rejects.toMatchObject({
      code: 'usage',
      message: "--keep k:string: this input's columns have types of their own",
    });
  });
});

describe('inputs of different types', () => {
  const ints = vectorFromArray([1, 2], new Int32());
  const message = 'corpus.jsonl: kept column "k" is of another type than in the inputs before it';

  it.each([
    ['two Arrow types', arrowRows([[ints], [vectorFromArray(['a'], new Utf8())]])],
    ['Arrow after values', [...rowsOf([[1]]), ...arrowRows([[ints]])]],
    ['values after Arrow', [...arrowRows([[ints]]), ...rowsOf([[1]])]],
  ])('%s are refused', async (_, rows) => {
    const writing = write('arrow', rows, vectorsOf(rows.length, 4), { keep: columnsOf('k') });
    await expect(writing).rejects.toMatchObject({ code: 'bad-row', message });
  });
});
