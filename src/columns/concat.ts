// Arrow arrays of one type become one contiguous array, bit for bit. Source: the Arrow columnar format's memory layouts.
import { type Data, DataType, makeData } from 'apache-arrow';
import { EmbedkitError } from '../errors.js';
import { plainParts } from './plain-types.js';

const MAX_INT32 = 2 ** 31 - 1;

/**
 * Concatenates arrays into one of `type`, which is the plain type of each of them. What stands below nulls is kept. Where `type` is their own
 * and not a plain one, they are to be slices of one array: they share its dictionary, buffers of views, or children of a dense union.
 * Throws `bad-row` where the values are too many bytes for the type.
 */
export function concat(type: DataType, given: readonly Data[]): Data {
  const parts = isPlain(type) ? given.flatMap(plainParts) : given;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const validity = DataType.isUnion(type) ? { nullCount: 0 } : concatValidity(parts, length);
  return makeData({ type, length, ...validity, ...layout(type, parts, length) } as Parameters<typeof makeData>[0]) as Data;
}

function layout(type: DataType, parts: readonly Data[], length: number): object {
  if (DataType.isNull(type)) return {};
  if (!isPlain(type)) return encodedLayout(type, parts);
  if (DataType.isBool(type)) return { data: concatBits(parts, length, (part) => part.values as Uint8Array) };
  if (DataType.isUtf8(type) || DataType.isBinary(type)) return concatVariable(parts, length, Int32Array);
  if (DataType.isLargeUtf8(type) || DataType.isLargeBinary(type)) return concatVariable(parts, length, BigInt64Array);
  if (DataType.isList(type) || DataType.isMap(type)) return concatLists(type, parts, length, Int32Array);
  if (DataType.isLargeList(type)) return concatLists(type, parts, length, BigInt64Array);
  if (DataType.isFixedSizeList(type)) return { child: concatChild(type, 0, parts, type.listSize) };
  if (DataType.isStruct(type)) return { children: type.children.map((_, index) => concatChild(type, index, parts, 1)) };
  return { data: concatFixed(type, parts) };
}

function isPlain(type: DataType): boolean {
  return !DataType.isDictionary(type) && !DataType.isUtf8View(type) && !DataType.isBinaryView(type) && !DataType.isUnion(type);
}

/** Of slices of one array: what they point to stays whole, and only what points there is joined. */
function encodedLayout(type: DataType, parts: readonly Data[]): object {
  const [first] = parts as [Data];
  if (DataType.isDictionary(type)) return { data: concatFixed(type.indices, parts), dictionary: first.dictionary };
  if (!DataType.isUnion(type)) return { views: concatFixed(type, parts), variadicBuffers: first.variadicBuffers };
  const typeIds = joined(
    Int8Array,
    parts.map((part) => part.typeIds.subarray(0, part.length) as Int8Array),
  );
  if (!DataType.isDenseUnion(type)) return { typeIds, children: type.children.map((_, index) => concatChild(type, index, parts, 1)) };
  const valueOffsets = joined(
    Int32Array,
    parts.map((part) => part.valueOffsets.subarray(0, part.length) as Int32Array),
  );
  return { typeIds, valueOffsets, children: first.children };
}

/** Child `index` of each part, `each` of its rows to a row of the part. */
function concatChild(type: DataType, index: number, parts: readonly Data[], each: number): Data {
  const children = parts.map((part) => (part.children[index] as Data).slice(0, part.length * each));
  return concat(type.children[index]?.type as DataType, children);
}

function concatFixed(type: DataType, parts: readonly Data[]): ArrayBufferView {
  const arrays = parts.map((part) => part.values.subarray(0, part.length * part.stride) as Int32Array);
  return joined(type.ArrayType as Int32ArrayConstructor, arrays);
}

function joined<T extends Int8Array | Int32Array>(ArrayType: new (length: number) => T, arrays: readonly T[]): T {
  const all = new ArrayType(arrays.reduce((sum, array) => sum + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}

type Offsets = typeof Int32Array | typeof BigInt64Array;

function concatVariable(parts: readonly Data[], length: number, offsets: Offsets): object {
  const spans = parts.map(spanOf);
  const data = new Uint8Array(spans.reduce((sum, { start, end }) => sum + end - start, 0));
  let at = 0;
  parts.forEach((part, index) => {
    const { start, end } = spans[index] as Span;
    data.set((part.values as Uint8Array).subarray(start, end), at);
    at += end - start;
  });
  return { valueOffsets: joinOffsets(parts, spans, length, offsets), data };
}

function concatLists(type: DataType, parts: readonly Data[], length: number, offsets: Offsets): object {
  const spans = parts.map(spanOf);
  const children = parts.map((part, index) => {
    const { start, end } = spans[index] as Span;
    return (part.children[0] as Data).slice(start, end - start);
  });
  return { valueOffsets: joinOffsets(parts, spans, length, offsets), child: concat(type.children[0]?.type as DataType, children) };
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function spanOf(part: Data): Span {
  return { start: Number(part.valueOffsets[0] ?? 0), end: Number(part.valueOffsets[part.length] ?? 0) };
}

function joinOffsets(parts: readonly Data[], spans: readonly Span[], length: number, OffsetArray: Offsets): Int32Array | BigInt64Array {
  const offsets = new OffsetArray(length + 1);
  const isLarge = offsets instanceof BigInt64Array;
  let row = 0;
  let base = 0;
  parts.forEach((part, index) => {
    const { start, end } = spans[index] as Span;
    if (!isLarge && base + end - start > MAX_INT32) throw tooLarge();
    for (let local = 1; local <= part.length; local++) {
      const offset = base + Number(part.valueOffsets[local]) - start;
      offsets[row + local] = (isLarge ? BigInt(offset) : offset) as never;
    }
    row += part.length;
    base += end - start;
  });
  return offsets;
}

function tooLarge(): EmbedkitError {
  return new EmbedkitError('bad-row', 'a kept column has more than 2 GiB in 4,096 rows', { hint: 'leave it out of --keep' });
}

function concatValidity(parts: readonly Data[], length: number): { nullCount: number; nullBitmap?: Uint8Array } {
  const nullCount = parts.reduce((sum, part) => sum + part.nullCount, 0);
  if (nullCount === 0) return { nullCount };
  return { nullCount, nullBitmap: concatBits(parts, length, (part) => (part.nullCount > 0 ? part.nullBitmap : undefined)) };
}

/** Joins bitmaps, least significant bit first; a part without one has all bits set. */
function concatBits(parts: readonly Data[], length: number, bitsOf: (part: Data) => Uint8Array | undefined): Uint8Array {
  const joined = new Uint8Array(Math.ceil(length / 8));
  let at = 0;
  for (const part of parts) {
    const bits = bitsOf(part);
    for (let local = 0; local < part.length; local++, at++) {
      const from = part.offset + local;
      const isSet = bits === undefined || ((bits[from >> 3] as number) >> (from & 7)) & 1;
      if (isSet) joined[at >> 3] = (joined[at >> 3] as number) | (1 << (at & 7));
    }
  }
  return joined;
}
