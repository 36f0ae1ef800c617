// Reference of the operators that take an axis together: reductions, softmax, layer normalisation, attention. Source: ONNX docs/Operators.md.
import { axisOf, broadcastAt, build, positionOf, reshaped } from './layout.js';
import { product, transposed } from './matrix-ops.js';
import { type Call, input, integersOf, type Operator, type Operators } from './operator.js';
import { sizeOfDims, type Tensor, tensor } from './tensor.js';

/** Axes from the attribute (before opset 18, for ReduceMean, Min and Max) or the second input; none given means all. */
function reduction(compute: (values: readonly number[]) => number): Operator {
  return (call) => {
    const x = input(call, 0);
    const given = integersOf(call, 1, 'axes') ?? [];
    if (given.length === 0 && call.attributes.int('noop_with_empty_axes', 0) === 1) return x;
    const axes = new Set((given.length === 0 ? x.dims.map((_, axis) => axis) : given).map((axis) => axisOf(axis, x.dims.length)));
    const kept = x.dims.map((dim, axis) => (axes.has(axis) ? 1 : dim));
    const groups: number[][] = Array.from({ length: sizeOfDims(kept) }, () => []);
    build(x.type, x.dims, (coordinates, at) => {
      const group = positionOf(
        coordinates.map((place, axis) => (axes.has(axis) ? 0 : place)),
        kept,
      );
      groups[group]?.push(x.data[at] as number);
      return 0;
    });
    const dims = call.attributes.int('keepdims', 1) === 1 ? kept : x.dims.filter((_, axis) => !axes.has(axis));
    return tensor(x.type, dims, groups.map(compute));
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function softmaxOf(values: readonly number[]): number[] {
  const highest = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** Along one axis; before opset 13 over everything from the axis (default 1) on. */
function softmax(call: Call): Tensor {
  const x = input(call, 0);
  const isOld = call.opset < 13;
  const axis = axisOf(call.attributes.int('axis', isOld ? 1 : -1), x.dims.length);
  const dims = isOld ? [sizeOfDims(x.dims.slice(0, axis)), sizeOfDims(x.dims.slice(axis))] : x.dims;
  return reshaped(alongAxis(reshaped(x, dims), isOld ? 1 : axis, softmaxOf), x.dims);
}

function alongAxis(x: Tensor, axis: number, compute: (values: readonly number[]) => number[]): Tensor {
  const dim = x.dims[axis] as number;
  const stride = sizeOfDims(x.dims.slice(axis + 1));
  const values = new Float64Array(x.data.length);
  for (let start = 0; start < values.length; start++) {
    if (Math.floor(start / stride) % dim !== 0) continue;
    const line = Array.from({ length: dim }, (_, place) => x.data[start + place * stride] as number);
    compute(line).forEach((value, place) => {
      values[start + place * stride] = value;
    });
  }
  return tensor(x.type, x.dims, values);
}

/** y, and where named the mean and the inverse standard deviation: (x - mean) / sqrt(variance + epsilon) * scale + bias. */
function layerNormalization(call: Call): Tensor[] {
  const x = input(call, 0);
  const scale = input(call, 1);
  const bias = call.inputs[2];
  const axis = axisOf(call.attributes.int('axis', -1), x.dims.length);
  const width = sizeOfDims(x.dims.slice(axis));
  const rows = Array.from({ length: x.data.length / width }, (_, row) => [...x.data.subarray(row * width, (row + 1) * width)]);
  const means = rows.map(mean);
  const epsilon = call.attributes.float('epsilon', 1e-5);
  const inverses = rows.map((row, at) => 1 / Math.sqrt(mean(row.map((value) => (value - (means[at] as number)) ** 2)) + epsilon));
  const y = build(x.type, x.dims, (coordinates, at) => {
    const row = Math.floor(at / width);
    const normal = ((x.data[at] as number) - (means[row] as number)) * (inverses[row] as number);
    return normal * broadcastAt(scale, coordinates) + (bias ? broadcastAt(bias, coordinates) : 0);
  });
  const kept = x.dims.map((dim, one) => (one < axis ? dim : 1));
  return [y, tensor('float32', kept, means), tensor('float32', kept, inverses)].slice(0, call.outputs);
}

/**
 * softmax(Q K' scale) V for each head; q rows x queries x hidden, k and v rows x keys x hidden. Unmasked, no bias.
 * Source: ONNX Runtime docs/ContribOperators.md, MultiHeadAttention.
 */
function multiHeadAttention(call: Call): Tensor {
  if (call.inputs.slice(3).some((extra) => extra !== undefined) || call.attributes.int('unidirectional', 0) === 1) {
    throw new Error('MultiHeadAttention is covered without bias, mask and past');
  }
  const query = input(call, 0);
  const heads = call.attributes.int('num_heads', 0);
  const [q, k, v] = [query, input(call, 1), input(call, 2)].map((one) => headsOf(one, heads)) as [Tensor, Tensor, Tensor];
  const scale = call.attributes.float('scale', 0) || 1 / Math.sqrt(q.dims[3] as number);
  const products = product(q, transposed(k));
  const scores = tensor(
    'float64',
    products.dims,
    products.sums.map((sum) => sum * scale),
  );
  const mixed = product(alongAxis(scores, 3, softmaxOf), v);
  const size = v.dims[3] as number;
  return build(query.type, [...query.dims.slice(0, 2), heads * size], ([row, token, channel]) => {
    const place = [row as number, Math.floor((channel as number) / size), token as number, (channel as number) % size];
    return mixed.sums[positionOf(place, mixed.dims)] as number;
  });
}

/** rows x tokens x hidden -> rows x heads x tokens x size. */
function headsOf(x: Tensor, heads: number): Tensor {
  const [rows, tokens, hidden] = x.dims as [number, number, number];
  const size = hidden / heads;
  return build(x.type, [rows, heads, tokens, size], ([row, head, token, channel]) => {
    return x.data[positionOf([row as number, token as number, (head as number) * size + (channel as number)], x.dims)] as number;
  });
}

export const REDUCE_OPS: Operators = {
  ReduceMean: reduction(mean),
  ReduceMin: reduction((values) => Math.min(...values)),
  ReduceMax: reduction((values) => Math.max(...values)),
  Softmax: softmax,
  LayerNormalization: layerNormalization,
};

export const MICROSOFT_REDUCE_OPS: Operators = { MultiHeadAttention: multiHeadAttention };
