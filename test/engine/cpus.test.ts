// How many threads a process may use, over pretended control groups.
import { describe, expect, it } from 'vitest';
import { usableCpus } from '#src/engine/cpus.js';

/** usableCpus on a machine of 16 CPUs with these files only. */
const cpusWith = (files: Record<string, string>, affinity = 16): number => usableCpus(affinity, (path) => files[path]);
const V2 = '/sys/fs/cgroup';
const V1 = '/sys/fs/cgroup/cpu';

describe('usableCpus', () => {
  it('is the affinity where no control group says anything', () => {
    expect(cpusWith({})).toBe(16);
    expect(cpusWith({ '/proc/self/cgroup': 'nonsense\n\n1:2\n' })).toBe(16);
    expect(cpusWith({ '/proc/self/cgroup': '0::/\n', [`${V2}/cpu.max`]: 'nonsense' })).toBe(16);
  });

  it.each([
    ['max 100000', 16],
    ['max', 16],
    ['400000 100000', 4],
    ['150000 100000', 2],
    ['50000 100000', 1],
    ['1000 100000', 1],
    ['9900000 100000', 16],
    ['0 100000', 16],
  ])('reads cpu.max "%s" as %i', (text, cpus) => {
    expect(cpusWith({ '/proc/self/cgroup': '0::/\n', [`${V2}/cpu.max`]: `${text}\n` })).toBe(cpus);
  });

  it('takes the tightest quota of a group and all above it', () => {
    const files = { '/proc/self/cgroup': '0::/pods/one/box\n', [`${V2}/pods/one/box/cpu.max`]: 'max 100000' };
    expect(cpusWith({ ...files, [`${V2}/pods/cpu.max`]: '300000 100000' })).toBe(3);
    expect(cpusWith({ ...files, [`${V2}/pods/cpu.max`]: '300000 100000', [`${V2}/pods/one/cpu.max`]: '200000 100000' })).toBe(2);
    expect(cpusWith({ ...files, [`${V2}/cpu.max`]: '500000 100000' })).toBe(5);
  });

  it('reads a group whose name holds colons', () => {
    const group = '/system.slice:containerd:4f2a';
    expect(cpusWith({ '/proc/self/cgroup': `0::${group}\n`, [`${V2}${group}/cpu.max`]: '200000 100000' })).toBe(2);
  });

  it('reads version 1, whatever other controllers share the line, and a quota of -1 as none', () => {
    const cgroup = { '/proc/self/cgroup': '5:memory:/docker/a\n4:cpu,cpuacct:/docker/a\n3:cpuset:/docker/a\n' };
    const quota = (group: string, value: string) => ({
      [`${V1}${group}/cpu.cfs_quota_us`]: `${value}\n`,
      [`${V1}${group}/cpu.cfs_period_us`]: '100000\n',
    });
    expect(cpusWith({ ...cgroup, ...quota('/docker/a', '250000') })).toBe(3);
    expect(cpusWith({ ...cgroup, ...quota('/docker/a', '-1') })).toBe(16);
    expect(cpusWith({ ...cgroup, ...quota('', '200000') })).toBe(2);
    expect(cpusWith({ ...cgroup, ...quota('', '200000') }, 1)).toBe(1);
  });

  it('is at least one here, and a whole number', () => {
    expect(usableCpus()).toBeGreaterThanOrEqual(1);
    expect(Number.isInteger(usableCpus())).toBe(true);
  });
});
