// How many threads this process may use: the CPU affinity and every control group above it have a say.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';

/** Reads a file of /proc or /sys; undefined where there is none. */
export type ReadText = (path: string) => string | undefined;

/** The least of CPU affinity and the cgroup CPU quotas (v2 cpu.max, v1 cfs_quota), rounded up, at least 1. */
export function usableCpus(affinity: number = availableParallelism(), read: ReadText = readIfThere): number {
  return Math.max(1, Math.min(affinity, Math.ceil(cgroupQuota(read))));
}

function cgroupQuota(read: ReadText): number {
  // hierarchy:controllers:path, and a path may hold colons itself (containerd's do).
  const groups = (read('/proc/self/cgroup') ?? '').split('\n').map((line) => /^(\d+):([^:]*):(.*)$/.exec(line) ?? []);
  const quotas = groups.flatMap(([, hierarchy, controllers, path]) => {
    if (path === undefined) return [];
    if (hierarchy === '0') return upwards(path).map((group) => quotaV2(read(join('/sys/fs/cgroup', group, 'cpu.max'))));
    if (!controllers?.split(',').includes('cpu')) return [];
    return upwards(path).map((group) => quotaV1(group, read));
  });
  return Math.min(Number.POSITIVE_INFINITY, ...quotas);
}

/** A group and all above it; a container may see its own group as the root. */
function upwards(path: string): string[] {
  return path === '/' || path === '.' ? ['/'] : [path, ...upwards(dirname(path))];
}

/** "200000 100000" is two CPUs, "max 100000" no limit. Source: kernel Documentation/admin-guide/cgroup-v2.rst, cpu.max. */
function quotaV2(text: string | undefined): number {
  const [quota, period] = (text ?? 'max').trim().split(/\s+/).map(Number);
  return ratio(quota, period);
}

/** Source: kernel Documentation/scheduler/sched-bwc.rst; a quota of -1 is no limit. */
function quotaV1(group: string, read: ReadText): number {
  const value = (name: string): number => Number(read(join('/sys/fs/cgroup/cpu', group, name)) ?? Number.NaN);
  return ratio(value('cpu.cfs_quota_us'), value('cpu.cfs_period_us'));
}

function ratio(quota: number | undefined, period: number | undefined): number {
  const cpus = Number(quota) / Number(period);
  return cpus > 0 ? cpus : Number.POSITIVE_INFINITY;
}

/** Instruction sets of the processor that decide how fast and how exact integer products are, as the kernel names them. */
export function cpuFlags(read: ReadText = readIfThere): string[] {
  const line = /^(?:flags|Features)\s*:(.*)$/m.exec(read('/proc/cpuinfo') ?? '')?.[1] ?? '';
  return line.split(/\s+/).filter((flag) => /^(avx|fma|f16c|amx|sse4|asimd|i8mm|sve|bf16)/.test(flag));
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
