// The hidden states of a batch become one vector a text. All texts of a batch have the same length, so nothing is masked.

export const POOLINGS = ['cls', 'mean', 'max', 'last', 'weighted-mean', 'mean-sqrt', 'none'] as const;
export type Pooling = (typeof POOLINGS)[number];

interface Shape {
  /** Texts in the batch. */
  readonly rows: number;
  /** Tokens a text. */
  readonly width: number;
  readonly dim: number;
}

type PoolInto = (hidden: Float32Array, shape: Shape, row: number, into: Float32Array) => void;

const POOL: Record<Pooling, PoolInto> = {
  cls: (hidden, { width, dim }, row, into) => copyToken(hidden, row * width, dim, into),
  last: (hidden, { width, dim }, row, into) => copyToken(hidden, row * width + width - 1, dim, into),
  none: (hidden, { dim }, row, into) => copyToken(hidden, row, dim, into),
  mean: (hidden, shape, row, into) => sumOfTokens(hidden, shape, row, into, (sum) => sum / shape.width),
  'mean-sqrt': (hidden, shape, row, into) => sumOfTokens(hidden, shape, row, into, (sum) => sum / Math.sqrt(shape.width)),
  'weighted-mean': weightedMeanOfTokens,
  max: maxOfTokens,
};

/**
 * Pools a batch.
 * @param hidden rows x width x dim; for `none`, where the model pools by itself, rows x dim
 * @returns rows x dim, newly allocated
 */
export function pool(hidden: Float32Array, shape: Shape, pooling: Pooling): Float32Array<ArrayBuffer> {
  const vectors = new Float32Array(shape.rows * shape.dim);
  for (let row = 0; row < shape.rows; row++) {
    POOL[pooling](hidden, shape, row, vectors.subarray(row * shape.dim, (row + 1) * shape.dim));
  }
  return vectors;
}

function copyToken(hidden: Float32Array, token: number, dim: number, into: Float32Array): void {
  into.set(hidden.subarray(token * dim, (token + 1) * dim));
}

function sumOfTokens(hidden: Float32Array, { width, dim }: Shape, row: number, into: Float32Array, divided: (sum: number) => number): void {
  for (let column = 0; column < dim; column++) {
    let sum = 0;
    for (let token = 0; token < width; token++) sum += hidden[(row * width + token) * dim + column] as number;
    into[column] = divided(sum);
  }
}

/** Token i, counted from 1, weighs i. Source: Muennighoff 2022, SGPT. */
function weightedMeanOfTokens(hidden: Float32Array, { width, dim }: Shape, row: number, into: Float32Array): void {
  const total = (width * (width + 1)) / 2;
  for (let column = 0; column < dim; column++) {
    let sum = 0;
    for (let token = 0; token < width; token++) sum += (token + 1) * (hidden[(row * width + token) * dim + column] as number);
    into[column] = sum / total;
  }
}

function maxOfTokens(hidden: Float32Array, { width, dim }: Shape, row: number, into: Float32Array): void {
  for (let column = 0; column < dim; column++) {
    let highest = Number.NEGATIVE_INFINITY;
    for (let token = 0; token < width; token++) {
      highest = Math.max(highest, hidden[(row * width + token) * dim + column] as number);
    }
    into[column] = highest;
  }
}
