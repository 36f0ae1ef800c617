// nDCG against pytrec_eval with its ties, and its bounds.

import { describe, expect, it } from 'vitest';
import { compareIds, ndcg, ndcgOfGains, rankedIds } from '#src/evaluate/ndcg.js';
import { fc } from '../properties.js';
import { GOLDEN } from './golden.js';

const mapOf = (entries: Record<string, number>): Map<string, number> => new Map(Object.entries(entries));
const relevances = fc.array(fc.integer({ min: -1, max: 4 }), { minLength: 1, maxLength: 30 });
const cutoff = fc.integer({ min: 1, max: 12 });

describe('ndcg', () => {
  it.each(GOLDEN.ndcg.map((golden, number) => ({ number, ...golden })))('is what pytrec_eval gives, case $number', (golden) => {
    for (const [k, expected] of Object.entries(golden.ndcg)) {
      expect(Math.abs(ndcg(mapOf(golden.scores), mapOf(golden.relevance), Number(k)) - expected), `k = ${k}`).toBeLessThan(1e-14);
    }
  });

  it('lies between 0 and 1', () => {
    fc.assert(
      fc.property(relevances, fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 30, maxLength: 30 }), cutoff, (judged, scores, k) => {
        const run = new Map(scores.map((score, number) => [`d${number}`, score]));
        const value = ndcg(run, new Map(judged.map((relevance, number) => [`d${number * 2}`, relevance])), k);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('is 1 in the ideal order wherever something is relevant, and less when a better document stands last', () => {
    fc.assert(
      fc.property(relevances, cutoff, (judged, k) => {
        const relevance = new Map(judged.map((value, number) => [`d${number}`, value]));
        expect(ndcg(relevance, relevance, k)).toBe(Math.max(...judged) > 0 ? 1 : 0);
        const worst = new Map(judged.map((value, number) => [`d${number}`, -value]));
        const differ = new Set(judged.map((value) => Math.max(0, value))).size > 1;
        if (differ && k >= judged.length) expect(ndcg(worst, relevance, k)).toBeLessThan(1);
      }),
    );
  });
});

describe('ndcgOfGains', () => {
  it('discounts rank r by log2(r + 1) and compares with all judged documents', () => {
    expect(ndcgOfGains([0, 3, 1], [1, 3, 2], 3)).toBeCloseTo((3 / Math.log2(3) + 1 / 2) / (3 + 2 / Math.log2(3) + 1 / 2), 14);
    expect(ndcgOfGains([1, 1, 1], [1, 1, 1], 2)).toBe(1);
    expect(ndcgOfGains([], [1], 10)).toBe(0);
  });
});

describe('order of ids', () => {
  it('is that of their UTF-8 bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(Math.sign(compareIds(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
    expect(compareIds('\uff5e', '\u{1f600}')).toBeLessThan(0);
  });

  it('puts the greatest first among equal scores', () => {
    expect(rankedIds(mapOf({ '10': 1, '9': 1, a: 2, b: 0, '\uff5e': 1, '\u{1f600}': 1 }))).toEqual([
      'a',
      '\u{1f600}',
      '\uff5e',
      '9',
      '10',
      'b',
    ]);
  });
});
