// The arithmetic of repeated measurements: bounds, symmetries, and how often the intervals hold what they claim to.

import { describe, expect, it } from 'vitest';
import { CONFIDENCE, median, percentile, ratioOf, relativeWidth, summarise } from '#src/bench/statistics.js';
import { fc } from '../properties.js';

const positive = fc.double({ min: 1e-3, max: 1e6, noNaN: true });
const sample = fc.array(positive, { minLength: 1, maxLength: 60 });

/** Reproducible numbers from 0 to below 1: mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

describe('summarise', () => {
  it('gives the median between two of the values, whatever their order', () => {
    fc.assert(
      fc.property(sample, (values) => {
        const { value, low, high, samples } = summarise(values);
        expect(value).toBe(median([...values].reverse()));
        expect(low).toBeLessThanOrEqual(value);
        expect(high).toBeGreaterThanOrEqual(value);
        expect(values).toContain(low);
        expect(values).toContain(high);
        expect(samples).toBe(values.length);
      }),
    );
  });

  it('scales with the values', () => {
    fc.assert(
      fc.property(sample, (values) => {
        const doubled = summarise(values.map((value) => 2 * value));
        const { value, low, high } = summarise(values);
        expect([doubled.low, doubled.value, doubled.high]).toEqual([2 * low, 2 * value, 2 * high]);
      }),
    );
  });

  // Tables of distribution-free intervals: n = 5 gives .9375 at its ends, 6 .96875, 8 .9922 at its ends, 9 .9609 one in, 20 .9586 at the 6th.
  it.each([
    [1, 1, 0],
    [2, 1, 0.5],
    [5, 1, 0.9375],
    [6, 1, 0.96875],
    [8, 1, 0.9921875],
    [9, 2, 0.9609375],
    [20, 6, 0.958610534667969],
  ])('takes from %i values the %i-th from either end, at %d', (count, rank, confidence) => {
    const found = summarise(Array.from({ length: count }, (_, at) => at + 1));
    expect([found.low, found.high]).toEqual([rank, count + 1 - rank]);
    expect(found.confidence).toBeCloseTo(confidence, 12);
  });

  it.each([7, 25, 400])('holds the true median of a skewed distribution as often as it says, with %i values', (count) => {
    const random = randomFrom(count);
    const trials = 2000;
    const held = times(trials, () => summarise(times(count, () => -Math.log(1 - random())))).filter(
      ({ low, high }) => low <= Math.LN2 && Math.LN2 <= high,
    );
    expect(held.length / trials).toBeGreaterThan(CONFIDENCE - 0.015);
  });
});

describe('percentile', () => {
  it('is told only where some value lies beyond it', () => {
    expect(percentile(Array(99).fill(1), 0.99)).toBeUndefined();
    expect(percentile(Array(100).fill(1), 0.99)?.value).toBe(1);
    expect(percentile(Array(19).fill(1), 0.95)).toBeUndefined();
    expect(percentile(Array(20).fill(1), 0.95)?.value).toBe(1);
  });

  it('lies within its interval, and grows with the share', () => {
    fc.assert(
      fc.property(fc.array(positive, { minLength: 100, maxLength: 300 }), (values) => {
        const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => percentile(values, share));
        for (const one of [p50, p95, p99]) {
          expect(one?.low).toBeLessThanOrEqual(one?.value ?? Number.NaN);
          expect(one?.high).toBeGreaterThanOrEqual(one?.value ?? Number.NaN);
        }
        expect(p50?.value).toBeLessThanOrEqual(p95?.value ?? Number.NaN);
        expect(p95?.value).toBeLessThanOrEqual(p99?.value ?? Number.NaN);
      }),
    );
  });
});

describe('ratioOf', () => {
  it('is 1 of a sample to itself, and the inverse the other way round', () => {
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        expect(ratioOf(a, a).low).toBeLessThanOrEqual(1);
        expect(ratioOf(a, a).high).toBeGreaterThanOrEqual(1);
        const [there, back] = [ratioOf(a, b), ratioOf(b, a)];
        expect(there.low * back.high).toBeCloseTo(1, 9);
        expect(there.high * back.low).toBeCloseTo(1, 9);
        expect(there.confidence).toBeCloseTo(back.confidence, 12);
      }),
      { numRuns: 50 },
    );
  });

  it('finds a known factor exactly', () => {
    fc.assert(
      fc.property(positive, fc.double({ min: 0.01, max: 100, noNaN: true }), fc.integer({ min: 4, max: 12 }), (value, factor, count) => {
        const found = ratioOf(Array(count).fill(value * factor), Array(count).fill(value));
        expect(found.value / factor).toBeCloseTo(1, 9);
        expect(found.confidence).toBeGreaterThanOrEqual(CONFIDENCE);
      }),
    );
  });

  // Mann-Whitney: P(U = 0) is 1 over m + n choose m, so 3 and 3 reach .9, 4 and 4 .9714; for 5 and 5 P(U <= 2) = 4/252.
  it.each([
    [3, 3, 1, 0.9],
    [4, 4, 1, 1 - 2 / 70],
    [5, 5, 3, 1 - 8 / 252],
  ])('takes of %i and %i values the %i-th ratio from either end', (m, n, rank, confidence) => {
    const a = Array.from({ length: m }, (_, at) => 2 ** (at * 10));
    const b = Array.from({ length: n }, (_, at) => 2 ** at);
    const ratios = a.flatMap((one) => b.map((other) => one / other)).sort((x, y) => x - y);
    const found = ratioOf(a, b);
    expect([found.low, found.high]).toEqual([ratios[rank - 1], ratios[ratios.length - rank]]);
    expect(found.confidence).toBeCloseTo(confidence, 12);
  });

  it.each([6, 40])('holds the true ratio as often as it says, with %i values each', (count) => {
    const random = randomFrom(count + 1);
    const trials = 600;
    const draw = (scale: number): number[] => times(count, () => scale * Math.exp(0.1 * (random() + random() + random())));
    const held = times(trials, () => ratioOf(draw(1.3), draw(1))).filter(({ low, high }) => low <= 1.3 && 1.3 <= high);
    expect(held.length / trials).toBeGreaterThan(CONFIDENCE - 0.02);
  });
});

describe('relativeWidth', () => {
  it('is infinite where there are too few values for an interval', () => {
    expect(relativeWidth(summarise([1, 1, 1]))).toBe(Number.POSITIVE_INFINITY);
    expect(relativeWidth(summarise(Array(6).fill(3)))).toBe(0);
  });
});
