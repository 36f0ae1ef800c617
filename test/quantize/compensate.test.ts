// Rounding with compensation: what it may never do, what it must gain, and each integer against plain loops over the same factor.

import { describe, expect, it } from 'vitest';
import type { MatMul } from '#src/quantize/choose.js';
import { compensateRounding, factorGram } from '#src/quantize/compensate.js';
import type { Observation } from '#src/quantize/observation.js';
import { checkPairs } from '#src/quantize/saturation.js';
import { weightQuantizer } from '#src/quantize/weight-quantizer.js';
import { quantizeWeights, WEIGHT_RANGES, type WeightRange } from '#src/quantize/weights.js';
import { fc } from '../properties.js';
import { floats } from '../reference/values.js';

const LARGEST: Readonly<Record<WeightRange, number>> = { safe: 127, vnni: 127, '7bit': 64 };

const matmul: MatMul = async (x, w, inputs) => {
  const [rows, outputs] = [x.length / inputs, w.length / inputs];
  return Float32Array.from({ length: rows * outputs }, (_, at) => {
    let sum = 0;
    for (let k = 0; k < inputs; k++)
      sum += (x[Math.floor(at / outputs) * inputs + k] as number) * (w[k * outputs + (at % outputs)] as number);
    return sum;
  });
};

interface Matrix {
  readonly weight: Float32Array;
  readonly inputs: number;
  readonly outputs: number;
}

function seenOf(channels: number, sample: Float32Array): Observation {
  const none = new Float32Array(channels);
  return { name: 'layer0.up', channels, minima: none, maxima: none, sample, rows: sample.length / channels };
}

function randomMatrix(seed: number, inputs: number, outputs: number, factor = 1): Matrix {
  return { inputs, outputs, weight: (floats(seed, [inputs, outputs], 1).data as Float32Array).map((one) => one * factor) };
}

/** Rows whose channels are mixtures of `rank` independent values. */
function mixed(seed: number, rows: number, channels: number, rank: number): Observation {
  const [values, shares] = [floats(seed, [rows, rank], 1).data, floats(seed + 1, [rank, channels], 1).data];
  const sample = Float32Array.from({ length: rows * channels }, (_, at) => {
    let sum = 0;
    for (let k = 0; k < rank; k++)
      sum += (values[Math.floor(at / channels) * rank + k] as number) * (shares[k * channels + (at % channels)] as number);
    return sum;
  });
  return seenOf(channels, sample);
}

/** ||X (W - scales x integers)||^2. */
async function productError(
  { sample, channels }: Observation,
  matrix: Matrix,
  found: { weight: Int8Array; scales: Float32Array },
): Promise<number> {
  const error = matrix.weight.map((one, at) => one - (found.weight[at] as number) * (found.scales[at % matrix.outputs] as number));
  return (await matmul(sample, error, channels)).reduce((sum, one) => sum + one * one, 0);
}

/** Plain loops in double precision: from the last row up, each takes on what the rows below it cost. */
function owedBy({ weight, inputs, outputs }: Matrix, lower: Float64Array, found: { weight: Int8Array; scales: Float32Array }): number[] {
  return Array.from(weight, (one, at) => {
    const [row, column] = [Math.floor(at / outputs), at % outputs];
    let owed = 0;
    for (let below = row + 1; below < inputs; below++) {
      const place = below * outputs + column;
      owed +=
        (lower[below * inputs + row] as number) *
        ((weight[place] as number) - (found.weight[place] as number) * (found.scales[column] as number));
    }
    return (one + owed / (lower[row * inputs + row] as number)) / (found.scales[column] as number);
  });
}

describe('factorGram', () => {
  it('is a lower triangle whose square is the mean of x x^T, with the same little added to each channel', async () => {
    const seen = mixed(3, 50, 9, 4);
    const { lower, size } = await factorGram(seen, 0.02, matmul);
    expect(size).toBe(9);
    const at = (row: number, column: number): number => (column > row ? 0 : (lower[row * 9 + column] as number));
    const added: number[] = [];
    for (let row = 0; row < 9; row++) {
      for (let column = 0; column < 9; column++) {
        let [square, mean] = [0, 0];
        for (let k = 0; k < 9; k++) square += at(row, k) * at(column, k);
        for (let token = 0; token < 50; token++)
          mean += ((seen.sample[token * 9 + row] as number) * (seen.sample[token * 9 + column] as number)) / 50;
        if (row === column) added.push(square - mean);
        else expect(square).toBeCloseTo(mean, 5);
      }
    }
    expect(Math.min(...added)).toBeGreaterThan(0);
    expect(Math.max(...added) - Math.min(...added)).toBeLessThan(1e-5);
  });

  it('counts the rounding of the input itself as noise of scale^2 / 12 in every channel', async () => {
    const silent = seenOf(4, new Float32Array(40));
    for (const scale of [0.02, 3]) {
      const { lower } = await factorGram(silent, scale, matmul);
      for (const row of [0, 1, 2, 3]) expect((lower[row * 5] as number) ** 2).toBeCloseTo(scale ** 2 / 12, 12);
    }
  });

  it.each([0, 1e-30, 1e18])('is finite for an input of %d alone', async (value) => {
    const { lower } = await factorGram(seenOf(5, new Float32Array(40).fill(value)), 1, matmul);
    const triangle = [...lower].filter((_, at) => at % 5 <= Math.floor(at / 5));
    expect(triangle.filter((one) => !Number.isFinite(one))).toEqual([]);
    expect([0, 1, 2, 3, 4].every((row) => (lower[row * 6] as number) > 0)).toBe(true);
  });
});

