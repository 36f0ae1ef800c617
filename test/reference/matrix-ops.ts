// Reference of the matrix products in floats. Sources: ONNX docs/Operators.md; ONNX Runtime docs/ContribOperators.md.
import { broadcastAt, broadcastDims, build, coordinatesOf, positionOf, reshaped } from './layout.js';
import { type Call, input, type Operators } from './operator.js';
import { sizeOfDims, type Tensor, tensor } from './tensor.js';

export interface Product {
  readonly dims: number[];
  /** Sums in float64: exact for integers, as good as exact for float32 ones. */
  readonly sums: Float64Array;
}

/** The product of stacks of matrices as numpy.matmul has it; a vector counts as one row (a) or one column (b). */
export function product(a: Tensor, b: Tensor): Product {
  const left = a.dims.length === 1 ? reshaped(a, [1, ...a.dims]) : a;
  const right = b.dims.length === 1 ? reshaped(b, [...b.dims, 1]) : b;
  const [rows, inner] = left.dims.slice(-2) as [number, number];
  const [innerRight, columns] = right.dims.slice(-2) as [number, number];
  if (inner !== innerRight) throw new Error(`[${a.dims}] times [${b.dims}]`);
  const stack = broadcastDims(left.dims.slice(0, -2), right.dims.slice(0, -2));
  const sums = new Float64Array(sizeOfDims(stack) * rows * columns);
  for (let at = 0; at < sums.length; at++) {
    const coordinates = coordinatesOf(at, [...stack, rows, columns]);
    const [row, column] = coordinates.slice(-2) as [number, number];
    const leftAt = matrixStart(left.dims, coordinates) + row * inner;
    const rightAt = matrixStart(right.dims, coordinates) + column;
    for (let k = 0; k < inner; k++) {
      sums[at] = (sums[at] as number) + (left.data[leftAt + k] as number) * (right.data[rightAt + k * columns] as number);
    }
  }
  const dims = [...stack, ...(a.dims.length === 1 ? [] : [rows]), ...(b.dims.length === 1 ? [] : [columns])];
  return { dims, sums };
}

/** Where the matrix begins that takes part in the output element at these coordinates. */
function matrixStart(dims: readonly number[], coordinates: readonly number[]): number {
  const stack = dims.slice(0, -2);
  const own = coordinates.slice(0, -2).slice(coordinates.length - dims.length);
  const at = positionOf(
    stack.map((dim, axis) => (dim === 1 ? 0 : (own[axis] as number))),
    stack,
  );
  return at * sizeOfDims(dims.slice(-2));
}

/** The last two axes exchanged. */
export function transposed(of: Tensor): Tensor {
  const rank = of.dims.length;
  const swap = (list: readonly number[]): number[] => [...list.slice(0, rank - 2), list[rank - 1] as number, list[rank - 2] as number];
  return build(of.type, swap(of.dims), (coordinates) => of.data[positionOf(swap(coordinates), of.dims)] as number);
}

function matMul(call: Call): Tensor {
  const a = input(call, 0);
  const { dims, sums } = product(a, input(call, 1));
  return tensor(a.type, dims, sums);
}

/** alpha A' B' + beta C. */
function gemm(call: Call): Tensor {
  const [a, b] = transposedInputs(call);
  const c = call.inputs[2];
  const { dims, sums } = product(a, b);
  const alpha = call.attributes.float('alpha', 1);
  const beta = call.attributes.float('beta', 1);
  return build(a.type, dims, (coordinates, at) => {
    const added = c === undefined ? 0 : beta * broadcastAt(c, coordinates);
    return alpha * (sums[at] as number) + added;
  });
}

function fusedMatMul(call: Call): Tensor {
  if (call.attributes.int('transBatchA', 0) + call.attributes.int('transBatchB', 0) > 0) throw new Error('transBatch is not covered');
  const [a, b] = transposedInputs(call);
  const { dims, sums } = product(a, b);
  const alpha = call.attributes.float('alpha', 1);
  return tensor(
    a.type,
    dims,
    sums.map((sum) => alpha * sum),
  );
}

function transposedInputs(call: Call): [Tensor, Tensor] {
  const a = input(call, 0);
  const b = input(call, 1);
  return [call.attributes.int('transA', 0) ? transposed(a) : a, call.attributes.int('transB', 0) ? transposed(b) : b];
}

export const MATRIX_OPS: Operators = { MatMul: matMul, Gemm: gemm };
export const MICROSOFT_MATRIX_OPS: Operators = { FusedMatMul: fusedMatMul };
