// Linear maps after pooling, with an activation: plain loops, so that the vector of a text does not depend on its batch.
import type { Matrix } from './matrix.js';

export const DENSE_ACTIVATIONS = ['identity', 'tanh', 'relu', 'sigmoid', 'silu'] as const;
export type DenseActivation = (typeof DENSE_ACTIVATIONS)[number];

/** y = activation(W x + b). */
export interface DenseMap {
  readonly inputs: number;
  readonly outputs: number;
  /** outputs x inputs, row-major. */
  readonly weight: Float32Array;
  readonly bias: Float32Array | undefined;
  readonly activation: DenseActivation;
}

const ACTIVATIONS: Readonly<Record<DenseActivation, (x: number) => number>> = {
  identity: (x) => x,
  tanh: Math.tanh,
  relu: (x) => Math.max(0, x),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  silu: (x) => x / (1 + Math.exp(-x)),
};

/** A matrix whose values may be transferred to another thread. */
type OwnMatrix = Matrix & { readonly data: Float32Array<ArrayBuffer> };

/** One map after the other; sums in double precision. */
export function applyDense(matrix: OwnMatrix, maps: readonly DenseMap[]): OwnMatrix {
  return maps.reduce(applyOne, matrix);
}

function applyOne({ rows, data }: OwnMatrix, { inputs, outputs, weight, bias, activation }: DenseMap): OwnMatrix {
  const mapped = new Float32Array(rows * outputs);
  const active = ACTIVATIONS[activation];
  for (let row = 0; row < rows; row++) {
    for (let output = 0; output < outputs; output++) {
      let sum = bias?.[output] ?? 0;
      for (let input = 0; input < inputs; input++)
        sum += (data[row * inputs + input] as number) * (weight[output * inputs + input] as number);
      mapped[row * outputs + output] = active(sum);
    }
  }
  return { rows, dim: outputs, data: mapped };
}
