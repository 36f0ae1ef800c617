// Activations as uint8: ranges by hand, and the integers against the reference operators, ties and saturation among them.

import { describe, expect, it } from 'vitest';
import type { QuantizedInput } from '#src/encoder/quantized.js';
import { fakeQuantize, quantizedInput, rangeOf, roundHalfEven } from '#src/quantize/activations.js';
import type { Observation } from '#src/quantize/observation.js';
import { fc } from '../properties.js';
import { modelOf } from '../reference/graphs.js';
import { interpret } from '../reference/interpret.js';
import * as rounding from '../reference/rounding.js';
import { type Tensor, tensor } from '../reference/tensor.js';

function seen(minima: readonly number[], maxima: readonly number[]): Observation {
  const sample = new Float32Array(0);
  return { name: 'site', channels: minima.length, minima: Float32Array.from(minima), maxima: Float32Array.from(maxima), sample, rows: 0 };
}

describe('rangeOf', () => {
  it('reaches over all channels and beyond by the headroom', () => {
    expect(rangeOf(seen([-1, -3, 0], [2, 1, 4]), undefined, 0)).toEqual({ low: -3, high: 4 });
    const { low, high } = rangeOf(seen([-1, -3, 0], [2, 1, 4]), undefined, 0.25);
    expect([low, high]).toEqual([-3.75, 5]);
  });

  it('includes 0, which must have an integer', () => {
    expect(rangeOf(seen([2, 3], [4, 5]), undefined, 0)).toEqual({ low: 0, high: 5 });
    expect(rangeOf(seen([-4, -5], [-2, -3]), undefined, 0)).toEqual({ low: -5, high: 0 });
  });

  it('is taken after division', () => {
    expect(rangeOf(seen([-8, -1], [4, 1]), Float32Array.of(4, 0.5), 0)).toEqual({ low: -2, high: 2 });
  });
});

const ranges = fc
  .tuple(fc.double({ min: -100, max: 0, noNaN: true }), fc.double({ min: 0, max: 100, noNaN: true }))
  .map(([low, high]) => ({ low, high }));

/** QuantizeLinear and DequantizeLinear, as graphs have them. */
function byReference(values: Float32Array, { scale, zeroPoint }: QuantizedInput): { integers: Tensor; floats: Tensor } {
  const model = modelOf({
    nodes: [
      { op: 'QuantizeLinear', inputs: ['x', 'scale', 'zero'], outputs: ['integers'] },
      { op: 'DequantizeLinear', inputs: ['integers', 'scale', 'zero'], outputs: ['floats'] },
    ],
    feeds: { x: tensor('float32', [values.length], values) },
    constants: { scale: tensor('float32', [], [scale]), zero: tensor('uint8', [], [zeroPoint]) },
    outputs: ['integers', 'floats'],
    opset: 17,
  });
  const { integers, floats } = interpret(model, { x: tensor('float32', [values.length], values) });
  return { integers: integers as Tensor, floats: floats as Tensor };
}

describe('quantizedInput', () => {
  it('gives 0 an integer of its own, and both ends of the range one within half a step', () => {
    fc.assert(
      fc.property(ranges, ({ low, high }) => {
        const input = quantizedInput({ low, high }, undefined);
        expect(Math.fround(input.scale)).toBe(input.scale);
        expect(Number.isInteger(input.zeroPoint) && input.zeroPoint >= 0 && input.zeroPoint <= 255).toBe(true);
        const ends = Float32Array.of(low, high, 0);
        const [first, last, zero] = byReference(ends, input).floats.data as unknown as [number, number, number];
        expect(zero).toBe(0);
        const step = 0.501 * input.scale + 1e-30;
        expect(Math.abs(first - (ends[0] as number))).toBeLessThanOrEqual(step);
        expect(Math.abs(last - (ends[1] as number))).toBeLessThanOrEqual(step);
      }),
      { numRuns: 300 },
    );
  });

  it('agrees with DynamicQuantizeLinear of the range', () => {
    const x = tensor('float32', [3], [-1.25, 0.3, 3.5]);
    const spec = {
      nodes: [{ op: 'DynamicQuantizeLinear', inputs: ['x'], outputs: ['y', 'scale', 'zero'] }],
      feeds: { x },
      outputs: ['scale', 'zero'],
    };
    const { scale, zero } = interpret(modelOf({ ...spec, opset: 17 }), { x });
    const input = quantizedInput({ low: -1.25, high: 3.5 }, undefined);
    expect([input.scale, input.zeroPoint]).toEqual([scale?.data[0], zero?.data[0]]);
  });

  it.each([
    [{ low: 0, high: 0 }, 1, 0],
    [{ low: 0, high: 255 }, 1, 0],
    [{ low: -255, high: 0 }, 1, 255],
    [{ low: -127.5, high: 127.5 }, 1, 128],
    [{ low: -0.5, high: 254.5 }, 1, 0],
    [{ low: -1.5, high: 253.5 }, 1, 2],
    [{ low: -1e-45, high: 1e-45 }, 1, 0],
  ])('%o has a scale of %d and the zero point %d', (range, scale, zeroPoint) => {
    expect(quantizedInput(range, undefined)).toEqual({ divisor: undefined, scale, zeroPoint });
  });
});

