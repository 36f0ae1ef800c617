// Rounds a weight matrix so that the errors of its rows cancel in the products: each row takes on what rounding the rows before it cost.
// Sources: Frantar et al. 2022, GPTQ; the order and form here are Babai's nearest plane on the Cholesky factor of X^T X.
import type { MatMul, Weights } from './choose.js';
import type { Observation } from './observation.js';
import { type IntegerWeights, LARGEST, SAFE_PAIR_SUM, type WeightRange } from './weights.js';

/** Lower triangular L with L L^T = X^T X / rows + noise; size x size, row-major. */
export interface GramFactor {
  readonly size: number;
  readonly lower: Float64Array;
}

// Share of the mean square that is added to the diagonal: directions that the sample hardly shows are not free to go wrong in.
const DAMPING = 0.01;

/**
 * @param seen what the products read, divided as they read it
 * @param scale step of the integers: their rounding error is noise of variance scale^2 / 12 in every channel
 */
export async function factorGram({ sample, channels, rows }: Observation, scale: number, matmul: MatMul): Promise<GramFactor> {
  const turned = new Float32Array(sample.length);
  for (let row = 0; row < rows; row++) {
    for (let channel = 0; channel < channels; channel++) turned[channel * rows + row] = sample[row * channels + channel] as number;
  }
  const products = await matmul(turned, sample, rows);
  const gram = Float64Array.from(products, (value) => value / rows);
  let trace = 0;
  for (let at = 0; at < channels; at++) trace += gram[at * channels + at] as number;
  // Not zero even where nothing was ever seen: the factor must exist.
  const added = (DAMPING * trace) / channels + scale ** 2 / 12 + Number.MIN_VALUE ** 0.25;
  for (let at = 0; at < channels; at++) gram[at * channels + at] = (gram[at * channels + at] as number) + added;
  cholesky(gram, channels);
  return { size: channels, lower: gram };
}

/** Cholesky-Banachiewicz in place; the upper part is left as it was. */
function cholesky(matrix: Float64Array, size: number): void {
  for (let row = 0; row < size; row++) {
    const here = matrix.subarray(row * size, row * size + row + 1);
    for (let column = 0; column <= row; column++) {
      const there = matrix.subarray(column * size, column * size + column + 1);
      let sum = here[column] as number;
      for (let at = 0; at < column; at++) sum -= (here[at] as number) * (there[at] as number);
      here[column] = column === row ? Math.sqrt(Math.max(sum, Number.EPSILON)) : sum / (there[column] as number);
    }
  }
}

const BLOCK = 64;

/**
 * The integers of `weights` at the scales of `plain`, rounded with compensation; pairs keep the limit of `range`.
 * @param weights inputs x outputs, as the products read them
 */
export async function compensateRounding(
  weights: Weights,
  plain: IntegerWeights,
  factor: GramFactor,
  range: WeightRange,
  matmul: MatMul,
): Promise<IntegerWeights> {
  const { inputs, outputs } = weights;
  // Row i: what the rows rounded so far ask of it, times L[i][i]. From the last row to the first.
  const owed = new Float32Array(inputs * outputs);
  const task: Task = { weights, factor, scales: plain.scales, range, owed, integers: new Int8Array(inputs * outputs) };
  for (let end = inputs; end > 0; ) {
    // Blocks begin at even rows, so that no pair is cut in two.
    const start = Math.max(0, end - BLOCK - ((end - BLOCK) & 1));
    const errors = roundBlock(task, start, end);
    if (start > 0) addTo(owed, await matmul(turnedBlock(factor, start, end), errors, end - start));
    end = start;
  }
  return { weight: task.integers, scales: plain.scales };
}

interface Task {
  readonly weights: Weights;
  readonly factor: GramFactor;
  readonly scales: Float32Array;
  readonly range: WeightRange;
  readonly owed: Float32Array;
  readonly integers: Int8Array;
}

/** Rounds rows end-1 to start; returns their errors w - q scale, (end - start) x outputs. */
function roundBlock(task: Task, start: number, end: number): Float32Array {
  const { weights, factor, owed, scales } = task;
  const { outputs } = weights;
  const errors = new Float32Array((end - start) * outputs);
  for (let row = end - 1; row >= start; row--) {
    roundRow(task, row);
    const error = errors.subarray((row - start) * outputs, (row - start + 1) * outputs);
    for (let column = 0; column < outputs; column++) {
      const at = row * outputs + column;
      error[column] = (weights.weight[at] as number) - (task.integers[at] as number) * (scales[column] as number);
    }
    for (let above = start; above < row; above++) {
      const share = factor.lower[row * factor.size + above] as number;
      for (let column = 0; column < outputs; column++) {
        const at = above * outputs + column;
        owed[at] = (owed[at] as number) + share * (error[column] as number);
      }
    }
  }
  return errors;
}

/** The value of a weight with what it owes, in steps of its column. */
function target({ weights, factor, owed, scales }: Task, row: number, column: number): number {
  const at = row * weights.outputs + column;
  const pivot = factor.lower[row * factor.size + row] as number;
  return ((weights.weight[at] as number) + (owed[at] as number) / pivot) / (scales[column] as number);
}

function roundRow(task: Task, row: number): void {
  const { weights, integers, range } = task;
  const largest = LARGEST[range];
  for (let column = 0; column < weights.outputs; column++) {
    const wanted = Math.round(target(task, row, column));
    const bounded = range === 'safe' ? pairBounded(task, row, column, wanted) : wanted;
    integers[row * weights.outputs + column] = Math.max(-largest, Math.min(largest, bounded));
  }
}

/** `wanted` within the limit of its pair: the second row of a pair, rounded first, leaves the first its half of what is too much. */
function pairBounded(task: Task, row: number, column: number, wanted: number): number {
  const { weights, integers } = task;
  const isFirst = row % 2 === 0;
  if (isFirst && row + 1 >= weights.inputs) return wanted;
  const other = isFirst ? (integers[(row + 1) * weights.outputs + column] as number) : Math.round(target(task, row - 1, column));
  if (other * wanted <= 0) return wanted;
  const excess = Math.abs(wanted + other) - SAFE_PAIR_SUM;
  if (excess <= 0) return wanted;
  return wanted - Math.sign(wanted) * (isFirst ? excess : Math.min(Math.ceil(excess / 2), Math.abs(wanted)));
}

/** L[start..end)[0..start) turned: start x (end - start). */
function turnedBlock({ size, lower }: GramFactor, start: number, end: number): Float32Array {
  const width = end - start;
  const turned = new Float32Array(start * width);
  for (let row = start; row < end; row++) {
    for (let column = 0; column < start; column++) turned[column * width + row - start] = lower[row * size + column] as number;
  }
  return turned;
}

function addTo(target: Float32Array, values: Float32Array): void {
  for (let at = 0; at < values.length; at++) target[at] = (target[at] as number) + (values[at] as number);
}
