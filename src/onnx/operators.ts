// Operators over constants: what evaluation needs of shapes, casts and small arithmetic; not a runtime.
import { type Constant, countOf, isFloat, listOf, MAX_INTEGERS, scalarOf } from './constant.js';
import { integerAttribute, integersAttribute } from './lookup.js';
import { DATA_TYPE, type NodeProto } from './proto.js';

/** The output of a node over what is known of its inputs; undefined where that does not settle it. */
export type Operator = (node: NodeProto, inputs: readonly (Constant | undefined)[]) => Constant | undefined;

const FLOAT_TYPES: readonly number[] = [DATA_TYPE.FLOAT, DATA_TYPE.FLOAT16, DATA_TYPE.BFLOAT16, DATA_TYPE.DOUBLE];

/** Counts an axis from the front. */
export function frontAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** An attribute that later versions of an operator take as an input. */
export function integersOf(node: NodeProto, name: string, input: Constant | undefined): number[] | undefined {
  return integersAttribute(node, name) ?? listOf(input);
}

const pass: Operator = (_node, [x]) => x;

const cast: Operator = (node, [x]) => {
  if (x === undefined) return undefined;
  const toFloat = FLOAT_TYPES.includes(integerAttribute(node, 'to') ?? 0);
  if (toFloat === isFloat(x)) return x;
  return { dims: x.dims, data: toFloat ? Float32Array.from(x.data) : Float64Array.from(x.data, Math.trunc) };
};

/** The dimensions that Reshape gives; NaN where unknown. Source: ONNX Reshape. */
export function reshapedDims(from: readonly number[] | undefined, shape: readonly number[]): number[] {
  const copied = shape.map((dim, axis) => (dim === 0 ? (from?.[axis] ?? Number.NaN) : dim));
  const known = from === undefined ? Number.NaN : countOf(from);
  const rest = countOf(copied.filter((dim) => dim !== -1));
  return copied.map((dim) => (dim === -1 ? known / rest : dim));
}

const reshape: Operator = (_node, [x, shape]) => {
  if (x === undefined || shape === undefined) return undefined;
  const dims = reshapedDims(x.dims, [...shape.data]);
  return countOf(dims) === x.data.length ? { dims, data: x.data } : undefined;
};

export function unsqueezedDims(from: readonly number[], axes: readonly number[]): number[] {
  const dims = [...from];
  const front = axes.map((axis) => frontAxis(axis, from.length + axes.length)).sort((a, b) => a - b);
  for (const axis of front) dims.splice(axis, 0, 1);
  return dims;
}

export function squeezedDims(from: readonly number[], axes: readonly number[] | undefined): number[] {
  const front = axes?.map((axis) => frontAxis(axis, from.length));
  return from.filter((dim, axis) => (front === undefined ? dim !== 1 : !front.includes(axis)));
}

const unsqueeze: Operator = (node, [x, axes]) => {
  const known = integersOf(node, 'axes', axes);
  return x && known && { dims: unsqueezedDims(x.dims, known), data: x.data };
};

const squeeze: Operator = (node, [x, axes]) => x && { dims: squeezedDims(x.dims, integersOf(node, 'axes', axes)), data: x.data };

/** Axes in the order of `perm`, by default reversed. Source: ONNX Transpose. */
const transpose: Operator = (node, [x]) => {
  if (x === undefined) return undefined;
  const perm = integersAttribute(node, 'perm') ?? x.dims.map((_, axis) => x.dims.length - 1 - axis);
  const dims = perm.map((axis) => x.dims[axis] ?? Number.NaN);
  if (perm.length !== x.dims.length || new Set(perm).size !== perm.length || countOf(dims) !== x.data.length) return undefined;
  const strides = perm.map((axis) => countOf(x.dims.slice(axis + 1)));
  const data = x.data.slice();
  const index = dims.map(() => 0);
  for (let at = 0, from = 0; at < data.length; at++) {
    data[at] = x.data[from] as number;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      from += strides[axis] as number;
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (dims[axis] as number)) break;
      from -= (strides[axis] as number) * (dims[axis] as number);
      index[axis] = 0;
    }
  }
  return { dims, data };
};

