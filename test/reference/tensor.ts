// Tensors of the reference operators: a type, dimensions and plain numbers; to and from TensorProto. Not fast, and not shipped.
import { dimsOf, type TensorProto, toNumber } from '#src/onnx/proto.js';
import { fromF16, toF16 } from '#src/vectors/f16.js';

export type ElementType =
  | 'float32'
  | 'float16'
  | 'float64'
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'uint32'
  | 'int32'
  | 'uint64'
  | 'int64'
  | 'bool';

export type Numbers = Float32Array | Float64Array | Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array;

/**
 * `data` holds one ordinary number an element: float16 as the float32 of the same value, 64-bit integers as float64, exact
 * up to 2^53, bool as 0 and 1.
 */
export interface Tensor {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly data: Numbers;
}

interface TypeFacts {
  /** TensorProto.DataType. */
  readonly code: number;
  readonly held: new (length: number) => Numbers;
  /** Bytes in raw form, and how one element is read from and written to them. */
  readonly bytes: number;
  readonly get: (view: DataView, at: number) => number;
  readonly set: (view: DataView, at: number, value: number) => void;
}

const FACTS: Readonly<Record<ElementType, TypeFacts>> = {
  float32: { code: 1, held: Float32Array, bytes: 4, get: (v, at) => v.getFloat32(at, true), set: (v, at, x) => v.setFloat32(at, x, true) },
  uint8: { code: 2, held: Uint8Array, bytes: 1, get: (v, at) => v.getUint8(at), set: (v, at, x) => v.setUint8(at, x) },
  int8: { code: 3, held: Int8Array, bytes: 1, get: (v, at) => v.getInt8(at), set: (v, at, x) => v.setInt8(at, x) },
  uint16: { code: 4, held: Uint16Array, bytes: 2, get: (v, at) => v.getUint16(at, true), set: (v, at, x) => v.setUint16(at, x, true) },
  int16: { code: 5, held: Int16Array, bytes: 2, get: (v, at) => v.getInt16(at, true), set: (v, at, x) => v.setInt16(at, x, true) },
  int32: { code: 6, held: Int32Array, bytes: 4, get: (v, at) => v.getInt32(at, true), set: (v, at, x) => v.setInt32(at, x, true) },
  int64: {
    code: 7,
    held: Float64Array,
    bytes: 8,
    get: (v, at) => Number(v.getBigInt64(at, true)),
    set: (v, at, x) => v.setBigInt64(at, BigInt(x), true),
  },
  bool: { code: 9, held: Uint8Array, bytes: 1, get: (v, at) => v.getUint8(at), set: (v, at, x) => v.setUint8(at, x) },
  float16: {
    code: 10,
    held: Float32Array,
    bytes: 2,
    get: (v, at) => fromF16(v.getUint16(at, true)),
    set: (v, at, x) => v.setUint16(at, toF16(x), true),
  },
  float64: { code: 11, held: Float64Array, bytes: 8, get: (v, at) => v.getFloat64(at, true), set: (v, at, x) => v.setFloat64(at, x, true) },
  uint32: { code: 12, held: Uint32Array, bytes: 4, get: (v, at) => v.getUint32(at, true), set: (v, at, x) => v.setUint32(at, x, true) },
  uint64: {
    code: 13,
    held: Float64Array,
    bytes: 8,
    get: (v, at) => Number(v.getBigUint64(at, true)),
    set: (v, at, x) => v.setBigUint64(at, BigInt(x), true),
  },
};

const BY_CODE = new Map(Object.entries(FACTS).map(([type, { code }]) => [code, type as ElementType]));
export const FLOATS: ReadonlySet<ElementType> = new Set(['float32', 'float16', 'float64']);

/** A tensor of these values, each brought to the type: floats rounded to nearest, integers wrapped, bool by being 0 or not. */
export function tensor(type: ElementType, dims: readonly number[], values: ArrayLike<number | bigint>): Tensor {
  if (values.length !== sizeOfDims(dims)) throw new Error(`${values.length} values for dimensions [${dims}]`);
  const data = new FACTS[type].held(values.length);
  for (let at = 0; at < data.length; at++) data[at] = bringTo(type, Number(values[at]));
  return { type, dims: [...dims], data };
}

function bringTo(type: ElementType, value: number): number {
  if (type === 'float16') return fromF16(toF16(value));
  if (type === 'bool') return value === 0 ? 0 : 1;
  // Integers have one zero, the float64 that holds a wide one has two.
  return FLOATS.has(type) ? value : value + 0;
}

export function sizeOfDims(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** The element type of a TensorProto.DataType; undefined for those the reference does not know, such as float8. */
export function elementType(code: number | null | undefined): ElementType | undefined {
  return BY_CODE.get(code ?? 0);
}

export function codeOf(type: ElementType): number {
  return FACTS[type].code;
}

/** The tensor in a TensorProto, raw or in a typed field. Not for external data. */
export function fromProto(proto: TensorProto): Tensor {
  const type = elementType(proto.dataType);
  if (type === undefined) throw new Error(`tensor "${proto.name}" has the element type ${proto.dataType}`);
  const dims = dimsOf(proto);
  if (proto.rawData !== null && proto.rawData !== undefined && proto.rawData.length > 0) {
    return tensor(type, dims, rawValues(type, proto.rawData));
  }
  const wide = [...(proto.int64Data ?? []), ...(proto.uint64Data ?? [])].map(toNumber);
  const values = [...(proto.floatData ?? []), ...(proto.doubleData ?? []), ...(proto.int32Data ?? []), ...wide];
  return tensor(type, dims, type === 'float16' ? values.map(fromF16) : values);
}

function rawValues(type: ElementType, raw: Uint8Array): number[] {
  const { bytes, get } = FACTS[type];
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Array.from({ length: raw.length / bytes }, (_, at) => get(view, at * bytes));
}

/** The raw little-endian bytes of a tensor. */
export function rawOf({ type, data }: Tensor): Uint8Array<ArrayBuffer> {
  const { bytes, set } = FACTS[type];
  const view = new DataView(new ArrayBuffer(data.length * bytes));
  data.forEach((value, at) => {
    set(view, at * bytes, value);
  });
  return new Uint8Array(view.buffer);
}

/** A TensorProto of the tensor, in raw form. */
export function toProto(name: string, of: Tensor): TensorProto {
  return { name, dims: [...of.dims], dataType: codeOf(of.type), rawData: rawOf(of) };
}
