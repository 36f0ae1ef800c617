// x W + b as graphs write it: a product by a constant matrix, with its bias added before, after or inside; pieces of packed ones.
import type { Constant } from '../../onnx/constant.js';
import type { KnownGraph } from '../../onnx/evaluate.js';
import { floatAttribute, integerAttribute } from '../../onnx/lookup.js';
import type { NodeProto } from '../../onnx/proto.js';
import type { Linear } from '../encoder.js';
import { addendsOf, contradiction, originOf, producerOf, weightOf } from './trace.js';

export interface LinearMatch {
  /** Origin of x. */
  readonly input: string;
  readonly linear: Linear;
}

/** A product by a constant matrix, before its bias is known. */
export interface ProductMatch {
  readonly input: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly weight: () => Float32Array;
  /** What the operator itself adds. */
  readonly bias: Constant<Float32Array> | undefined;
}

const PRODUCTS = new Set(['MatMul', 'FusedMatMul', 'Gemm']);

/** Reads a product off the node that makes the value; undefined where it is none by a constant matrix. */
export function matchProduct(graph: KnownGraph, name: string): ProductMatch | undefined {
  const node = producerOf(graph, name);
  if (node === undefined || !PRODUCTS.has(node.opType ?? '') || integerAttribute(node, 'transA')) return undefined;
  const [x, weightName, biasName] = node.input ?? [];
  const weight = weightOf(graph, weightName);
  if (weight?.dims.length !== 2 || weightOf(graph, x) !== undefined) return undefined;
  const isTurned = !!integerAttribute(node, 'transB');
  const [rows = 0, columns = 0] = weight.dims;
  const alpha = floatAttribute(node, 'alpha') ?? 1;
  const turned = (): Float32Array => (isTurned ? transposed(weight.data, rows, columns) : weight.data);
  return {
    input: originOf(graph, String(x)),
    inputs: isTurned ? columns : rows,
    outputs: isTurned ? rows : columns,
    weight: () => (alpha === 1 ? turned() : turned().map((value) => value * alpha)),
    bias: biasOf(graph, node, biasName),
  };
}

function biasOf(graph: KnownGraph, node: NodeProto, name: string | undefined): Constant<Float32Array> | undefined {
  const bias = weightOf(graph, name);
  const beta = floatAttribute(node, 'beta') ?? 1;
  return bias === undefined || beta === 1 ? bias : { dims: bias.dims, data: bias.data.map((value) => value * beta) };
}

/** The linear map that gives the sum of the values, or undefined: the sum of one product and any number of biases. */
export function matchLinear(graph: KnownGraph, names: readonly string[]): LinearMatch | undefined {
  const { values, constants } = addendsOf(graph, names);
  const [value] = values;
  const product = value === undefined || values.length !== 1 ? undefined : matchProduct(graph, value);
  if (product === undefined) return undefined;
  return { input: product.input, linear: linearOf(product, constants) };
}

/** Puts a product and the biases added to it together. Throws `model-invalid` where their sizes contradict each other. */
export function linearOf(product: ProductMatch, added: readonly Constant<Float32Array>[]): Linear {
  const { inputs, outputs } = product;
  const bias = new Float32Array(outputs);
  for (const { data } of product.bias === undefined ? added : [product.bias, ...added]) {
    if (data.length !== outputs && data.length !== 1) throw contradiction(`a bias of ${data.length} values is added to ${outputs} outputs`);
    for (let at = 0; at < outputs; at++) bias[at] = (bias[at] as number) + (data[data.length === 1 ? 0 : at] as number);
  }
  return { inputs, outputs, weight: product.weight(), bias };
}

/** Output columns start to end of a linear map; all of them cost no copy. Throws `model-invalid` where there are none such. */
export function columnsOf(linear: Linear, start: number, end: number): Linear {
  const { inputs, outputs, weight, bias } = linear;
  if (start === 0 && end === outputs) return linear;
  const width = end - start;
  if (!(Number.isInteger(start) && Number.isInteger(end) && start >= 0 && width > 0 && end <= outputs)) {
    throw contradiction(`columns ${start} to ${end} are cut from a linear map of ${outputs} outputs`);
  }
  const part = new Float32Array(inputs * width);
  for (let row = 0; row < inputs; row++) part.set(weight.subarray(row * outputs + start, row * outputs + end), row * width);
  return { inputs, outputs: width, weight: part, bias: bias.slice(start, end) };
}

function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(matrix.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) turned[column * rows + row] = matrix[row * columns + column] as number;
  }
  return turned;
}
