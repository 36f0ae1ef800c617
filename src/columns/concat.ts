// Arrow arrays of one type become one contiguous array, bit for bit. Source: the Arrow columnar format's memory layouts.
import { type Data, DataType, type Dictionary, makeData, type Vector, vectorFromArray } from 'apache-arrow';
import { EmbedkitError } from '../errors.js';

/** The type that a column has once written: dictionaries are written as their values. */
export function plainType(type: DataType): DataType {
  return DataType.isDictionary(type) ? (type as Dictionary).dictionary : type;
}

/** Rows [start, start + length) of a vector with one chunk, dictionaries decoded. */
export function sliceOf(vector: Vector, start: number, length: number): Data {
  const slice = vector.slice(start, start + length);
  if (!DataType.isDictionary(vector.type)) return slice.data[0] as Data;
  return vectorFromArray([...slice], plainType(vector.type)).data[0] as Data;
}

/** Concatenates arrays of one type. Throws `input-unreadable` for unions and views, which are not carried through. */
export function concat(type: DataType, parts: readonly Data[]): Data {
  const only = parts[0];
  if (parts.length === 1 && only !== undefined) return only;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const validity = concatValidity(parts, length);
  return makeData({ type, length, ...validity, ...layout(type, parts, length) } as Parameters<typeof makeData>[0]) as Data;
}

function layout(type: DataType, parts: readonly Data[], length: number): object {
  if (DataType.isNull(type)) return {};
  if (DataType.isBool(type)) return { data: concatBits(parts, length, (part) => part.values as Uint8Array) };
  if (DataType.isUtf8(type) || DataType.isBinary(type)) return concatVariable(parts, length, Int32Array);
  if (DataType.isLargeUtf8(type) || DataType.isLargeBinary(type)) return concatVariable(parts, length, BigInt64Array);
  if (DataType.isList(type) || DataType.isMap(type)) return concatLists(type, parts, length);
  if (DataType.isFixedSizeList(type)) return { child: concatChild(type, 0, parts.map(child)) };
  if (DataType.isStruct(type)) {
    return {
      children: type.children.map((_, index) =>
        concatChild(
          type,
          index,
          parts.map((part) => part.children[index] as Data),
        ),
      ),
    };
  }
  if (DataType.isUnion(type) || DataType.isDictionary(type)) {
    throw new EmbedkitError('input-unreadable', `a kept column of type ${type} cannot be carried through`, {
      hint: 'leave it out of --keep',
    });
  }
  return { data: concatFixed(parts) };
}

function child(part: Data): Data {
  return part.children[0] as Data;
}

function concatChild(type: DataType, index: number, parts: readonly Data[]): Data {
  return concat(type.children[index]?.type as DataType, parts);
}

function concatFixed(parts: readonly Data[]): ArrayBufferView {
  const arrays = parts.map((part) => part.values.subarray(0, part.length * part.stride) as Int32Array);
  const total = arrays.reduce((sum, array) => sum + array.length, 0);
  const joined = new (parts[0]?.values.constructor as Int32ArrayConstructor)(total);
  let at = 0;
  for (const array of arrays) {
    joined.set(array, at);
    at += array.length;
  }
  return joined;
}

function concatVariable(parts: readonly Data[], length: number, Offsets: typeof Int32Array | typeof BigInt64Array): object {
  const spans = parts.map(spanOf);
  const total = spans.reduce((sum, { start, end }) => sum + end - start, 0);
  const data = new Uint8Array(total);
  let at = 0;
  parts.forEach((part, index) => {
    const { start, end } = spans[index] as Span;
    data.set((part.values as Uint8Array).subarray(start, end), at);
    at += end - start;
  });
  return { valueOffsets: joinOffsets(parts, spans, length, Offsets), data };
}

function concatLists(type: DataType, parts: readonly Data[], length: number): object {
  const spans = parts.map(spanOf);
  const children = parts.map((part, index) => {
    const { start, end } = spans[index] as Span;
    return child(part).slice(start, end - start);
  });
  return { valueOffsets: joinOffsets(parts, spans, length, Int32Array), child: concatChild(type, 0, children) };
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function spanOf(part: Data): Span {
  return { start: Number(part.valueOffsets[0] ?? 0), end: Number(part.valueOffsets[part.length] ?? 0) };
}

function joinOffsets(
  parts: readonly Data[],
  spans: readonly Span[],
  length: number,
  Offsets: typeof Int32Array | typeof BigInt64Array,
): Int32Array | BigInt64Array {
  const offsets = new Offsets(length + 1);
  const set = (at: number, value: number): void => {
    offsets[at] = (offsets instanceof BigInt64Array ? BigInt(value) : value) as never;
  };
  let row = 0;
  let base = 0;
  parts.forEach((part, index) => {
    const { start, end } = spans[index] as Span;
    for (let local = 1; local <= part.length; local++) set(row + local, base + Number(part.valueOffsets[local]) - start);
    row += part.length;
    base += end - start;
  });
  return offsets;
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
