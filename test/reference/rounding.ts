// Numbers to integers and erf: the arithmetic below the operators. Sources: IEEE 754; Abramowitz and Stegun 7.1.6.
import type { ElementType } from './tensor.js';

/** Smallest and largest value of an integer type. */
export const RANGES: Readonly<Partial<Record<ElementType, readonly [number, number]>>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
};

/** To the nearest integer, halves to the even one. */
export function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

/** Brought into the range of an integer type of at most 16 bits. */
export function saturate(value: number, type: ElementType): number {
  const range = RANGES[type];
  if (range === undefined) throw new Error(`no quantized type: ${type}`);
  return Math.min(range[1], Math.max(range[0], value));
}

/** The error function, by a series of positive terms: 2/sqrt(pi) exp(-x^2) sum of 2^n x^(2n+1) / (1 3 5 ... (2n+1)). */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
