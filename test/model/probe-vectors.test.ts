// Probe vectors: text and back without a bit lost, and what counts as the same vector.

import { describe, expect, it } from 'vitest';
import { checkProbe, decodeProbe, encodeProbe, PROBE_COSINE } from '#src/model/probe-vectors.js';
import { fc } from '../properties.js';

/** What checkProbe throws, or undefined. */
function refusal(
  expected: Float32Array,
  found: Float32Array,
  text = 'a text',
): { code: string; message: string; hint: string } | undefined {
  try {
    checkProbe(text, expected, found);
    return undefined;
  } catch (error) {
    return error as { code: string; message: string; hint: string };
  }
}

/** A vector whose cosine to (1, 0) is this. */
function withCosine(cosine: number): Float32Array {
  return Float32Array.of(cosine, Math.sqrt(1 - cosine * cosine));
}

describe('encodeProbe and decodeProbe', () => {
  it('keep every bit, of views too', () => {
    fc.assert(
      fc.property(fc.float32Array({ noNaN: false }), fc.nat(3), (all, skipped) => {
        const vector = all.subarray(Math.min(skipped, all.length));
        const back = decodeProbe(encodeProbe(vector));
        expect(back).toHaveLength(vector.length);
        expect(Buffer.compare(Buffer.from(back.buffer, back.byteOffset, back.byteLength), Buffer.from(vector.slice().buffer))).toBe(0);
      }),
    );
  });

  it('write little-endian float32 in base64', () => {
    expect(encodeProbe(Float32Array.of(1, -2))).toBe('AACAPwAAAMA=');
    expect([...decodeProbe('AACAPwAAAMA=')]).toEqual([1, -2]);
  });

  it('leave no NaN out of bytes that make no whole number of floats', () => {
    expect([...decodeProbe(Buffer.from([0, 0, 128, 63, 7]).toString('base64'))]).toEqual([1]);
  });
});

describe('checkProbe', () => {
  const exact = Float32Array.of(1, 0);

  it('lets the same direction through, whatever the length of the vector', () => {
    expect(refusal(exact, exact)).toBeUndefined();
    expect(refusal(exact, Float32Array.of(3, 0))).toBeUndefined();
    expect(refusal(exact, withCosine(PROBE_COSINE + 1e-5))).toBeUndefined();
  });

  it('refuses one that is further off, with what to do', () => {
    const refused = refusal(exact, withCosine(PROBE_COSINE - 1e-5), 'x'.repeat(100));
    expect(refused?.code).toBe('engine-failed');
    expect(refused?.message).toContain(`"${'x'.repeat(40)}"`);
    expect(refused?.message).toContain('(cosine 0.99949)');
    expect(refused?.hint).toContain('--precision fp32');
  });

  it.each([
    ['another dimension', Float32Array.of(1, 0, 0)],
    ['no value', Float32Array.of()],
    ['not a number', Float32Array.of(1, Number.NaN)],
    ['infinity', Float32Array.of(Number.POSITIVE_INFINITY, 0)],
    ['zeros', Float32Array.of(0, 0)],
    ['the opposite', Float32Array.of(-1, 0)],
  ])('refuses %s', (_, found) => {
    expect(refusal(exact, found)?.code).toBe('engine-failed');
  });

  it('refuses a probe of nothing, even for a vector of nothing', () => {
    expect(refusal(Float32Array.of(), Float32Array.of())?.code).toBe('engine-failed');
  });
});
