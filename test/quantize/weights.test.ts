// Weights as int8, as properties over matrices of all shapes and magnitudes: what holds for every range, and what `safe` promises.

import { describe, expect, it } from 'vitest';
import { checkPairs } from '#src/quantize/saturation.js';
import { quantizeWeights, roughlyQuantized, SAFE_PAIR_SUM, WEIGHT_RANGES, type WeightRange } from '#src/quantize/weights.js';
import { fc } from '../properties.js';
import { floats } from '../reference/values.js';

interface Matrix {
  readonly weight: Float32Array;
  readonly inputs: number;
  readonly outputs: number;
}

const LARGEST: Readonly<Record<WeightRange, number>> = { safe: 127, vnni: 127, '7bit': 64 };
const F32_MAX = 3.4028234663852886e38;
const F32_LEAST_NORMAL = 1.1754943508222875e-38;

/** Magnitudes near each other as trained weights are, zeros, one unlike the rest, the least denormals and the greatest floats. */
const value = fc.oneof(
  { weight: 8, arbitrary: fc.double({ min: -1, max: 1, noNaN: true }) },
  { weight: 4, arbitrary: fc.double({ min: 0.9, max: 1, noNaN: true }) },
  { weight: 2, arbitrary: fc.constantFrom(0, -0, 1, -1) },
  { weight: 1, arbitrary: fc.double({ min: -40, max: 40, noNaN: true }) },
);
const magnitude = fc.constantFrom(1, 0.02, 1e-20, 1e-37, 1e-44, 1e20, 8e36);

/** Any matrix whose values are all finite; sometimes with a column of zeros. */
const matrices: fc.Arbitrary<Matrix> = fc
  .tuple(fc.integer({ min: 1, max: 13 }), fc.integer({ min: 1, max: 5 }), magnitude, fc.option(fc.integer({ min: 0, max: 4 })))
  .chain(([inputs, outputs, scale, zeroed]) =>
    fc.array(value, { minLength: inputs * outputs, maxLength: inputs * outputs }).map((values) => ({
      inputs,
      outputs,
      weight: Float32Array.from(values, (one, at) => (at % outputs === zeroed ? 0 : one * scale)),
    })),
  );

function evenly(inputs: number): Float32Array {
  return new Float32Array(inputs).fill(1);
}

function columnOf<T extends Float32Array | Int8Array>({ outputs }: Pick<Matrix, 'outputs'>, values: T, column: number): number[] {
  return [...values].filter((_, at) => at % outputs === column);
}

/** Squared error of one column, weighted. */
function errorOf(exact: readonly number[], integers: readonly number[], scale: number, importance: Float32Array): number {
  return exact.reduce((sum, one, row) => sum + (one - scale * (integers[row] as number)) ** 2 * (importance[row] as number), 0);
}

function pairsHold(integers: readonly number[]): boolean {
  return integers.every((a, row) => {
    const b = integers[row + 1];
    return row % 2 === 1 || b === undefined || a * b <= 0 || Math.abs(a + b) <= 128;
  });
}

