// Logistic regression finds what scikit-learn finds; the minimum is one.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { minimise } from '#src/evaluate/lbfgs.js';
import { accuracyOf, classify, fitLogistic, macroF1 } from '#src/evaluate/logistic.js';
import type { Matrix } from '#src/vectors/matrix.js';
import { fc } from '../properties.js';

interface Case {
  readonly vectors: number[][];
  readonly labels: number[];
  readonly rows: number;
  readonly classes: number;
  /** One a class, or the difference of two; the constant last. */
  readonly weights: number[][];
  readonly predicted: number[];
  readonly accuracy: number;
  readonly f1: number;
}

/** Made by test/golden/evaluate.py. */
const CASES: Case[] = JSON.parse(readFileSync(new URL('../golden/evaluate.json', import.meta.url), 'utf8')).logistic;

const matrixOf = (rows: readonly number[][]): Matrix => ({
  rows: rows.length,
  dim: rows[0]?.length ?? 0,
  data: Float32Array.from(rows.flat()),
});

describe('fitLogistic', () => {
  it.each(CASES)('gives the weights and answers of scikit-learn for $classes classes', (golden) => {
    const { vectors, labels, rows, classes, weights, predicted, accuracy, f1 } = golden;
    const stop = { gradient: 1e-9, iterations: 10_000 };
    const model = fitLogistic(matrixOf(vectors.slice(0, rows)), Int32Array.from(labels.slice(0, rows)), classes, stop);
    const width = model.dim + 1;
    const own = Array.from({ length: classes }, (_, at) => [...model.weights.subarray(at * width, (at + 1) * width)]);
    const found = classes === 2 ? [own[1]?.map((value, at) => value - (own[0]?.[at] as number)) as number[]] : own;
    found.flat().forEach((value, at) => void expect(value).toBeCloseTo(weights.flat()[at] as number, 5));
    const answers = classify(model, matrixOf(vectors.slice(rows)));
    const truth = Int32Array.from(labels.slice(rows));
    expect([...answers]).toEqual(predicted);
    expect([accuracyOf(answers, truth), macroF1(answers, truth)]).toEqual([accuracy, expect.closeTo(f1, 12)]);
  });

  it('learns nothing from vectors that are all the same but how many there are of each class', () => {
    const vectors = matrixOf(Array.from({ length: 9 }, () => [1, 0]));
    const model = fitLogistic(vectors, Int32Array.of(0, 1, 1, 1, 1, 1, 1, 2, 2), 3);
    expect([...classify(model, vectors)]).toEqual(Array(9).fill(1));
  });
});

describe('minimise', () => {
  it('finds the bottom of any bowl, the same each time', () => {
    const side = fc.tuple(fc.double({ min: 0.01, max: 100, noNaN: true }), fc.double({ min: -50, max: 50, noNaN: true }));
    fc.assert(
      fc.property(fc.array(side, { minLength: 1, maxLength: 12 }), (terms) => {
        const objective = (point: Float64Array, gradient: Float64Array): number => {
          let value = 0;
          terms.forEach(([steep, bottom], at) => {
            const off = (point[at] as number) - bottom;
            value += (steep * off * off) / 2;
            gradient[at] = steep * off;
          });
          return value;
        };
        const run = (): Float64Array => minimise(terms.length, objective, { gradient: 1e-7, iterations: 5000 });
        const found = run();
        terms.forEach(([steep, bottom], at) => void expect(Math.abs((found[at] as number) - bottom) * steep).toBeLessThan(1e-5));
        expect(run()).toEqual(found);
      }),
      { numRuns: 60 },
    );
  });
});

describe('macroF1', () => {
  it('is 1 where all is right and 0 where nothing is', () => {
    expect(macroF1(Int32Array.of(0, 1, 2), Int32Array.of(0, 1, 2))).toBe(1);
    expect(macroF1(Int32Array.of(1, 1), Int32Array.of(0, 0))).toBe(0);
  });
});