describe.each(WEIGHT_RANGES)('weightQuantizer, %s', (range) => {
  const shapes = fc.tuple(
    fc.constantFrom(1, 2, 3, 7, 63, 64, 65, 66, 129),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 1e6 }),
  );
  const magnitudes = fc.constantFrom(1, 0.02, 0, 1e-20, 1e20);

  it('keeps range, pairs and scales, and gives the same twice', async () => {
    await fc.assert(
      fc.asyncProperty(shapes, magnitudes, fc.constantFrom(0, 1, 1e-6, 1e6), async ([inputs, outputs, seed], size, loudness) => {
        const matrix = randomMatrix(seed, inputs, outputs, size);
        const seen = mixed(seed, 12, inputs, 2);
        const read = { ...seen, sample: seen.sample.map((one) => one * loudness) };
        const quantize = await weightQuantizer(read, 0.01 * (loudness || 1), { range, matmul });
        const found = await quantize(matrix);
        expect(found.weight.every((one) => Math.abs(one) <= LARGEST[range])).toBe(true);
        expect(found.scales.every((one) => one > 0 && Number.isFinite(one))).toBe(true);
        if (range === 'safe') expect(checkPairs(found.weight, outputs).unsafe).toBe(0);
        expect(await quantize(matrix)).toEqual(found);
      }),
      { numRuns: 60 },
    );
  });

  it('lets errors cancel where channels move together, near or more than a block apart', async () => {
    for (const [inputs, rank, apart] of [
      [30, 6, 0],
      [128, 64, 64],
    ] as const) {
      const base = mixed(5, 200, apart || inputs, rank);
      // The second half of the channels says what the first does.
      const sample =
        apart === 0
          ? base.sample
          : Float32Array.from({ length: 200 * inputs }, (_, at) => base.sample[Math.floor(at / inputs) * apart + (at % apart)] as number);
      const seen = seenOf(inputs, sample);
      const matrix = randomMatrix(6, inputs, 8);
      const found = await (await weightQuantizer(seen, 1e-4, { range, matmul }))(matrix);
      const plain = quantizeWeights(matrix, range, new Float32Array(inputs).fill(1));
      expect(await productError(seen, matrix, found)).toBeLessThan(0.8 * (await productError(seen, matrix, plain)));
    }
  });
});

describe('compensateRounding', () => {
  it.each(['vnni', '7bit'] as const)('is plain rounding where channels never move together: %s', async (range) => {
    const sample = Float32Array.from({ length: 70 * 70 }, (_, at) => (at % 71 === 0 ? 3 : 0));
    const matrix = randomMatrix(8, 70, 4);
    const plain = quantizeWeights(matrix, range, new Float32Array(70).fill(1));
    const factor = await factorGram(seenOf(70, sample), 0.01, matmul);
    expect(await compensateRounding(matrix, plain, factor, range, matmul)).toEqual(plain);
  });

  it.each([5, 64, 65, 130, 131])('rounds each of %d rows to what plain loops ask for, within its range', async (inputs) => {
    const matrix = randomMatrix(9, inputs, 3);
    const plain = quantizeWeights(matrix, 'vnni', new Float32Array(inputs).fill(1));
    const factor = await factorGram(mixed(10, 40, inputs, 5), 0.01, matmul);
    const found = await compensateRounding(matrix, plain, factor, 'vnni', matmul);
    for (const [at, wanted] of owedBy(matrix, factor.lower, found).entries()) {
      const within = Math.max(-127, Math.min(127, wanted));
      expect(Math.abs((found.weight[at] as number) - within)).toBeLessThan(0.501);
    }
  });
});
