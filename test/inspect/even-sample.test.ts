import { describe, expect, it } from 'vitest';
import { isSampled } from '#src/inspect/even-sample.js';
import { fc } from '../properties.js';

const sampled = (rows: number, size: number): number[] =>
  Array.from({ length: rows }, (_, row) => row).filter((row) => isSampled(row, rows, size));

describe('an even sample', () => {
  it('has as many rows as asked, at even distances', () => {
    expect(sampled(10, 3)).toEqual([3, 6, 9]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 2500 }), (rows, size) => {
        const taken = sampled(rows, size);
        expect(taken.length).toBe(Math.min(rows, size));
        const distances = taken.slice(1).map((row, index) => row - (taken[index] as number));
        if (distances.length > 0) expect(Math.max(...distances) - Math.min(...distances)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('of 0 takes every row', () => {
    expect(sampled(5, 0)).toEqual([0, 1, 2, 3, 4]);
  });
});