describe.each(WEIGHT_RANGES)('quantizeWeights, %s', (range) => {
  it('stays within its range, with a positive finite scale a column', () => {
    fc.assert(
      fc.property(matrices, (matrix) => {
        const { weight, scales } = quantizeWeights(matrix, range, evenly(matrix.inputs));
        expect([weight.length, scales.length]).toEqual([matrix.weight.length, matrix.outputs]);
        expect(weight.every((one) => Math.abs(one) <= LARGEST[range])).toBe(true);
        expect(scales.every((scale) => scale > 0 && Number.isFinite(scale))).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it('has the sign of each weight, or nothing', () => {
    fc.assert(
      fc.property(matrices, (matrix) => {
        const { weight } = quantizeWeights(matrix, range, evenly(matrix.inputs));
        expect(weight.every((one, at) => one === 0 || Math.sign(one) === Math.sign(matrix.weight[at] as number))).toBe(true);
      }),
    );
  });

  it('gives a column by itself what it gives it among others, and the same twice', () => {
    fc.assert(
      fc.property(matrices, (matrix) => {
        const all = quantizeWeights(matrix, range, evenly(matrix.inputs));
        expect(quantizeWeights(matrix, range, evenly(matrix.inputs))).toEqual(all);
        for (let column = 0; column < matrix.outputs; column++) {
          const own = Float32Array.from(columnOf(matrix, matrix.weight, column));
          const lone = quantizeWeights({ weight: own, inputs: matrix.inputs, outputs: 1 }, range, evenly(matrix.inputs));
          expect([...lone.weight, lone.scales[0]]).toEqual([...columnOf(matrix, all.weight, column), all.scales[column]]);
        }
      }),
    );
  });

  it('makes zeros of a column of zeros', () => {
    const { weight, scales } = quantizeWeights({ weight: Float32Array.of(0, 1, -0, 0.5, 0, 0.9), inputs: 3, outputs: 2 }, range, evenly(3));
    expect(columnOf({ outputs: 2 }, weight, 0)).toEqual([0, 0, 0]);
    expect([...scales].every((scale) => scale > 0)).toBe(true);
    expect(weight[1]).toBeGreaterThan(60);
  });

  it('does not change what it is given', () => {
    const weight = Float32Array.of(1, 0.9, 0.8, -0.7);
    quantizeWeights({ weight, inputs: 4, outputs: 1 }, range, evenly(4));
    expect(weight).toEqual(Float32Array.of(1, 0.9, 0.8, -0.7));
  });

  it('roughlyQuantized is about as near as the real thing, and finite', () => {
    fc.assert(
      fc.property(matrices, (matrix) => {
        const rough = roughlyQuantized(matrix, range);
        expect(rough).toHaveLength(matrix.weight.length);
        const top = matrix.weight.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
        const step = Math.max(top / 64, F32_LEAST_NORMAL);
        for (const [at, one] of rough.entries()) expect(Math.abs(one - (matrix.weight[at] as number))).toBeLessThanOrEqual(step);
      }),
    );
  });
});

/** Matrices whose steps are no denormals: below, a scale can be no nearer than a few percent. */
const normal = matrices.filter(({ weight }) => weight.every((one) => one === 0 || Math.abs(one) > 200 * F32_LEAST_NORMAL));

describe('quantizeWeights', () => {
  it.each(['vnni', '7bit'] as const)('%s is nowhere further off than half a step', (range) => {
    fc.assert(
      fc.property(normal, (matrix) => {
        const { weight, scales } = quantizeWeights(matrix, range, evenly(matrix.inputs));
        matrix.weight.forEach((exact, at) => {
          const scale = scales[at % matrix.outputs] as number;
          expect(Math.abs(exact - (weight[at] as number) * scale)).toBeLessThanOrEqual(0.50001 * scale);
        });
      }),
    );
  });

  it.each(['vnni', '7bit'] as const)('%s uses all of its range', (range) => {
    fc.assert(
      fc.property(normal, (matrix) => {
        const { weight } = quantizeWeights(matrix, range, evenly(matrix.inputs));
        for (let column = 0; column < matrix.outputs; column++) {
          const top = Math.max(...columnOf(matrix, weight, column).map(Math.abs));
          expect(columnOf(matrix, matrix.weight, column).every((one) => one === 0) ? 0 : LARGEST[range]).toBe(top);
        }
      }),
    );
  });

  it('safe has no adjacent same-sign pair beyond the limit, whatever the matrix and the importance', () => {
    const importances = fc.array(fc.oneof(fc.constantFrom(0, 1, 1e-38, 1e30), fc.double({ min: 0, max: 4, noNaN: true })), {
      minLength: 13,
      maxLength: 13,
    });
    let lowered = 0;
    fc.assert(
      fc.property(matrices, importances, (matrix, importance) => {
        const weighted = Float32Array.from(importance.slice(0, matrix.inputs));
        const { weight } = quantizeWeights(matrix, 'safe', weighted);
        const plain = quantizeWeights(matrix, 'vnni', weighted).weight;
        for (let column = 0; column < matrix.outputs; column++) {
          expect(pairsHold(columnOf(matrix, weight, column))).toBe(true);
          if (!pairsHold(columnOf(matrix, plain, column))) lowered++;
        }
        expect(checkPairs(weight, matrix.outputs).unsafe).toBe(0);
      }),
      { numRuns: 600 },
    );
    // Without the limit, many of these would have overflowed.
    expect(lowered).toBeGreaterThan(100);
  });

  it('safe leaves a column alone that needs no lowering', () => {
    fc.assert(
      fc.property(matrices, (matrix) => {
        const plain = quantizeWeights(matrix, 'vnni', evenly(matrix.inputs));
        const safe = quantizeWeights(matrix, 'safe', evenly(matrix.inputs));
        for (let column = 0; column < matrix.outputs; column++) {
          const integers = columnOf(matrix, plain.weight, column);
          if (!pairsHold(integers)) continue;
          const exact = columnOf(matrix, matrix.weight, column);
          const errors = [safe, plain].map(({ weight, scales }) =>
            errorOf(exact, columnOf(matrix, weight, column), scales[column] as number, evenly(matrix.inputs)),
          ) as [number, number];
          expect(errors[0]).toBeLessThanOrEqual(errors[1] * 1.001);
        }
      }),
    );
  });

  it('safe is never worse than scaling the column until it holds', () => {
    const importances = fc.array(fc.double({ min: 0.01, max: 4, noNaN: true }), { minLength: 13, maxLength: 13 });
    fc.assert(
      fc.property(normal, importances, (matrix, given) => {
        const importance = Float32Array.from(given.slice(0, matrix.inputs));
        const { weight, scales } = quantizeWeights(matrix, 'safe', importance);
        for (let column = 0; column < matrix.outputs; column++) {
          const exact = columnOf(matrix, matrix.weight, column);
          const error = errorOf(exact, columnOf(matrix, weight, column), scales[column] as number, importance);
          const scaled = scaledUntilSafe(exact, importance);
          // Scales are float32, and the plain one grows by a millionth at a time: what one of them meets by luck the other may miss by that.
          const rounding = 3e-6 * Math.max(...exact.map(Math.abs)) * Math.sqrt(importance.reduce((sum, one) => sum + one, 0));
          expect(Math.sqrt(error)).toBeLessThanOrEqual(Math.sqrt(scaled) * 1.001 + rounding);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('safe is far better than that where the pair that overflows hardly matters', () => {
    // The pair, 1 and 0.9, would cost all others nearly a whole bit; lowered to 64 and 64 it costs what its channels weigh.
    const weight = Float32Array.from(floats(3, [200], 0.3).data)
      .with(0, 1)
      .with(1, 0.9);
    const importance = evenly(200).with(0, 1e-3).with(1, 1e-3);
    const { weight: integers, scales } = quantizeWeights({ weight, inputs: 200, outputs: 1 }, 'safe', importance);
    const error = errorOf([...weight], [...integers], scales[0] as number, importance);
    expect(error).toBeLessThan(0.5 * scaledUntilSafe([...weight], importance));
  });

  it('safe lowers the weight that matters less', () => {
    // 127 and 126 must come down to 128 together; the others hold the scale where it is.
    const weight = Float32Array.of(1, 0.99, ...new Array(60).fill(0.0079));
    const integersOf = (importance: readonly number[]): number[] => {
      const all = Float32Array.of(...importance, ...new Array(60).fill(1e6));
      return [...quantizeWeights({ weight, inputs: 62, outputs: 1 }, 'safe', all).weight].slice(0, 2);
    };
    const [first, second] = [integersOf([1, 1e-3]), integersOf([1e-3, 1])] as [number[], number[]];
    expect(first[0]).toBeGreaterThan(first[1] as number);
    expect(second[1]).toBeGreaterThan(second[0] as number);
  });

  it('takes the largest floats there are', () => {
    const weight = Float32Array.of(F32_MAX, F32_MAX, -F32_MAX, 1);
    for (const range of WEIGHT_RANGES) {
      const { weight: integers, scales } = quantizeWeights({ weight, inputs: 4, outputs: 1 }, range, evenly(4));
      const back = Array.from(integers, (one) => one * (scales[0] as number));
      expect(Math.abs((back[2] as number) / F32_MAX + 1)).toBeLessThan(0.01);
      expect(back[3]).toBe(0);
    }
  });

  it('keeps to the limit that 16 bits set', () => {
    expect(255 * SAFE_PAIR_SUM).toBeLessThanOrEqual(32_767);
    expect(255 * (SAFE_PAIR_SUM + 1)).toBeGreaterThan(32_767);
  });
});

/** The plain way: the scale grows until no rounded pair passes the limit. */
function scaledUntilSafe(exact: readonly number[], importance: Float32Array): number {
  const top = Math.max(...exact.map(Math.abs));
  const pairs = exact.map((a, row) => (row % 2 === 0 && a * (exact[row + 1] ?? 0) > 0 ? Math.abs(a + (exact[row + 1] as number)) : 0));
  for (let scale = Math.max(top / 127, Math.max(...pairs) / 128) || 1; ; scale *= 1 + 1e-6) {
    const integers = exact.map((one) => Math.round(one / scale));
    if (pairsHold(integers)) return errorOf(exact, integers, scale, importance);
  }
}
