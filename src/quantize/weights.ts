// A weight matrix becomes symmetric int8 with one scale a column, such that no processor's 16-bit sums saturate. Pure.
import type { Linear } from '../encoder/encoder.js';

/**
 * safe: full 8 bits, but no adjacent same-sign pair of a column can overflow 16 bits. vnni: plain 8 bits, exact only on
 * processors that sum in 32 bits. 7bit: the usual reduced range, at the price of a whole bit.
 */
export const WEIGHT_RANGES = ['safe', 'vnni', '7bit'] as const;
export type WeightRange = (typeof WEIGHT_RANGES)[number];

export interface IntegerWeights {
  /** inputs x outputs, row-major. */
  readonly weight: Int8Array;
  /** One an output. */
  readonly scales: Float32Array;
}

/**
 * Largest |w(2k) + w(2k+1)| of same-sign neighbours in a column: x86 without VNNI multiplies uint8 by int8 in pairs and
 * adds them in 16 bits (VPMADDUBSW), and 255 x 129 > 32,767.
 */
export const SAFE_PAIR_SUM = 128;
/** Largest magnitude of an integer. */
export const LARGEST: Record<WeightRange, number> = { safe: 127, vnni: 127, '7bit': 64 };
const SCALE_STEPS = 8;

/**
 * Quantizes to int8 column by column. For `safe` the scale of a column is searched between the plain one, whose
 * overflowing pairs are brought down, and the one at which none overflows; the least weighted squared error wins.
 * @param importance inputs values: mean square of each input channel, the weight of its errors
 */
export function quantizeWeights(
  linear: Pick<Linear, 'weight' | 'inputs' | 'outputs'>,
  range: WeightRange,
  importance: Float32Array,
): IntegerWeights {
  const { inputs, outputs } = linear;
  const weight = new Int8Array(inputs * outputs);
  const scales = new Float32Array(outputs);
  const column = new Float32Array(inputs);
  const best = new Int8Array(inputs);
  for (let at = 0; at < outputs; at++) {
    for (let row = 0; row < inputs; row++) column[row] = linear.weight[row * outputs + at] as number;
    scales[at] = quantizeColumn(column, range, importance, best);
    for (let row = 0; row < inputs; row++) weight[row * outputs + at] = best[row] as number;
  }
  return { weight, scales };
}

/** Writes the integers of one column to `into`, returns its scale. */
function quantizeColumn(column: Float32Array, range: WeightRange, importance: Float32Array, into: Int8Array): number {
  const { plain, clear } = columnScales(column, LARGEST[range]);
  if (range !== 'safe' || clear <= plain) {
    roundColumn(column, plain, LARGEST[range], into);
    if (range === 'safe') lowerPairs(column, plain, importance, into);
    return plain;
  }
  const trial = new Int8Array(column.length);
  let bestScale = plain;
  let leastError = Number.POSITIVE_INFINITY;
  for (let step = 0; step <= SCALE_STEPS; step++) {
    const scale = Math.fround(plain + ((clear - plain) * step) / SCALE_STEPS);
    roundColumn(column, scale, LARGEST.safe, trial);
    lowerPairs(column, scale, importance, trial);
    const error = columnError(column, scale, importance, trial);
    if (error >= leastError) continue;
    leastError = error;
    bestScale = scale;
    into.set(trial);
  }
  return bestScale;
}

/** plain: the largest weight becomes the largest integer. clear: no same-sign pair sums beyond the safe limit. */
function columnScales(column: Float32Array, largest: number): { plain: number; clear: number } {
  let top = 0;
  let pair = 0;
  for (let row = 0; row < column.length; row += 2) {
    const a = column[row] as number;
    const b = column[row + 1] ?? 0;
    top = Math.max(top, Math.abs(a), Math.abs(b));
    if (a * b > 0) pair = Math.max(pair, Math.abs(a + b));
  }
  // A column of zeros keeps a scale of 1: any would do, and 0 would make NaN.
  return { plain: Math.fround(top / largest) || 1, clear: Math.fround(pair / SAFE_PAIR_SUM) };
}

function roundColumn(column: Float32Array, scale: number, largest: number, into: Int8Array): void {
  for (let row = 0; row < column.length; row++) {
    const value = Math.round((column[row] as number) / scale);
    into[row] = Math.max(-largest, Math.min(largest, value));
  }
}

/** Brings every overflowing pair down to the limit, one unit at a time where it costs least. */
function lowerPairs(column: Float32Array, scale: number, importance: Float32Array, integers: Int8Array): void {
  for (let row = 0; row + 1 < column.length; row += 2) {
    let a = integers[row] as number;
    let b = integers[row + 1] as number;
    if (a * b <= 0) continue;
    const sign = Math.sign(a);
    while (Math.abs(a + b) > SAFE_PAIR_SUM) {
      const costA = stepCost((column[row] as number) / scale, a, sign) * (importance[row] as number);
      const costB = stepCost((column[row + 1] as number) / scale, b, sign) * (importance[row + 1] as number);
      if (costA <= costB) a -= sign;
      else b -= sign;
    }
    integers[row] = a;
    integers[row + 1] = b;
  }
}

/** What the squared error of `integer` grows by when it moves one unit towards zero. */
function stepCost(exact: number, integer: number, sign: number): number {
  return (exact - integer + sign) ** 2 - (exact - integer) ** 2;
}

function columnError(column: Float32Array, scale: number, importance: Float32Array, integers: Int8Array): number {
  let sum = 0;
  for (let row = 0; row < column.length; row++) {
    const difference = (column[row] as number) - scale * (integers[row] as number);
    sum += difference * difference * (importance[row] as number);
  }
  return sum;
}

/**
 * The matrix that quantizing gives back, roughly: each column at the scale where none of its pairs overflows. A twentieth of
 * the work, good enough to tell candidates apart. inputs x outputs.
 */
export function roughlyQuantized(
  { weight, inputs, outputs }: Pick<Linear, 'weight' | 'inputs' | 'outputs'>,
  range: WeightRange,
): Float32Array {
  const tops = new Float32Array(outputs);
  const pairs = new Float32Array(outputs);
  for (let row = 0; row < inputs; row++) {
    const start = row * outputs;
    const next = row % 2 === 0 && row + 1 < inputs ? start + outputs : start;
    for (let column = 0; column < outputs; column++) {
      const a = weight[start + column] as number;
      const b = weight[next + column] as number;
      if (Math.abs(a) > (tops[column] as number)) tops[column] = Math.abs(a);
      if (next !== start && a * b > 0 && Math.abs(a + b) > (pairs[column] as number)) pairs[column] = Math.abs(a + b);
    }
  }
  const scales = tops.map((top, column) => {
    // Rounded first: the least denormals divide to a zero, which would make NaN.
    const plain = Math.fround(top / LARGEST[range]) || 1;
    return range === 'safe' ? Math.max(plain, (pairs[column] as number) / SAFE_PAIR_SUM) : plain;
  });
  return roundToScales(weight, scales);
}

function roundToScales(weight: Float32Array, scales: Float32Array): Float32Array {
  const rounded = new Float32Array(weight.length);
  const outputs = scales.length;
  for (let start = 0; start < weight.length; start += outputs) {
    for (let column = 0; column < outputs; column++) {
      const scale = scales[column] as number;
      rounded[start + column] = Math.round((weight[start + column] as number) / scale) * scale;
    }
  }
  return rounded;
}
