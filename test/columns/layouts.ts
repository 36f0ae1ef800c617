// Arrow arrays of every layout with random bits, nulls and odd offsets, as fast-check arbitraries.
import * as arrow from 'apache-arrow';
import { fc } from '../properties.js';

/** Every type whose values stand in one buffer of fixed width: their bits are drawn, whatever they mean. */
const FIXED_WIDTH: readonly arrow.DataType[] = [
  new arrow.Int8(),
  new arrow.Int16(),
  new arrow.Int32(),
  new arrow.Int64(),
  new arrow.Uint8(),
  new arrow.Uint64(),
  new arrow.Float16(),
  new arrow.Float32(),
  new arrow.Float64(),
  new arrow.FixedSizeBinary(5),
  new arrow.Decimal(3, 20, 128),
  new arrow.DateDay(),
  new arrow.DateMillisecond(),
  new arrow.TimeSecond(),
  new arrow.TimeNanosecond(),
  new arrow.TimestampMicrosecond(),
  new arrow.TimestampNanosecond('Europe/Vienna'),
  new arrow.DurationMillisecond(),
  new arrow.IntervalDayTime(),
  new arrow.IntervalMonthDayNano(),
];

const nullable = (name: string, type: arrow.DataType): arrow.Field => new arrow.Field(name, type, true);
const list = (type: arrow.DataType): arrow.List => new arrow.List(nullable('item', type));
const entries = new arrow.Struct([new arrow.Field('key', new arrow.Utf8(), false), nullable('value', new arrow.Int32())]);
const map = new arrow.Map_(new arrow.Field('entries', entries, false) as never);

const text = fc.string({ unit: 'grapheme', maxLength: 9 });
const int = fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }));
const bytes = fc.uint8Array({ maxLength: 9 });
const ints = fc.array(int, { maxLength: 4 });

/** Types that the library builds from values. */
const BUILT: readonly (readonly [arrow.DataType, fc.Arbitrary<unknown>])[] = [
  [new arrow.Null(), fc.constant(null)],
  [new arrow.Bool(), fc.boolean()],
  [new arrow.Utf8(), text],
  [new arrow.LargeUtf8(), text],
  [new arrow.Binary(), bytes],
  [new arrow.LargeBinary(), bytes],
  [list(new arrow.Int32()), ints],
  [list(list(new arrow.Utf8())), fc.array(fc.option(fc.array(fc.option(text), { maxLength: 3 })), { maxLength: 3 })],
  [new arrow.LargeList(nullable('item', new arrow.Int32())), ints],
  [new arrow.FixedSizeList(3, nullable('item', new arrow.Int32())), fc.array(int, { minLength: 3, maxLength: 3 })],
  [list(new arrow.FixedSizeList(2, nullable('item', new arrow.Bool()))), fc.array(fc.tuple(fc.boolean(), fc.boolean()), { maxLength: 3 })],
  [
    new arrow.Struct([nullable('a', new arrow.Int32()), nullable('b', list(new arrow.Utf8())), nullable('c', new arrow.Bool())]),
    fc.record({ a: int, b: fc.array(text, { maxLength: 3 }), c: fc.option(fc.boolean()) }),
  ],
  [map, fc.dictionary(text, int, { maxKeys: 3 }).map((object) => new Map(Object.entries(object)))],
];

function fixedWidth(type: arrow.DataType, length: number): fc.Arbitrary<arrow.Data> {
  const { BYTES_PER_ELEMENT: width } = type.ArrayType as { BYTES_PER_ELEMENT: number };
  const values = length * width * arrow.makeData({ type, length: 0 } as never).stride;
  const bits = Math.ceil(length / 8);
  const drawn = fc.tuple(fc.uint8Array({ minLength: values, maxLength: values }), fc.uint8Array({ minLength: bits, maxLength: bits }));
  return drawn.map(([data, nullBitmap]) => {
    const typed = new (type.ArrayType as Int32ArrayConstructor)(data.slice().buffer);
    return arrow.makeData({ type, length, nullBitmap, data: typed } as never) as arrow.Data;
  });
}

/** Arrays of `length` rows, by the name of their type. */
export function arrays(length: number): readonly (readonly [string, fc.Arbitrary<arrow.Data>])[] {
  const fixed = FIXED_WIDTH.map((type) => [String(type), fixedWidth(type, length)] as const);
  const built = BUILT.map(([type, value]) => {
    const values = fc.array(fc.option(value, { freq: 4 }), { minLength: length, maxLength: length });
    return [String(type), values.map((drawn) => arrow.vectorFromArray(drawn, type).data[0] as arrow.Data)] as const;
  });
  return [...fixed, ...built];
}

/** One array written as an IPC stream and read again. */
export function throughIpc(data: arrow.Data): arrow.Data {
  const schema = new arrow.Schema([nullable('k', data.type)]);
  const struct = arrow.makeData({ type: new arrow.Struct(schema.fields), length: data.length, nullCount: 0, children: [data] });
  const ipc = new arrow.RecordBatchStreamWriter().writeAll([new arrow.RecordBatch(schema, struct)]).toUint8Array(true);
  return arrow.tableFromIPC(ipc).getChild('k')?.data[0] as arrow.Data;
}

/** Row by row whether it is null and the bits of its value, those below nulls too, by the columnar format's own rules. */
export function bitsOf(data: arrow.Data): unknown[] {
  return Array.from({ length: data.length }, (_, row) => [data.getValid(row), cellBits(data, row)]);
}

function cellBits(data: arrow.Data, row: number): unknown {
  const { type, values, valueOffsets, children, stride } = data;
  if (arrow.DataType.isNull(type)) return null;
  if (arrow.DataType.isBool(type)) return (values[(data.offset + row) >> 3] >> ((data.offset + row) & 7)) & 1;
  if (arrow.DataType.isStruct(type)) return children.map((child) => bitsOf(child.slice(row, 1)));
  if (arrow.DataType.isFixedSizeList(type)) return bitsOf((children[0] as arrow.Data).slice(row * stride, stride));
  if (valueOffsets !== undefined) {
    const [start, end] = [Number(valueOffsets[row]), Number(valueOffsets[row + 1])];
    return children[0] === undefined ? hex(values.subarray(start, end)) : bitsOf(children[0].slice(start, end - start));
  }
  return hex(values.subarray(row * stride, (row + 1) * stride));
}

function hex(view: Uint8Array): string {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('hex');
}
