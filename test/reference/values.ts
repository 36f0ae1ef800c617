// Values to feed the reference tests with: reproducible, of both signs, and none of them special.
import { type ElementType, sizeOfDims, type Tensor, tensor } from './tensor.js';

/** A generator of numbers in [0, 1) from a seed: a counter of golden-ratio steps, mixed by MurmurHash3's 32-bit finaliser. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}

/** float32 values between -spread and spread. */
export function floats(seed: number, dims: readonly number[], spread = 2): Tensor {
  const next = generator(seed);
  return tensor(
    'float32',
    dims,
    Array.from({ length: sizeOfDims(dims) }, () => (next() * 2 - 1) * spread),
  );
}

/** Whole numbers from lowest to highest, both among them. */
export function wholes(seed: number, type: ElementType, dims: readonly number[], lowest: number, highest: number): Tensor {
  const next = generator(seed);
  const pick = (_: unknown, at: number): number => [lowest, highest][at] ?? lowest + Math.floor(next() * (highest - lowest + 1));
  return tensor(type, dims, Array.from({ length: sizeOfDims(dims) }, pick));
}

/** float32 values above 0. */
export function scales(seed: number, dims: readonly number[], largest: number): Tensor {
  const next = generator(seed);
  return tensor(
    'float32',
    dims,
    Array.from({ length: sizeOfDims(dims) }, () => (0.1 + 0.9 * next()) * largest),
  );
}

/** A float32 scalar. */
export function scalar(value: number): Tensor {
  return tensor('float32', [], [value]);
}

/** int64 values, one axis. */
export function int64s(...values: readonly number[]): Tensor {
  return tensor('int64', [values.length], values);
}
