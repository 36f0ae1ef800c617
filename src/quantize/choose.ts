// The pre-scaling of one product input, chosen by the error of the products that come out. Pure but for the multiplication it is given.
import type { Linear } from '../encoder/encoder.js';
import { scaleRows } from '../encoder/fold.js';
import type { QuantizedInput } from '../encoder/quantized.js';
import { fakeQuantize, quantizedInput, type Range, rangeOf } from './activations.js';
import { type Candidate, divisorCandidates, refinedCandidates } from './divisors.js';
import { type Observation, thinnedSample } from './observation.js';
import { roughlyQuantized, type WeightRange } from './weights.js';

/** rows x inputs times inputs x outputs, row-major, on the engine. */
export type MatMul = (x: Float32Array, w: Float32Array, inputs: number) => Promise<Float32Array>;

export type Weights = Pick<Linear, 'weight' | 'inputs' | 'outputs'>;

export interface ChooseOptions {
  readonly weights: WeightRange;
  /** Share that the range reaches beyond all that was observed: unseen texts go further than seen ones. */
  readonly headroom: number;
  /** Rows of the sample to judge by. */
  readonly rows: number;
  /** False: no pre-scaling, for comparison. */
  readonly preScale: boolean;
}

export interface Choice {
  readonly name: string;
  readonly input: QuantizedInput;
  readonly range: Range;
  /** ||dequant(X) dequant(W) - X W||^2 / ||X W||^2 on the sampled rows, without pre-scaling and as chosen. */
  readonly errorBefore: number;
  readonly errorAfter: number;
  /** Of each channel, as observed. */
  readonly minima: Float32Array;
  readonly maxima: Float32Array;
}

/**
 * Tries every family of divisors, then the neighbourhood of the best.
 * @param weights of all maps that read the input, side by side
 */
export async function chooseInput(seen: Observation, weights: Weights, matmul: MatMul, options: ChooseOptions): Promise<Choice> {
  const judge = await createJudge(seen, weights, matmul, options);
  const families = divisorCandidates(seen, rowMagnitudes(weights));
  const first = options.preScale ? families : families.slice(0, 1);
  const judged = [];
  for (const candidate of first) judged.push(await judge(candidate));
  const errorBefore = (judged[0] as Judged).error;
  if (options.preScale) for (const candidate of refinedCandidates(ranked(judged))) judged.push(await judge(candidate));
  const best = ranked(judged)[0] as Judged;
  const { candidate, input, range, error } = best;
  return { name: candidate.name, input, range, errorBefore, errorAfter: error, minima: seen.minima, maxima: seen.maxima };
}

interface Judged {
  readonly candidate: Candidate;
  readonly input: QuantizedInput;
  readonly range: Range;
  readonly error: number;
}

function ranked(judged: readonly Judged[]): Judged[] {
  return [...judged].sort((a, b) => a.error - b.error);
}

type Judge = (candidate: Candidate) => Promise<Judged>;

async function createJudge(seen: Observation, weights: Weights, matmul: MatMul, options: ChooseOptions): Promise<Judge> {
  const sample = thinnedSample(seen, options.rows);
  const exact = await matmul(sample, weights.weight, seen.channels);
  const energy = squaredDistance(exact, new Float32Array(exact.length)) || 1;
  return async (candidate) => {
    const { divisor } = candidate;
    const range = rangeOf(seen, divisor, options.headroom);
    const input = quantizedInput(range, divisor);
    const scaled = divisor === undefined ? weights : { ...weights, weight: scaleRows(weights, divisor) };
    const product = await matmul(fakeQuantize(sample, input, seen.channels), roughlyQuantized(scaled, options.weights), seen.channels);
    return { candidate, input, range, error: squaredDistance(product, exact) / energy };
  };
}

/** Largest magnitude of each row. */
export function rowMagnitudes({ weight, inputs, outputs }: Weights): Float32Array {
  const rows = new Float32Array(inputs);
  for (let at = 0; at < weight.length; at++) {
    const row = Math.floor(at / outputs);
    rows[row] = Math.max(rows[row] as number, Math.abs(weight[at] as number));
  }
  return rows;
}

function squaredDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) {
    const difference = (a[at] as number) - (b[at] as number);
    sum += difference * difference;
  }
  return sum;
}

/** Weights of several maps side by side: inputs x all their outputs. */
export function joinWeights(maps: readonly Weights[]): Weights {
  const inputs = maps[0]?.inputs ?? 0;
  const outputs = maps.reduce((sum, map) => sum + map.outputs, 0);
  const weight = new Float32Array(inputs * outputs);
  let column = 0;
  for (const map of maps) {
    for (let row = 0; row < inputs; row++) {
      weight.set(map.weight.subarray(row * map.outputs, (row + 1) * map.outputs), row * outputs + column);
    }
    column += map.outputs;
  }
  return { inputs, outputs, weight };
}
