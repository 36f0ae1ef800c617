// Dictionaries and views are written as their values, at any depth; unions are refused by name.
import * as arrow from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { concat } from '#src/columns/concat.js';
import { plainType } from '#src/columns/plain-types.js';
import { fc } from '../properties.js';
import { arrays, bitsOf } from './layouts.js';
import { arrowRows, batchesOf, columnsOf, vectorsOf, write } from './written.js';

const item = (type: arrow.DataType): arrow.Field => new arrow.Field('item', type, true);
const dictionary = (type: arrow.DataType): arrow.Dictionary => new arrow.Dictionary(type, new arrow.Int8());

describe('dictionaries of every type', () => {
  it.each(arrays(12).filter(([name]) => name !== 'Null'))('%s', (_, array) => {
    const indices = fc.array(fc.option(fc.integer({ min: 0, max: 11 })), { minLength: 30, maxLength: 30 });
    fc.assert(
      fc.property(array, indices, fc.integer({ min: 0, max: 9 }), (values, drawn, start) => {
        const data = dictionaryData(values, drawn).slice(start, 20);
        const joined = concat(plainType(data.type), [data.slice(0, 7), data.slice(7, 13)]);
        const expected = bitsOf(values);
        const nulls = drawn.slice(start, start + 20).map((index) => index !== null && values.getValid(index));
        expect(bitsOf(joined).map((cell) => (cell as unknown[])[0])).toEqual(nulls);
        drawn.slice(start, start + 20).forEach((index, row) => {
          if (index !== null) expect(bitsOf(joined)[row]).toEqual(expected[index]);
        });
      }),
      { numRuns: 8 },
    );
  });
});

function dictionaryData(values: arrow.Data, indices: readonly (number | null)[]): arrow.Data {
  const keys = arrow.vectorFromArray(indices, new arrow.Int8()).data[0] as arrow.Data;
  const { nullBitmap, nullCount, values: data, length } = keys;
  const type = dictionary(values.type);
  return arrow.makeData({ type, length, nullCount, nullBitmap, data, dictionary: new arrow.Vector([values]) } as never) as arrow.Data;
}

describe('views', () => {
  const long = 'a text of more than twelve bytes';
  const values = ['short', null, long, '', 'ünïcödé and more than twelve'];

  it.each([
    [new arrow.Utf8View(), new arrow.Utf8(), values],
    [new arrow.BinaryView(), new arrow.Binary(), values.map((value) => value && new TextEncoder().encode(value))],
  ] as const)('%s becomes %s', (view, plain, list) => {
    const data = arrow.vectorFromArray([...list, ...list] as unknown[], view as arrow.DataType).data[0] as arrow.Data;
    expect(String(plainType(view))).toBe(String(plain));
    const joined = concat(plainType(view), [data.slice(1, 3), data.slice(4, 3)]);
    const expected = [...list, ...list].slice(1, 7);
    expect([...new arrow.Vector([joined])].map(String)).toEqual(expected.map(String));
  });
});

describe('nested', () => {
  const names = dictionary(new arrow.Utf8());
  const nested = new arrow.Struct([
    new arrow.Field('names', new arrow.List(item(names)), true),
    new arrow.Field('pair', new arrow.FixedSizeList(2, item(new arrow.Utf8View())), false),
  ]);

  it('keeps nesting, names and nullability', () => {
    const plain = plainType(nested) as arrow.Struct;
    expect(String(plain)).toBe('Struct<{names:List<Utf8>, pair:FixedSizeList[2]<Utf8>}>');
    expect(plain.children.map((field) => field.nullable)).toEqual([true, false]);
    const large = new arrow.LargeList(item(names));
    expect(String(plainType(large))).toBe('LargeList<Utf8>');
  });

  it.each(['parquet', 'arrow'] as const)('is written to %s as values, from several batches', async (format) => {
    const type = new arrow.List(item(names));
    const lists = [
      [['a', 'b'], null, []],
      [[], []],
      [['b', 'b', null], ['c']],
    ];
    const batches = lists.map((batch) => [arrow.vectorFromArray(batch, type)]);
    const rows = arrowRows(batches);
    const bytes = await write(format, rows, vectorsOf(rows.length, 4), { keep: columnsOf('k') });
    const column = batchesOf(format, bytes)[0]?.getChild('k');
    expect(String(column?.type)).toBe('List<Utf8>');
    expect([...(column ?? [])].map((value) => value && [...value])).toEqual(lists.flat());
  });
});

describe('unions', () => {
  const union = new arrow.SparseUnion([0, 1] as never, [new arrow.Field('a', new arrow.Int32()), new arrow.Field('b', new arrow.Utf8())]);

  it.each([union, new arrow.List(item(union))])('are refused', (type) => {
    expect(() => plainType(type as arrow.DataType)).toThrow(/kept column of type .*Union.* cannot be carried through/);
  });
});
