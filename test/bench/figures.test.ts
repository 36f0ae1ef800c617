// Figures of made-up turns: what each must be, worked out by hand.
import { describe, expect, it } from 'vitest';
import { baselineFigures, figuresOf, perSecond, roofShare } from '#src/bench/figures.js';
import { madeUp, OPERATIONS, roofTurn, timed, turn } from './made-up.js';

const rounds = [0, 1, 2, 3, 4, 5];
const roof = rounds.map((round) => roofTurn(round));
const figures = (pricePerHour?: number) =>
  figuresOf({ turns: rounds.map((round) => turn(round, 2 + round / 10, true)), operations: OPERATIONS, roof, pricePerHour });

describe('perSecond', () => {
  it('is all texts over all time, not the mean of the rates', () => {
    const calls = { milliseconds: [100, 300], texts: [10, 10], tokens: [500, 700] };
    expect(perSecond(calls, 'texts')).toBe(50);
    expect(perSecond(calls, 'tokens')).toBe(3000);
  });
});

describe('figuresOf', () => {
  it('keeps every figure within its interval, and the price of the fastest round lowest', () => {
    const all = figures(0.36);
    for (const one of Object.values(all)) {
      expect(one.low).toBeLessThanOrEqual(one.value);
      expect(one.value).toBeLessThanOrEqual(one.high);
    }
    const [speed, price] = [all.tokens_per_second, all.price_per_million_tokens];
    // 0.36 an hour is 100 millionths a second.
    expect(price?.low).toBeCloseTo(100 / (speed?.high ?? 0), 12);
    expect(price?.high).toBeCloseTo(100 / (speed?.low ?? 0), 12);
    expect(figures().price_per_million_tokens).toBeUndefined();
  });

  it('takes the slower layouts of the corpus for what they are', () => {
    const all = figures();
    expect(all.corpus_slices_texts_per_second?.value).toBeLessThan(all.corpus_whole_texts_per_second?.value ?? 0);
    expect(all.corpus_padded_texts_per_second?.value).toBeLessThan(all.corpus_slices_texts_per_second?.value ?? 0);
  });

  it('has no figure of what was not measured', () => {
    expect(figuresOf({ turns: [], operations: OPERATIONS, roof: [], pricePerHour: 1 })).toEqual({});
    expect(madeUp().variants[0]?.figures.corpus_whole_texts_per_second).toBeUndefined();
  });
});

describe('roofShare', () => {
  const one = { ...turn(0, 2), many: timed(1, 100, () => 1000) };

  it('is the work at the rate of the same round over the time taken', () => {
    // 100 texts of 50 tokens a second: 100 x (1e6 + 50 x 4e7) operations, at 4e11 a second.
    expect(roofShare(one, OPERATIONS, roofTurn(0))).toBeCloseTo((100 * 2.001e9) / 4e11, 12);
    expect(roofShare(one, OPERATIONS, roofTurn(0, 2))).toBeCloseTo((100 * 2.001e9) / 8e11, 12);
  });

  it('weighs each kind of product by its own roof', () => {
    const mixed = { int8: [0, 4e7, 0], fp32: [0, 1e7, 0], attention: [0, 0, 0] } as const;
    expect(roofShare(one, mixed, roofTurn(0))).toBeCloseTo(100 * (2e9 / 4e11 + 5e8 / 1.5e11), 12);
  });
});

describe('baselineFigures', () => {
  it('tells tokens a second only where the server counts them', () => {
    const turns = [{ round: 0, one: timed(3, 1, () => 50), batch: timed(2, 32, () => 400) }];
    expect(baselineFigures(turns).tokens_per_second?.value).toBe(4000);
    expect(baselineFigures(turns).batch_texts_per_second?.value).toBe(80);
    const silent = turns.map((silently) => ({ ...silently, batch: { ...silently.batch, tokens: [0, 0] } }));
    expect(baselineFigures(silent).tokens_per_second).toBeUndefined();
  });
});
