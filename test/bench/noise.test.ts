// What counts as noise, one disturbance at a time, and what the kernel's counters say.
import { describe, expect, it } from 'vitest';
import { cpuTimes, peakBytes } from '#src/bench/machine.js';
import { type Disturbance, findNoise } from '#src/bench/noise.js';
import { summarise } from '#src/bench/statistics.js';
import { madeUp } from './made-up.js';

const { machine } = madeUp();
const before = { date: '2026-01-01T00:00:00.000Z', load_average: 0.2, busy_seconds: 1000, stolen_seconds: 5 };
// 100 seconds of two CPUs, 150 of them the benchmark's own.
const quiet: Disturbance = {
  machine,
  before,
  after: { ...before, date: '2026-01-01T00:01:40.000Z', busy_seconds: 1152 },
  own_seconds: 150,
  roofs: [400, 401, 402],
  figures: { 'the speed of INT8': summarise([10, 10.1, 10.2, 10.1, 10, 10.2]) },
};

describe('findNoise', () => {
  it('finds nothing in a quiet run', () => {
    expect(findNoise(quiet)).toEqual([]);
  });

  it.each<[string, Partial<Disturbance>, RegExp]>([
    ['others before it', { before: { ...before, load_average: 1.5 } }, /busy before it began \(load average 1\.5\)/],
    ['others meanwhile', { own_seconds: 120 }, /other processes used 16% of its CPUs/],
    ['time stolen', { after: { ...quiet.after, stolen_seconds: 9 } }, /the host gave 2\.0% of its time to others/],
    ['a roof that swings', { roofs: [400, 300, 410] }, /the roof itself swung by 28% between rounds/],
    ['a wide figure', { figures: { 'the speed of x': summarise([10, 12, 11, 9, 13, 10]) } }, /the speed of x is known to ±19% only/],
    ['one round', { figures: { 'the speed of x': summarise([10]) } }, /1 round is too few for an interval/],
    ['few rounds', { figures: { 'the speed of x': summarise([10, 10, 10]) } }, /3 rounds are too few for an interval/],
  ])('names %s, and only that', (_, change, phrase) => {
    const found = findNoise({ ...quiet, ...change });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(phrase);
  });
});

describe('the counters of the kernel', () => {
  it('reads /proc/stat: user, nice, system, irq and softirq are busy, idle and iowait are not', () => {
    expect(cpuTimes('cpu  100 20 30 4000 500 6 7 80 9 10\ncpu0 1 2 3\n')).toEqual({ busy_seconds: 1.63, stolen_seconds: 0.8 });
    expect(cpuTimes('')).toEqual({ busy_seconds: 0, stolen_seconds: 0 });
  });

  it('reads the peak of memory from /proc, and elsewhere from the process', () => {
    expect(peakBytes(() => 'VmPeak:\t 999 kB\nVmHWM:\t    2048 kB\n')).toBe(2 ** 21);
    expect(peakBytes(() => undefined)).toBeGreaterThan(2 ** 24);
  });
});
