// What a load is made of: arrivals, texts, the search for the knee.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { kneeOf, nextRate, type Tried } from '#src/load/knee.js';
import { lengthsOf, MIXES, type MixName, textsOf } from '#src/load/mixes.js';
import { settle } from '#src/load/options.js';
import { arrivals } from '#src/load/schedule.js';
import { createTokenizer } from '#src/tokens/tokenizer.js';
import { fc } from '../properties.js';

const NAMES = Object.keys(MIXES) as MixName[];

describe('arrivals', () => {
  it('ascend, end in time, and are the same for the same seed', () => {
    const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
    fc.assert(
      fc.property(number(0.1, 2000), number(0.1, 5), fc.nat(), (rate, seconds, seed) => {
        const times = arrivals(rate, seconds, seed);
        const ascends = times.every((time, at) => time >= 0 && time < seconds * 1000 && (at === 0 || time >= (times[at - 1] as number)));
        expect(ascends).toBe(true);
        expect(arrivals(rate, seconds, seed)).toEqual(times);
      }),
      { numRuns: 30 },
    );
    expect(arrivals(100, 5, 1)).not.toEqual(arrivals(100, 5, 2));
  });

  it('come at the rate, in a Poisson process: counts in windows vary as much as their mean', () => {
    const counts = new Float64Array(2000);
    for (const time of arrivals(50, 200, 7)) counts[Math.floor(time / 100)] = (counts[Math.floor(time / 100)] as number) + 1;
    const mean = counts.reduce((sum, value) => sum + value, 0) / counts.length;
    const variance = counts.reduce((sum, value) => sum + (value - mean) ** 2, 0) / counts.length;
    // 10,000 arrivals: four standard deviations of the mean are 4%, of the variance about 13%.
    expect(mean).toBeGreaterThan(4.8);
    expect(mean).toBeLessThan(5.2);
    expect(variance / mean).toBeGreaterThan(0.87);
    expect(variance / mean).toBeLessThan(1.13);
  });
});

describe('a mix', () => {
  it.each(NAMES)('%s has 50 tokens on average', (mix) => {
    const shares = Object.entries<number>(MIXES[mix]).map(([tokens, share]) => [Number(tokens), share] as const);
    const whole = shares.reduce((sum, [, share]) => sum + share, 0);
    expect(shares.reduce((sum, [tokens, share]) => sum + tokens * share, 0)).toBe(50 * whole);
    // A round of the mix holds exactly its shares.
    const round = shares.flatMap(([tokens, share]) => Array<number>(share).fill(tokens));
    expect(lengthsOf(mix, whole).sort((a, b) => a - b)).toEqual(round);
    const lengths = lengthsOf(mix, 256);
    expect(Math.abs(lengths.reduce((sum, tokens) => sum + tokens, 0) / 256 - 50)).toBeLessThan(1.5);
  });

  it.each(NAMES)('%s is of that many tokens to the tokenizer of the shipped model, each text another', (mix) => {
    const json = JSON.parse(readFileSync(new URL('../../models/bge-small-en-v1.5/tokenizer.json', import.meta.url), 'utf8'));
    const tokenizer = createTokenizer(json);
    const texts = textsOf(mix, 100, 3);
    const counted = texts.map((text) => tokenizer.encode(text, 1000).ids.length);
    expect(counted.sort((a, b) => a - b)).toEqual(lengthsOf(mix, 100).sort((a, b) => a - b));
    expect(new Set(texts).size).toBe(100);
    expect(textsOf(mix, 100, 3)).toEqual(texts);
    expect(textsOf(mix, 100, 4)).not.toEqual(texts);
  });
});

describe('the search for the knee', () => {
  const seek = (capacity: number, rates?: readonly number[]): Tried[] => {
    const tried: Tried[] = [];
    for (let rate = nextRate(rates, tried, 8192); rate !== undefined; rate = nextRate(rates, tried, 8192)) {
      tried.push({ rate, kept_up: rate <= capacity });
      expect(tried.length).toBeLessThan(30);
    }
    return tried;
  };

  it('ends within 8% of what a server can do, from below', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.5, max: 8000, noNaN: true }), (capacity) => {
        const knee = kneeOf(seek(capacity)) as number;
        expect(knee).toBeLessThanOrEqual(capacity);
        expect(knee).toBeGreaterThan(capacity / 1.08 - 1e-9);
      }),
    );
  });

  it('takes the given rates, lowest first, until one is too much', () => {
    expect(seek(25, [40, 10, 20, 80]).map(({ rate }) => rate)).toEqual([10, 20, 40]);
    expect([kneeOf(seek(25, [40, 10, 20, 80])), kneeOf(seek(5, [10, 20])), kneeOf(seek(99, [10, 20]))]).toEqual([20, undefined, 20]);
  });

  it('ends where nothing is kept up with, and where everything is', () => {
    expect(kneeOf(seek(0.001))).toBeUndefined();
    expect(kneeOf(seek(1e9))).toBe(8192);
  });

  it('trusts no rate above one that was too much', () => {
    const tried = [true, false, true].map((kept_up, at) => ({ rate: 10 * (at + 1), kept_up }));
    expect(kneeOf(tried)).toBe(10);
  });
});

describe('settings', () => {
  it('have defaults', () => {
    expect(settle({ url: 'http://h' })).toEqual({
      rates: undefined,
      model: undefined,
      maxP99Ms: null,
      seconds: 10,
      warmUpSeconds: 2,
      mix: 'fixed',
      textsPerRequest: 1,
      timeoutMs: 10_000,
      beyond: [],
      seed: 1,
    });
  });

  it.each<[object, RegExp]>([
    [{ url: 'localhost:1' }, /"localhost:1" is no address; write it like/],
    [{ rates: [] }, /--rates is empty; /],
    [{ rates: [0] }, /--rates 0; choose a number from 0\.01/],
    [{ rates: [1e9] }, /--rates 1000000000/],
    [{ seconds: 0 }, /--seconds 0/],
    [{ mix: 'x' }, /--mix x; choose one of fixed, even, tail/],
    [{ beyond: [0] }, /--beyond 0/],
    [{ timeoutMs: Number.NaN }, /--timeout-ms NaN/],
  ])('%j are refused', (options, sentence) => {
    expect(() => settle({ url: 'http://h', ...options } as never)).toThrow(
      expect.objectContaining({ code: 'usage', sentence: expect.stringMatching(sentence) }),
    );
  });
});
