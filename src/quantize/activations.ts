// Activations as uint8: a scale and zero point from a range, and what a value becomes by them. Pure.
import type { QuantizedInput } from '../encoder/quantized.js';
import type { Observation } from './observation.js';

export interface Range {
  readonly low: number;
  readonly high: number;
}

/**
 * Range of everything observed after division, widened by `headroom` of itself and by 0, which must have an integer.
 * @param divisor one a channel, or undefined
 */
export function rangeOf({ minima, maxima, channels }: Observation, divisor: Float32Array | undefined, headroom: number): Range {
  let low = 0;
  let high = 0;
  for (let channel = 0; channel < channels; channel++) {
    const by = divisor?.[channel] ?? 1;
    low = Math.min(low, (minima[channel] as number) / by);
    high = Math.max(high, (maxima[channel] as number) / by);
  }
  return { low: low * (1 + headroom), high: high * (1 + headroom) };
}

/** Scale and zero point of a range. Source: ONNX DynamicQuantizeLinear, with constants in place of the batch's extremes. */
export function quantizedInput({ low, high }: Range, divisor: Float32Array | undefined): QuantizedInput {
  const scale = Math.fround((high - low) / 255) || 1;
  const zeroPoint = Math.max(0, Math.min(255, roundHalfEven(-low / scale)));
  return { divisor, scale, zeroPoint };
}

/** rows x channels values as the integers give them back, still divided: what the products of the quantized graph see. */
export function fakeQuantize(values: Float32Array, { scale, zeroPoint, divisor }: QuantizedInput, channels: number): Float32Array {
  const factors = Float64Array.from({ length: channels }, (_, channel) => 1 / ((divisor?.[channel] ?? 1) * scale));
  const result = new Float32Array(values.length);
  for (let start = 0; start < values.length; start += channels) {
    for (let channel = 0; channel < channels; channel++) {
      const integer = (values[start + channel] as number) * (factors[channel] as number) + ROUNDER - ROUNDER;
      result[start + channel] = Math.max(-zeroPoint, Math.min(255 - zeroPoint, integer)) * scale;
    }
  }
  return result;
}

// Adding and taking away 1.5 x 2^52 rounds a double to whole numbers, ties to even, for |value| < 2^51.
const ROUNDER = 1.5 * 2 ** 52;

export function roundHalfEven(value: number): number {
  return value + ROUNDER - ROUNDER;
}
