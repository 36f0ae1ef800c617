// Cells of Arrow arrays as JSON: every digit of numbers, decimals and times, at any depth.
import * as arrow from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { cellJson } from '#src/columns/arrow-json.js';
import { fc } from '../properties.js';
import { arrays } from './layouts.js';
import { arrowRows, columnsOf, vectorsOf, write } from './written.js';

const field = (type: arrow.DataType, name = 'item'): arrow.Field => new arrow.Field(name, type, true);

/** An array of fixed-width values. */
function raw(type: arrow.DataType, data: ArrayBufferView): arrow.Data {
  return arrow.makeData({ type, data, nullCount: 0, length: (data as Int32Array).length / strideOf(type) } as never) as arrow.Data;
}

function strideOf(type: arrow.DataType): number {
  return (arrow.makeData({ type, length: 0 } as never) as arrow.Data).stride;
}

function built(type: arrow.DataType, values: readonly unknown[]): arrow.Data {
  return arrow.vectorFromArray(values, type).data[0] as arrow.Data;
}

const decimal = (integer: bigint): Uint32Array => {
  const words = BigInt.asUintN(128, integer);
  return Uint32Array.from([0n, 32n, 64n, 96n], (shift) => Number((words >> shift) & 0xffffffffn));
};
const int64 = (...values: bigint[]): BigInt64Array => BigInt64Array.from(values);
const MICROS = 1_700_000_000_123_456n;

const CASES: readonly (readonly [arrow.Data, unknown])[] = [
  [raw(new arrow.Int64(), int64(2n ** 63n - 1n)), 2n ** 63n - 1n],
  [raw(new arrow.Float64(), Float64Array.of(0.1)), 0.1],
  [raw(new arrow.TimestampSecond('UTC'), int64(1_700_000_000n)), '2023-11-14T22:13:20Z'],
  [raw(new arrow.TimestampMicrosecond('UTC'), int64(MICROS)), '2023-11-14T22:13:20.123456Z'],
  [raw(new arrow.TimestampMicrosecond(), int64(MICROS)), '2023-11-14T22:13:20.123456'],
  [raw(new arrow.TimestampNanosecond('UTC'), int64(-1n)), '1969-12-31T23:59:59.999999999Z'],
  [raw(new arrow.TimestampMillisecond(), int64(2n ** 62n)), '4611686018427387904'],
  [raw(new arrow.DateDay(), Int32Array.of(-1)), '1969-12-31'],
  [raw(new arrow.DateMillisecond(), int64(86_400_000n * 365n)), '1971-01-01'],
  [raw(new arrow.DateMillisecond(), int64(-86_400_000n)), '1969-12-31'],
  [raw(new arrow.TimeSecond(), Int32Array.of(3661)), '01:01:01'],
  [raw(new arrow.TimeMicrosecond(), int64(1_000_001n)), '00:00:01.000001'],
  [raw(new arrow.Decimal(3, 20, 128), decimal(-1234567890123456789n)), '-1234567890123456.789'],
  [raw(new arrow.Decimal(3, 20, 128), decimal(5n)), '0.005'],
  [raw(new arrow.Decimal(0, 20, 128), decimal(-7n)), '-7'],
  [raw(new arrow.Decimal(-2, 20, 128), decimal(7n)), '700'],
  [raw(new arrow.FixedSizeBinary(3), Uint8Array.of(0, 255, 1)), 'AP8B'],
  [raw(new arrow.DurationMillisecond(), int64(5n)), 5n],
  [raw(new arrow.IntervalDayTime(), Int32Array.of(3, -4)), [3, -4]],
  [built(new arrow.Utf8(), ['ü']), 'ü'],
  [built(new arrow.Utf8View(), ['more than twelve bytes']), 'more than twelve bytes'],
  [built(new arrow.Binary(), [Uint8Array.of(1, 2)]), 'AQI='],
  [built(new arrow.List(field(new arrow.Int64())), [[1n, null, 2n ** 60n]]), [1n, null, 2n ** 60n]],
  [built(new arrow.FixedSizeList(2, field(new arrow.Bool())), [[true, null]]), [true, null]],
  [built(new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8()), ['word']), 'word'],
  [
    built(new arrow.Struct([field(new arrow.Utf8(), 'a'), field(new arrow.List(field(new arrow.Int32())), 'b')]), [{ a: 'x', b: [1] }]),
    { a: 'x', b: [1] },
  ],
];

describe('cellJson', () => {
  it.each(CASES.map(([data, expected]) => [String(data.type), expected, data] as const))('%s as %o', (_, expected, data) => {
    expect(cellJson(data, 0)).toEqual(expected);
  });

  it('makes an object of a map', () => {
    const entries = new arrow.Struct([new arrow.Field('key', new arrow.Int64(), false), field(new arrow.Int64(), 'value')]);
    const type = new arrow.Map_(new arrow.Field('entries', entries, false) as never);
    const data = built(type, [new Map([[1n, 2n]]), new Map([[3n, null]])]);
    expect(cellJson(data.slice(1, 1), 0)).toEqual({ 3: null });
  });

  it('is the same for a slice as for the whole, of every type', () => {
    for (const [, array] of arrays(20).filter(([name]) => name !== 'Null')) {
      fc.assert(
        fc.property(array, fc.integer({ min: 1, max: 19 }), (data, from) => {
          const slice = data.slice(from, 20 - from);
          const cells = Array.from({ length: 20 - from }, (_, row) => cellJson(slice, row));
          expect(cells).toEqual(Array.from({ length: 20 - from }, (_, row) => cellJson(data, from + row)));
          expect(cells.map((cell) => cell === null)).toEqual(cells.map((_, row) => !slice.getValid(row)));
        }),
        { numRuns: 4 },
      );
    }
  });

  it('gives JSON that can be parsed, NaN as null', async () => {
    const column = arrow.vectorFromArray([Number.NaN, 1.5, Number.NEGATIVE_INFINITY], new arrow.Float64());
    const bytes = await write('jsonl', arrowRows([[column]]), vectorsOf(3, 4), { keep: columnsOf('k') });
    const lines = bytes.toString().trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { k: unknown }).k)).toEqual([null, 1.5, null]);
  });
});
