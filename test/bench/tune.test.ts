// Tuning over processes that only pretend to measure: the best setting is found, its gain told truly, and none is made up.

import { describe, expect, it } from 'vitest';
import { threadCounts } from '#src/bench/curves.js';
import { flagsOf, settingsFor, type TuneSettings, tune } from '#src/bench/tune.js';
import { fc } from '../properties.js';
import { pretend, subject, TEXTS } from './pretended.js';

const settings = (milliseconds: string): TuneSettings => ({
  script: pretend(milliseconds).script,
  signal: undefined,
  subject: subject('a'),
  texts: TEXTS,
  threads: 2,
  defaultBatchTokens: 1024,
  seconds: 600,
  turnSeconds: 0.01,
  onStep: () => undefined,
});

describe('settingsFor', () => {
  it('spends just the threads given, every setting once, one worker a CPU first', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), (threads) => {
        const all = settingsFor(threads);
        for (const one of all) expect(one.threads * one.threadsPerWorker).toBe(threads);
        expect(new Set(all.map(flagsOf)).size).toBe(all.length);
        expect(all[0]).toMatchObject({ threads, threadsPerWorker: 1 });
        expect(all).toContainEqual({ threads, threadsPerWorker: 1, batchTokens: 1024 });
      }),
    );
  });
});

describe('tune', () => {
  it('finds the setting that is a quarter faster, and its gain from rounds of its own', async () => {
    const time = '(asked.threadsPerWorker === 2 && asked.batchTokens === 512 ? 80 : 100) * (1 + (count % 7) / 1000)';
    const { best, gain, isBetter, tried, default: usual } = await tune(settings(time));
    expect(flagsOf(best.setting)).toBe('--threads 1 --threads-per-worker 2 --batch-tokens 512');
    expect(isBetter).toBe(true);
    expect(gain.value).toBeCloseTo(1.25, 2);
    expect(tried).toHaveLength(10);
    expect([best.rates.length, usual.rates.length]).toEqual([8, 8]);
  });

  it('makes up no gain where all are alike but for chance: the lucky one of the heats does not keep its luck', async () => {
    const { gain, isBetter } = await tune(settings('100 * (1 + ((count * 7) % 13) / 100)'));
    expect(isBetter).toBe(false);
    expect(gain.low).toBeLessThanOrEqual(1);
  });
});

describe('threadCounts', () => {
  it.each([
    [1, [1]],
    [3, [1, 2, 3]],
    [8, [1, 2, 3, 4, 5, 6, 7, 8]],
    [12, [1, 2, 3, 4, 5, 6, 7, 8, 12]],
    [64, [1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 64]],
  ])('up to %i', (most, counts) => {
    expect(threadCounts(most)).toEqual(counts);
  });
});
