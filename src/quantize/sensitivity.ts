// Which sites lose most by INT8: those that full precision is given back to first. Pure.
import type { Choice } from './choose.js';

/** Names of sites, the one with the largest error as chosen first. */
export function bySensitivity(choices: ReadonlyMap<string, Choice>): string[] {
  return [...choices].sort(([, a], [, b]) => b.errorAfter - a.errorAfter).map(([name]) => name);
}
