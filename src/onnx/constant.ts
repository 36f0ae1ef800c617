// A constant tensor of a graph as plain numbers, whatever type it is stored in; knows nothing of nodes.
import { EmbedkitError } from '../errors.js';
import { fromF16 } from '../vectors/f16.js';
import { DATA_TYPE, dimsOf, sizeOf, type TensorProto, toNumber } from './proto.js';
import { floatValues, rawBytes } from './read.js';

/**
 * Row-major values. Float32Array where the tensor holds floating point numbers, Float64Array where it holds whole ones,
 * in which NaN stands for a number that only a run can tell (the batch size in a shape).
 */
export interface Constant<Data extends Float32Array | Float64Array = Float32Array | Float64Array> {
  readonly dims: readonly number[];
  readonly data: Data;
}

/** Whole numbers are shapes, axes and positions. A larger tensor of them is quantized weights, which stay unread. */
export const MAX_INTEGERS = 65_536;

let halves: Float32Array | undefined;

/** By a table made at the first use: models hold tens of millions. */
function fromHalf(bits: number): number {
  halves ??= new Float32Array(65_536).map((_, each) => fromF16(each));
  return halves[bits & 0xffff] as number;
}

const bits32 = new Uint32Array(1);
const float32 = new Float32Array(bits32.buffer);

function fromBf16(bits: number): number {
  bits32[0] = bits << 16;
  return float32[0] as number;
}

type Numbers = ArrayLike<number | bigint>;
type TypedField = 'floatData' | 'doubleData' | 'int32Data' | 'int64Data';

/** How one element type is kept: as raw bytes, in which typed field else, and how an element becomes a number. */
interface Storage {
  readonly bytes: number;
  readonly view: (bytes: ArrayBuffer) => Numbers;
  readonly field: TypedField;
  readonly float?: true;
  readonly decode?: (element: number) => number;
}

// Source: ONNX onnx.proto, TensorProto: which field holds which type.
const STORAGE = new Map<number, Storage>([
  [DATA_TYPE.FLOAT16, { bytes: 2, view: (b) => new Uint16Array(b), field: 'int32Data', float: true, decode: fromHalf }],
  [DATA_TYPE.BFLOAT16, { bytes: 2, view: (b) => new Uint16Array(b), field: 'int32Data', float: true, decode: fromBf16 }],
  [DATA_TYPE.DOUBLE, { bytes: 8, view: (b) => new Float64Array(b), field: 'doubleData', float: true }],
  [DATA_TYPE.INT64, { bytes: 8, view: (b) => new BigInt64Array(b), field: 'int64Data' }],
  [DATA_TYPE.INT32, { bytes: 4, view: (b) => new Int32Array(b), field: 'int32Data' }],
  [DATA_TYPE.INT8, { bytes: 1, view: (b) => new Int8Array(b), field: 'int32Data' }],
  [DATA_TYPE.UINT8, { bytes: 1, view: (b) => new Uint8Array(b), field: 'int32Data' }],
  [DATA_TYPE.BOOL, { bytes: 1, view: (b) => new Uint8Array(b), field: 'int32Data' }],
]);

/**
 * Reads a tensor; undefined where its type is none of numbers or it is a large tensor of whole numbers. The values may be
 * a view of the model's bytes. Throws `model-invalid` where there are not as many values as the dimensions say.
 */
export async function readConstant(tensor: TensorProto, modelPath: string): Promise<Constant | undefined> {
  const dims = dimsOf(tensor);
  if (dims.some((dim) => dim < 0)) {
    throw new EmbedkitError('model-invalid', `${modelPath}: tensor "${tensor.name}" has dimensions ${dims.join(' x ')}`, {
      hint: 'fetch or export the model again',
    });
  }
  if (tensor.dataType === DATA_TYPE.FLOAT) return { dims, data: await floatValues(tensor, modelPath) };
  const storage = STORAGE.get(tensor.dataType ?? 0);
  if (storage === undefined || (!storage.float && sizeOf(tensor) > MAX_INTEGERS)) return undefined;
  const raw = await rawBytes(tensor, modelPath);
  const stored = raw === undefined ? typedField(tensor, storage.field) : viewOf(raw, storage);
  if (stored.length === sizeOf(tensor)) return { dims, data: decodeAll(stored, storage) };
  const found = `${modelPath}: tensor "${tensor.name}" has ${stored.length} values, not ${sizeOf(tensor)}`;
  throw new EmbedkitError('model-invalid', found, { hint: 'fetch or export the model again' });
}

function typedField(tensor: TensorProto, field: TypedField): Numbers {
  return (tensor[field] ?? []).map((value: Parameters<typeof toNumber>[0]) => toNumber(value));
}

/** The bytes as elements, from a copy that is aligned; a last incomplete element is dropped. */
function viewOf(raw: Uint8Array, { view, bytes }: Storage): Numbers {
  return view(new Uint8Array(raw.subarray(0, raw.length - (raw.length % bytes))).buffer);
}

function decodeAll(stored: Numbers, { float, decode = Number }: Storage): Float32Array | Float64Array {
  const data = float ? new Float32Array(stored.length) : new Float64Array(stored.length);
  for (let at = 0; at < data.length; at++) data[at] = decode(stored[at] as number);
  return data;
}

/** Whether the tensor holds floating point numbers, as weights do. */
export function isFloat(constant: Constant): constant is Constant<Float32Array> {
  return constant.data instanceof Float32Array;
}

/** The one value of a constant of one element, of any rank. */
export function scalarOf(constant: Constant | undefined): number | undefined {
  return constant?.data.length === 1 ? constant.data[0] : undefined;
}

/** All values as an array, for shapes and axes. */
export function listOf(constant: Constant | undefined): number[] | undefined {
  return constant === undefined ? undefined : [...constant.data];
}

/** Number of elements of these dimensions. */
export function countOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}