/** Values about a range: within, beyond, and on the borders between integers. */
function valuesFor({ scale, zeroPoint }: QuantizedInput, shares: readonly number[]): Float32Array {
  const ties = Array.from({ length: 40 }, (_, at) => (at - 20 + 0.5) * scale);
  const edges = [0, -0, (255 - zeroPoint) * scale, -zeroPoint * scale, 1e30, -1e30, 1e-45];
  return Float32Array.from([...shares.map((share) => (share * 300 - zeroPoint) * scale), ...ties, ...edges]);
}

const shares = fc.array(fc.double({ min: -0.2, max: 1.2, noNaN: true }), { minLength: 40, maxLength: 40 });

describe('fakeQuantize', () => {
  it('is QuantizeLinear and DequantizeLinear, exactly, where a step is a power of two and ties are exact', () => {
    fc.assert(
      fc.property(fc.integer({ min: -10, max: 4 }), fc.integer({ min: 0, max: 255 }), shares, (power, zeroPoint, some) => {
        const input = { divisor: undefined, scale: 2 ** power, zeroPoint };
        const values = valuesFor(input, some);
        expect([...fakeQuantize(values, input, values.length)].map(plusZero)).toEqual(
          [...byReference(values, input).floats.data].map(plusZero),
        );
      }),
    );
  });

  it('is the same for any other step too, but for quotients that float32 cannot tell from a tie', () => {
    let ties = 0;
    let all = 0;
    fc.assert(
      fc.property(ranges, shares, (range, some) => {
        const input = quantizedInput(range, undefined);
        fc.pre(input.scale > 1e-20);
        const values = Float32Array.from(some, (share) => share * (range.high - range.low) * 1.1 + range.low);
        const found = fakeQuantize(values, input, values.length);
        const { floats } = byReference(values, input);
        for (const [at, value] of values.entries()) {
          const quotient = Math.abs(value / input.scale);
          const isTie = Math.abs((quotient % 1) - 0.5) <= quotient * 2 ** -23;
          all++;
          if (isTie) ties++;
          const difference = Math.abs((found[at] as number) - (floats.data[at] as number));
          expect(difference).toBeLessThanOrEqual(isTie ? input.scale * 1.001 : 0);
        }
      }),
      { numRuns: 300 },
    );
    expect(ties).toBeLessThan(all / 20);
  });

  it('divides each channel by its own and leaves it divided', () => {
    const divisor = Float32Array.of(1, 2, 8);
    const input = { divisor, scale: 0.25, zeroPoint: 100 };
    const values = Float32Array.of(1, 1, 1, 2.1, 2.1, 2.1, -1000, 1000, 3);
    expect([...fakeQuantize(values, input, 3)]).toEqual([1, 0.5, 0, 2, 1, 0.25, -25, 38.75, 0.5]);
  });

  it('gives its integers back unchanged', () => {
    fc.assert(
      fc.property(ranges, shares, (range, some) => {
        const input = quantizedInput(range, undefined);
        const once = fakeQuantize(valuesFor(input, some), input, 1);
        expect([...fakeQuantize(once, input, 1)].map(plusZero)).toEqual([...once].map(plusZero));
      }),
    );
  });
});

const plusZero = (value: number): number => value + 0;

describe('roundHalfEven', () => {
  it('is the plain rounding, ties to even, for all numbers that can occur', () => {
    expect([0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999999999999994, 1e9 + 0.5].map(roundHalfEven).map(plusZero)).toEqual([
      0, 2, 2, 0, -2, -2, 0, 1e9,
    ]);
    fc.assert(
      fc.property(fc.double({ min: -1e12, max: 1e12, noNaN: true }), (value) => {
        expect(plusZero(roundHalfEven(value))).toBe(plusZero(rounding.roundHalfEven(value)));
      }),
    );
  });
});
