// Whether decoded messages hold together: nesting, dimensions, and as much data as the dimensions say. Allocates nothing.
import { EmbedkitError } from '../errors.js';
import { allTensors, DATA_TYPE, dimsOf, EXTERNAL, type ModelProto, type TensorProto } from './proto.js';

/** Deepest nesting of messages, which is also where protobuf's own readers stop; a sub-graph takes three levels. */
export const MAX_NESTING = 100;

/**
 * Bits of an element in raw form, by element type; strings have no fixed size. Types above 16 are later than the message
 * classes know. Source: ONNX onnx.proto, TensorProto.
 */
const ELEMENT_BITS: Readonly<Record<number, number>> = {
  ...{ 1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16 },
  ...{ 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2 },
};

type TypedField = 'floatData' | 'int32Data' | 'int64Data' | 'doubleData' | 'uint64Data' | 'stringData';

/** Element type -> the field that holds one value an element where the data is not raw. */
const TYPED_FIELDS: Readonly<Record<number, TypedField>> = {
  [DATA_TYPE.FLOAT]: 'floatData',
  [DATA_TYPE.UINT8]: 'int32Data',
  [DATA_TYPE.INT8]: 'int32Data',
  [DATA_TYPE.UINT16]: 'int32Data',
  [DATA_TYPE.INT16]: 'int32Data',
  [DATA_TYPE.INT32]: 'int32Data',
  [DATA_TYPE.INT64]: 'int64Data',
  [DATA_TYPE.STRING]: 'stringData',
  [DATA_TYPE.BOOL]: 'int32Data',
  [DATA_TYPE.FLOAT16]: 'int32Data',
  [DATA_TYPE.DOUBLE]: 'doubleData',
  [DATA_TYPE.UINT32]: 'uint64Data',
  [DATA_TYPE.UINT64]: 'uint64Data',
  [DATA_TYPE.BFLOAT16]: 'int32Data',
};

const LONGEST_QUOTE = 100;

/** A name out of a file, for a sentence: quoted, on one line, and not longer than anyone reads. */
export function quoted(name: string | null | undefined): string {
  const text = String(name ?? '');
  return JSON.stringify(text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}...` : text);
}

/** Throws `model-invalid` where messages nest too deeply, or a tensor's data is not what its dimensions say. */
export function checkModel(model: ModelProto, path: string): void {
  checkNesting(model, path);
  for (const tensor of model.graph ? allTensors(model.graph) : []) checkTensor(tensor, path);
}

/** Level by level and not by recursion, which the depth looked for would exhaust. */
function checkNesting(model: ModelProto, path: string): void {
  let level: object[] = [model];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_NESTING) throw invalid(path, `its messages are nested more than ${MAX_NESTING} deep`);
    level = level.flatMap(messagesIn);
  }
}

function messagesIn(message: object): object[] {
  return Object.values(message).flatMap((value: unknown) => {
    if (Array.isArray(value)) return isMessage(value[0]) ? (value as object[]) : [];
    return isMessage(value) ? [value] : [];
  });
}

/** Bytes are no messages, nor are 64-bit numbers. */
function isMessage(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !('toNumber' in value);
}

/** Throws `model-invalid` where a dimension is negative or the data kept in the model has another size. */
export function checkTensor(tensor: TensorProto, path: string): void {
  const bytes = expectedBytes(tensor, path);
  if (tensor.dataLocation === EXTERNAL) return;
  const elements = elementsOf(tensor, path);
  const raw = tensor.rawData?.length ?? 0;
  if (raw > 0) {
    if (bytes !== undefined && raw !== bytes) throw wrongSize(tensor, path, raw, bytes);
    return;
  }
  const field = TYPED_FIELDS[tensor.dataType ?? 0];
  const found = field === undefined ? elements : (tensor[field]?.length ?? 0);
  if (found !== elements) throw wrongCount(tensor, path, found);
}

/** Bytes of the tensor's data in raw form; undefined where its element type has no fixed size. */
export function expectedBytes(tensor: TensorProto, path: string): number | undefined {
  const bits = ELEMENT_BITS[tensor.dataType ?? 0];
  const elements = elementsOf(tensor, path);
  return bits === undefined ? undefined : Math.ceil((elements * bits) / 8);
}

/** The error for data of the wrong size: in values where it is whole ones, else in bytes. */
export function wrongSize(tensor: TensorProto, path: string, found: number, expected: number): EmbedkitError {
  const bits = ELEMENT_BITS[tensor.dataType ?? 0] ?? 8;
  const isWhole = bits >= 8 && found % (bits / 8) === 0;
  if (isWhole) return wrongCount(tensor, path, found / (bits / 8));
  return invalid(path, `tensor ${quoted(tensor.name)} has ${found} bytes of data, not ${expected}`);
}

export function wrongCount(tensor: TensorProto, path: string, found: number): EmbedkitError {
  return invalid(path, `tensor ${quoted(tensor.name)} has ${found} values, not ${elementsOf(tensor, path)}`);
}

function elementsOf(tensor: TensorProto, path: string): number {
  const dims = dimsOf(tensor);
  if (dims.some((dim) => dim < 0)) throw invalid(path, `tensor ${quoted(tensor.name)} has a negative dimension (${dims.slice(0, 8)})`);
  return dims.reduce((product, dim) => product * dim, 1);
}

function invalid(path: string, what: string): EmbedkitError {
  return new EmbedkitError('model-invalid', `${path}: ${what}`, { hint: 'fetch or export the model again' });
}
