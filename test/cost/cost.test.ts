// Costs on worked cases, and the rules that must hold for all.

import { describe, expect, it } from 'vitest';
import { type CostReport, costOf, type MachineCost, perMonthAt } from '#src/cost/cost.js';
import type { CostInputs } from '#src/cost/inputs.js';
import { verdictOf } from '#src/cost/words.js';
import { fc } from '../properties.js';
import { WORKED } from './worked.js';

const only = (report: CostReport): MachineCost => report.machines[0] as MachineCost;
const costWith = (changes: Partial<CostInputs>): CostReport => costOf({ ...WORKED, ...changes });

describe('worked cases', () => {
  it.each([
    [12e6, 50, 0.02, 12, 'api'],
    [12e6, 500, 0.02, 120, 'machine'],
    [50e6, 1000, 0.02, 1000, 'machine'],
    [50e6, 1000, 0.13, 6500, 'machine'],
  ] as const)(
    '%d texts of %d tokens at $%d a million cost $%d by API',
    (textsPerMonth, tokensPerText, apiPricePerMillion, dollars, cheaper) => {
      const report = costWith({ textsPerMonth, tokensPerText, apiPricePerMillion });
      expect(report.api.perMonth).toBeCloseTo(dollars, 9);
      expect(only(report)).toMatchObject({ machines: 1, hours: 730, cheaper });
      expect(only(report).perMonth).toBeCloseTo(115, 9);
    },
  );

  it('crosses at 5.75M texts of 1,000 tokens', () => {
    const report = costWith({ tokensPerText: 1000 });
    expect(only(report).breakEven?.textsPerMonth).toBeCloseTo(5.75e6, 3);
    expect(only(report).breakEven?.forGood).toBeCloseTo(5.75e6, 3);
  });

  it('says in one sentence that the API is the cheaper choice, and from where on it is not', () => {
    const report = costWith({});
    expect(verdictOf(only(report), report)).toBe(
      'The API is the cheaper choice: $12.00 a month by API, $115.00 on one machine (int8). Own machines pay from 115,000,000 texts a month of 50 tokens.',
    );
  });
});

describe('machines', () => {
  it('are as many as the peak needs', () => {
    // 3,000 texts/s of 50 tokens are 150,000 tokens/s: six machines of 25,000; 50 more tokens/s take a seventh.
    expect(only(costWith({ peakRate: 3000 }))).toMatchObject({ machines: 6, machinesForPeak: 6, machinesForVolume: 1, hours: 6 * 730 });
    expect(only(costWith({ peakRate: 3001 })).machines).toBe(7);
    expect(only(costWith({ peakRate: 3000, utilization: 0.5 })).machines).toBe(12);
  });

  it('are as many as the nights need', () => {
    // A month has 730/24 nights of 6 h: 182.5 h, in which a machine does 25,000 x 3,600 x 182.5 tokens.
    const textsPerMachine = (25_000 * 3600 * 182.5) / 50;
    const at = (textsPerMonth: number): number => only(costWith({ windowHours: 6, textsPerMonth })).machines;
    expect([at(textsPerMachine * 0.999), at(textsPerMachine * 1.001), at(textsPerMachine * 1.999)]).toEqual([1, 2, 2]);
  });

  it('are paid for while they work, where they are not kept up', () => {
    const cost = only(costWith({ instance: 'job', windowHours: 6 }));
    expect(cost.hours).toBeCloseTo((12e6 * 50) / 25_000 / 3600, 9);
    expect(cost.perMonth).toBeCloseTo((cost.hours * 115) / 730, 9);
    expect(cost).toMatchObject({ breakEven: null, stairs: null, cheaper: 'machine' });
    expect(cost.perMillionTokens).toBeCloseTo(cost.perMillionAtFullUse, 12);
  });

  it('never pay where a full one is dearer than the API', () => {
    const report = costWith({ machines: [{ name: 'slow', tokensPerSecond: 100 }] });
    expect(only(report)).toMatchObject({ breakEven: null, cheaper: 'api' });
    expect(verdictOf(only(report), report)).toMatch(/^The API is the cheaper choice: .* No volume changes that: /);
  });

  it('each have their own column', () => {
    const machines = [...WORKED.machines, { name: 'fp32', tokensPerSecond: 12_500 }];
    const [int8, fp32] = costWith({ machines, instance: 'job' }).machines as [MachineCost, MachineCost];
    expect(fp32.perMonth / int8.perMonth).toBeCloseTo(2, 9);
  });
});

describe('all costs', () => {
  const positive = (min: number, max: number) => fc.double({ min, max, noNaN: true });
  const inputs = fc.record({
    textsPerMonth: positive(1, 1e9),
    tokensPerText: positive(1, 1000),
    apiPricePerMillion: positive(0.001, 1),
    tokensPerSecond: positive(100, 1e5),
    windowHours: fc.option(positive(0.5, 24), { nil: undefined }),
    peakRate: fc.option(positive(0.1, 1e4), { nil: undefined }),
  });

  it('lie on the curve that is drawn, cover the volume, and are cheaper exactly where they say', () => {
    fc.assert(
      fc.property(inputs, ({ tokensPerSecond, ...rest }) => {
        const report = costWith({ ...rest, machines: [{ name: 'm', tokensPerSecond }] });
        const cost = only(report);
        expect(Math.abs(perMonthAt(cost, report.inputs, rest.textsPerMonth) / cost.perMonth - 1)).toBeLessThan(1e-9);
        expect(cost.busy).toBeLessThanOrEqual(1 + 1e-9);
        const asked = { api: report.api.perMonth < cost.perMonth, machine: report.api.perMonth > cost.perMonth, same: true };
        expect(asked[cost.cheaper]).toBe(true);
      }),
    );
  });
});

describe('inputs that make no sense', () => {
  it.each<[Partial<CostInputs>, RegExp]>([
    [{ textsPerMonth: 0 }, /--texts-per-month 0; give a number above 0/],
    [{ tokensPerText: Number.NaN }, /--tokens-per-text NaN/],
    [{ pricePerHour: -1 }, /--price-per-hour -1/],
    [{ apiPricePerMillion: Number.POSITIVE_INFINITY }, /--api-price-per-million Infinity/],
    [{ utilization: 1.1 }, /--utilization 1\.1/],
    [{ windowHours: 25 }, /--window-hours 25; a day has 24 hours/],
    [{ peakRate: 3, instance: 'job' }, /--peak-rate with --instance job; .*--instance up/],
    [{ priceDate: '2026-02-30' }, /--price-date 2026-02-30; give the day/],
    [{ priceDate: 'today' }, /--price-date today/],
    [{ machines: [{ name: 'x', tokensPerSecond: 0 }] }, /tokens\/s of x 0/],
  ])('%j are refused', (changes, sentence) => {
    expect(() => costWith(changes)).toThrow(expect.objectContaining({ code: 'usage', sentence: expect.stringMatching(sentence) }));
  });
});