/** Vectors alone. A part that depends on the input is one unknown number: so shapes are put together. */
const concat: Operator = (_node, inputs) => {
  if (inputs.every((part) => part === undefined) || inputs.some((part) => part !== undefined && part.dims.length !== 1)) return undefined;
  if (inputs.reduce((total, part) => total + (part?.data.length ?? 1), 0) > MAX_INTEGERS) return undefined;
  const values = inputs.flatMap((part) => (part === undefined ? [Number.NaN] : [...part.data]));
  const data = inputs.some((part) => part !== undefined && isFloat(part)) ? Float32Array.from(values) : Float64Array.from(values);
  return { dims: [values.length], data };
};

/** Elements that a look-up may give: it can repeat rows without end. */
const GATHER_LIMIT = 1 << 22;

/** Rows of the first axis. */
const gather: Operator = (node, [x, indices]) => {
  if (x === undefined || indices === undefined || frontAxis(integerAttribute(node, 'axis') ?? 0, x.dims.length) !== 0) return undefined;
  const [rows = 0, ...rest] = x.dims;
  const size = countOf(rest);
  if (size * indices.data.length > GATHER_LIMIT) return undefined;
  const data = isFloat(x) ? new Float32Array(size * indices.data.length) : new Float64Array(size * indices.data.length);
  for (let at = 0; at < indices.data.length; at++) {
    const row = frontAxis(indices.data[at] as number, rows);
    if (!(row >= 0 && row < rows)) return undefined;
    data.set(x.data.subarray(row * size, (row + 1) * size), at * size);
  }
  return { dims: [...indices.dims, ...rest], data };
};

type Arithmetic = (a: number, b: number) => number;

/** Of equal dimensions, or one operand a single number. */
function elementwise(apply: Arithmetic): Operator {
  return (_node, [a, b]) => {
    if (a === undefined || b === undefined || (scalarOf(a) === undefined && scalarOf(b) === undefined && `${a.dims}` !== `${b.dims}`))
      return undefined;
    const larger = a.data.length > b.data.length || (a.data.length === b.data.length && a.dims.length >= b.dims.length) ? a : b;
    const compute = (_: number, at: number) =>
      apply(a.data[a.data.length === 1 ? 0 : at] as number, b.data[b.data.length === 1 ? 0 : at] as number);
    const isWhole = !isFloat(a) && !isFloat(b);
    const data = isWhole ? new Float64Array(larger.data.length) : new Float32Array(larger.data.length);
    for (let at = 0; at < data.length; at++) data[at] = isWhole ? Math.trunc(compute(0, at)) : compute(0, at);
    return { dims: larger.dims, data };
  };
}

function unary(apply: (x: number) => number): Operator {
  return (_node, [x]) => x && { dims: x.dims, data: x.data.map(apply) };
}

/** A stretch of a vector, step one: so shapes are taken apart. */
const slice: Operator = (node, [x, startsInput, endsInput, , steps]) => {
  const start = integersOf(node, 'starts', startsInput)?.[0];
  const end = integersOf(node, 'ends', endsInput)?.[0];
  if (x?.dims.length !== 1 || start === undefined || end === undefined || (scalarOf(steps) ?? 1) !== 1) return undefined;
  if (Number.isNaN(start + end)) return undefined;
  const data = x.data.slice(start, end);
  return { dims: [data.length], data };
};

export const OPERATORS: Readonly<Record<string, Operator>> = {
  Identity: pass,
  Dropout: pass,
  Cast: cast,
  Reshape: reshape,
  Unsqueeze: unsqueeze,
  Squeeze: squeeze,
  Transpose: transpose,
  Concat: concat,
  Gather: gather,
  Slice: slice,
  Add: elementwise((a, b) => a + b),
  Sub: elementwise((a, b) => a - b),
  Mul: elementwise((a, b) => a * b),
  Div: elementwise((a, b) => a / b),
  Pow: elementwise((a, b) => a ** b),
  Sqrt: unary(Math.sqrt),
  Reciprocal: unary((x) => 1 / x),
  Neg: unary((x) => -x),
};
