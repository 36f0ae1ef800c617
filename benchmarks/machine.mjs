// What a measurement needs to say about the machine that it ran on, and the arithmetic of repeated runs.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import os from 'node:os';

/** CPU, memory, kernel and Node: the facts that do not change during a run. */
export function machine() {
  const cpuinfo = readFileSync('/proc/cpuinfo', 'utf8');
  const field = (name) => new RegExp(`^${name}\\s*:\\s*(.*)$`, 'm').exec(cpuinfo)?.[1] ?? 'unknown';
  return {
    cpu: field('model name'),
    flags: field('flags'),
    cores: os.availableParallelism(),
    memory_gb: +(os.totalmem() / 2 ** 30).toFixed(1),
    kernel: os.release(),
    node: process.versions.node,
  };
}

/** How busy the machine is now; two of these tell the steal time between them. */
export function load() {
  const ticks = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0].trim().split(/\s+/).slice(1, 9).map(Number);
  return { date: new Date().toISOString(), load_average: os.loadavg(), steal_ticks: ticks[7], cpu_ticks: ticks.reduce((a, b) => a + b, 0) };
}

export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

export function sha256(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
