// What a report says of the machine and the versions that it was made with.
import { cpus } from 'node:os';
import { cpuFlags } from './engine/cpus.js';
import { dependencyVersion } from './version.js';

export interface MachineFacts {
  readonly cpu: string;
  /** Those that decide the speed of INT8. */
  readonly flags: readonly string[];
  readonly node: string;
  readonly runtime: string;
}

export function machineFacts(): MachineFacts {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    flags: cpuFlags(),
    node: process.versions.node,
    runtime: `onnxruntime-node ${dependencyVersion('onnxruntime-node')}`,
  };
}
