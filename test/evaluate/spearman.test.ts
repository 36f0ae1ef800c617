// Spearman's rho against SciPy, and its invariances.

import { describe, expect, it } from 'vitest';
import { averageRanks, spearman } from '#src/evaluate/spearman.js';
import { fc } from '../properties.js';
import { GOLDEN } from './golden.js';

const of = (...values: number[]): Float64Array => Float64Array.from(values);
const small = fc.integer({ min: -20, max: 20 });
const pairs = fc.array(fc.tuple(small, small), { minLength: 2, maxLength: 60 });

function sides(values: readonly (readonly [number, number])[]): [Float64Array, Float64Array] {
  return [Float64Array.from(values, ([a]) => a), Float64Array.from(values, ([, b]) => b)];
}

describe('averageRanks', () => {
  it('gives equal values the mean of the ranks they cover', () => {
    expect(averageRanks(of(10, 30, 20, 30, 10, 30))).toEqual(of(1.5, 5, 3, 5, 1.5, 5));
    expect(averageRanks(of(0, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY))).toEqual(of(2.5, 2.5, 4, 1));
    expect(averageRanks(of())).toEqual(of());
    expect(averageRanks(of(Number.NaN))).toEqual(of(1));
  });

  it('counts, for each value, those below it and half of those equal', () => {
    fc.assert(
      fc.property(fc.array(small, { maxLength: 60 }), (values) => {
        const expected = values.map((x) => values.filter((y) => y < x).length + (values.filter((y) => y === x).length + 1) / 2);
        expect(averageRanks(of(...values))).toEqual(of(...expected));
      }),
    );
  });
});

describe('spearman', () => {
  it.each(GOLDEN.spearman.map((golden, number) => ({ number, ...golden })))('is what SciPy gives, case $number', ({ a, b, rho }) => {
    expect(Math.abs(spearman(of(...a), of(...b)) - rho)).toBeLessThan(1e-14);
  });

  it('does not change under rising maps of either side, and turns its sign under a falling one', () => {
    fc.assert(
      fc.property(pairs, (values) => {
        const [a, b] = sides(values);
        const rho = spearman(a, b);
        const cubes = b.map((value) => value ** 3 + 7);
        expect([spearman(a.map(Math.exp), b), spearman(a, cubes)]).toEqual([rho, rho]);
        const falling = a.map((value) => -value);
        if (!Number.isNaN(rho)) expect(spearman(falling, b)).toBeCloseTo(-rho, 12);
      }),
    );
  });

  it('does not depend on which side is which or on the order of pairs, and is 1 with itself', () => {
    fc.assert(
      fc.property(pairs, (values) => {
        const [a, b] = sides(values);
        const rho = spearman(a, b);
        expect(spearman(b, a)).toBe(rho);
        if (!Number.isNaN(rho)) expect(spearman(a.toReversed(), b.toReversed())).toBeCloseTo(rho, 12);
        if (new Set(a).size > 1) expect(spearman(a, a)).toBeCloseTo(1, 14);
      }),
    );
  });

  it('is not a number where there is nothing to rank', () => {
    expect(spearman(of(1, 1, 1), of(1, 2, 3))).toBeNaN();
    expect(spearman(of(1), of(1))).toBeNaN();
    expect(spearman(of(), of())).toBeNaN();
    expect(spearman(of(1, Number.NaN, 3), of(1, 2, 3))).toBeNaN();
  });

  it('refuses sides of different length', () => {
    expect(() => spearman(of(1, 2), of(1, 2, 3))).toThrow(RangeError);
  });
});
