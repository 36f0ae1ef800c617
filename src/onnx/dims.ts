// The dimensions of values as far as constants in the graph settle them; NaN stands for one that only a run can tell.
import { type Constant, listOf } from './constant.js';
import { integerAttribute, integersAttribute } from './lookup.js';
import { frontAxis, integersOf, reshapedDims, squeezedDims, unsqueezedDims } from './operators.js';
import type { NodeProto } from './proto.js';

export type Dims = readonly number[];

/** Dimensions of a node's outputs from those of its inputs and from constant inputs; undefined where even the rank is unknown. */
type DimsRule = (node: NodeProto, dims: readonly (Dims | undefined)[], constants: readonly (Constant | undefined)[]) => Dims | undefined;

const first: DimsRule = (_node, [x]) => x;

/** Source: ONNX docs/Broadcasting.md. */
const broadcast: DimsRule = (_node, dims) => {
  if (dims.some((one) => one === undefined)) return undefined;
  const known = dims as readonly Dims[];
  const rank = Math.max(...known.map((one) => one.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = known.map((one) => one[axis - rank + one.length] ?? 1).filter((size) => size !== 1);
    return sizes.find((size) => !Number.isNaN(size)) ?? (sizes.length === 0 ? 1 : Number.NaN);
  });
};

const matmul: DimsRule = (node, [a, b]) => {
  if (a === undefined || b === undefined || a.length < 2 || b.length < 2) return undefined;
  const rows = integerAttribute(node, 'transA') ? -1 : -2;
  const columns = integerAttribute(node, 'transB') ? -2 : -1;
  const batch = a.length >= b.length ? a.slice(0, -2) : b.slice(0, -2);
  return [...batch, a.at(rows) as number, b.at(columns) as number];
};

const reshape: DimsRule = (_node, [x], [, shape]) => shape && reshapedDims(x, [...shape.data]);

const transpose: DimsRule = (node, [x]) => {
  const perm = integersAttribute(node, 'perm');
  return x && (perm === undefined ? [...x].reverse() : perm.map((axis) => x[axis] ?? Number.NaN));
};

const gather: DimsRule = (node, [x, indices]) => {
  if (x === undefined || indices === undefined) return undefined;
  const axis = frontAxis(integerAttribute(node, 'axis') ?? 0, x.length);
  return [...x.slice(0, axis), ...indices, ...x.slice(axis + 1)];
};

const unsqueeze: DimsRule = (node, [x], [, axes]) => {
  const known = integersOf(node, 'axes', axes);
  return x && known && unsqueezedDims(x, known);
};

const squeeze: DimsRule = (node, [x], [, axes]) => {
  const known = integersOf(node, 'axes', axes);
  return x && known && squeezedDims(x, known);
};

/** Split and Slice along some axis: the rank stays, every size may differ. */
const rankOnly: DimsRule = (_node, [x]) => x?.map(() => Number.NaN);

const expand: DimsRule = (_node, _dims, [, shape]) => listOf(shape);

const RULES: Readonly<Record<string, DimsRule>> = {
  ...Object.fromEntries(
    `Identity Dropout Cast Neg Sqrt Reciprocal Erf Tanh Relu Gelu BiasGelu FastGelu Softmax LayerNormalization
    SkipLayerNormalization MultiHeadAttention`
      .split(/\s+/)
      .map((opType) => [opType, first]),
  ),
  ...Object.fromEntries('Add Sub Mul Div Pow Where Sum Max Min'.split(' ').map((opType) => [opType, broadcast])),
  MatMul: matmul,
  FusedMatMul: matmul,
  Gemm: matmul,
  Reshape: reshape,
  Transpose: transpose,
  Gather: gather,
  Unsqueeze: unsqueeze,
  Squeeze: squeeze,
  Split: rankOnly,
  Slice: rankOnly,
  Expand: expand,
};

/** See DimsRule. */
export const inferDims: DimsRule = (node, dims, constants) => RULES[node.opType ?? '']?.(node, dims, constants);

/** What Shape gives, by its attributes start and end. Source: ONNX Shape, opset 15. */
export function shapeValue(node: NodeProto, dims: Dims | undefined): Constant | undefined {
  if (dims === undefined) return undefined;
  const data = Float64Array.from(dims).slice(integerAttribute(node, 'start') ?? 0, integerAttribute(node, 'end') ?? dims.length);
  return { dims: [data.length], data };
}
