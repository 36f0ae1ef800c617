// The tiny models of every family that golden/families.py made, and what Python computed with them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const FAMILIES_FOLDER = fileURLToPath(new URL('../golden/families/', import.meta.url));
export const FAMILIES = readdirSync(FAMILIES_FOLDER).sort();

export interface GoldenState {
  readonly ids: readonly number[];
  /** Tokens whose last hidden states are kept. */
  readonly tokens: readonly number[];
  /** Where they lie in golden.f32, in values. */
  readonly offset: number;
}

export interface Golden {
  readonly states: readonly GoldenState[];
  readonly texts: readonly { readonly text: string; readonly ids: readonly number[]; readonly vector: readonly number[] }[];
  readonly values: Float32Array;
}

export function familyFolder(name: string): string {
  return join(FAMILIES_FOLDER, name);
}

export function goldenOf(name: string): Golden {
  const values = new Float32Array(new Uint8Array(readFileSync(join(familyFolder(name), 'golden.f32'))).buffer);
  return { ...JSON.parse(readFileSync(join(familyFolder(name), 'golden.json'), 'utf8')), values };
}

/** Largest difference between some tokens' states of an output, width x hidden, and the golden ones. */
export function stateDifference(state: GoldenState, golden: Float32Array, output: Float32Array): number {
  const hidden = output.length / state.ids.length;
  return largest(state.tokens, (token, at) => {
    const found = output.subarray(token * hidden, (token + 1) * hidden);
    const start = state.offset + at * hidden;
    return largest([...found], (value, channel) => Math.abs(value - (golden[start + channel] as number)));
  });
}

/** The largest of some numbers; one that is not a number counts as the largest. */
export function largest<T>(items: readonly T[], of: (item: T, at: number) => number): number {
  return items.reduce((most, item, at) => {
    const one = of(item, at);
    return Number.isNaN(one) ? Number.POSITIVE_INFINITY : Math.max(most, one);
  }, 0);
}
