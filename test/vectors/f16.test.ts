// binary16 against all of its values and a slow reference.

import { describe, expect, it } from 'vitest';
import { encodeF16, fromF16, roundToF16, toF16 } from '#src/vectors/f16.js';
import { fc } from '../properties.js';

// Every finite non-negative binary16 value in order; their index is their bit pattern.
const LADDER = Array.from({ length: 0x7c00 }, (_, bits) => fromF16(bits));

/** Nearest value of the ladder, ties to the even bit pattern, by search. */
function reference(value: number): number {
  const size = Math.abs(value);
  if (size >= 65520) return Number.POSITIVE_INFINITY * Math.sign(value);
  let low = 0;
  let high = LADDER.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((LADDER[middle] as number) <= size) low = middle;
    else high = middle;
  }
  const below = size - (LADDER[low] as number);
  const above = (LADDER[high] as number) - size;
  const nearest = below < above || (below === above && low % 2 === 0) ? low : high;
  return (LADDER[nearest] as number) * (Object.is(value, -0) || value < 0 ? -1 : 1);
}

describe('binary16', () => {
  it('has the values of the standard', () => {
    expect([0x0000, 0x0001, 0x03ff, 0x0400, 0x3c00, 0x3555, 0x7bff].map(fromF16)).toEqual([
      0,
      2 ** -24,
      1023 * 2 ** -24,
      2 ** -14,
      1,
      0.333251953125,
      65504,
    ]);
  });

  it('gives all 65,536 bit patterns back, NaN as a NaN', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = fromF16(bits);
      if (Number.isNaN(value)) expect(Number.isNaN(fromF16(toF16(value)))).toBe(true);
      else expect(toF16(value)).toBe(bits);
    }
  });

  it('rounds any float32 to the nearest, ties to even', () => {
    const bits = new Uint32Array(1);
    const float = new Float32Array(bits.buffer);
    fc.assert(
      fc.property(fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 0x33000000, max: 0x47800000 })), (word) => {
        bits[0] = word;
        const value = float[0] as number;
        if (Number.isNaN(value)) return;
        expect(fromF16(toF16(value))).toBe(reference(value));
      }),
      { numRuns: 5000 },
    );
  });

  it('rounds arrays as it rounds values', () => {
    const values = Float32Array.of(0.1, -2.7, 1e-9, 70000);
    const rounded = values.slice();
    roundToF16(rounded);
    expect(rounded).toEqual(Float32Array.from(encodeF16(values), fromF16));
  });
});
