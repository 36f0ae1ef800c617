// What a measurement needs to say about the machine: facts that stay, and how busy it was before and after.
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { type ReadText, usableCpus } from '../engine/cpus.js';
import { machineFacts as reportedFacts } from '../machine.js';
import { dependencyVersion, VERSION } from '../version.js';

export interface Machine {
  readonly cpu: string;
  /** Instruction sets that decide the speed of products. */
  readonly flags: readonly string[];
  /** CPUs of the machine, and those that this process may use. */
  readonly cpus: number;
  readonly usable_cpus: number;
  readonly memory_bytes: number;
  readonly kernel: string;
  /** How the processor picks its frequency; `unknown` where the kernel does not say, as in most virtual machines. */
  readonly governor: string;
  readonly node: string;
  readonly runtime: string;
  readonly embedkit: string;
}

/** How busy the machine is at a moment; two of these tell what went on between. Times in seconds of one CPU. */
export interface Load {
  readonly date: string;
  readonly load_average: number;
  /** Time in which some process ran. */
  readonly busy_seconds: number;
  /** Time that the host gave to other machines; 0 where the kernel does not tell. */
  readonly stolen_seconds: number;
}

const GOVERNOR = '/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor';
/** What the kernel counts in: USER_HZ, fixed at 100 for what user space sees. Source: Linux, man 5 proc, /proc/stat. */
const TICKS_A_SECOND = 100;

export function machineFacts(read: ReadText = readIfThere): Machine {
  const { cpu, flags, node } = reportedFacts();
  return {
    cpu,
    flags,
    cpus: os.cpus().length,
    usable_cpus: usableCpus(),
    memory_bytes: os.totalmem(),
    kernel: `${os.type()} ${os.release()}`,
    governor: read(GOVERNOR)?.trim() ?? 'unknown',
    node,
    runtime: dependencyVersion('onnxruntime-node'),
    embedkit: VERSION,
  };
}

export function loadNow(read: ReadText = readIfThere): Load {
  return { date: new Date().toISOString(), load_average: os.loadavg()[0] ?? 0, ...cpuTimes(read('/proc/stat') ?? '') };
}

/** The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal. */
export function cpuTimes(stat: string): Pick<Load, 'busy_seconds' | 'stolen_seconds'> {
  const ticks = (/^cpu +(.*)$/m.exec(stat)?.[1] ?? '').split(/\s+/).map(Number);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = ticks;
  return { busy_seconds: (user + nice + system + irq + softirq) / TICKS_A_SECOND, stolen_seconds: steal / TICKS_A_SECOND };
}

/** The most memory that this process has held, in bytes: of the program itself, not of the parent that it was forked from. */
export function peakBytes(read: ReadText = readIfThere): number {
  const kibibytes = /^VmHWM:\s*(\d+) kB$/m.exec(read('/proc/self/status') ?? '')?.[1];
  return (kibibytes === undefined ? process.resourceUsage().maxRSS : Number(kibibytes)) * 1024;
}

/** CPU time of this process so far, in seconds. */
export function ownSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
