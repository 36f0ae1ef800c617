// Folds give an encoder that computes the same: whole outputs, over random divisors and copies.

import { describe, expect, it } from 'vitest';
import { checkEncoder } from '#src/encoder/check.js';
import { emitEncoder } from '#src/encoder/emit.js';
import type { Encoder } from '#src/encoder/encoder.js';
import { foldAttentionScale, foldContextDivisor, foldInnerCopies, scaleColumns, scaleRows } from '#src/encoder/fold.js';
import { FUSED, STANDARD } from '#src/encoder/forms.js';
import { fp32Arithmetic } from '#src/encoder/fp32.js';
import { fc } from '../properties.js';
import { expectAlike } from '../reference/graphs.js';
import { plainHidden } from './plain-encoder.js';
import { randomBatch, randomEncoder } from './random-encoder.js';
import { byReference } from './run-emitted.js';

const SIZES = { hidden: 8, heads: 2, inner: 12, layers: 2, words: 20 };
const encoder = randomEncoder(SIZES);
const batch = randomBatch(encoder, 2, 5);
const expected = plainHidden(encoder, batch);
// What is left after the folds' own rounding to float32.
const TOLERANCE = 1e-4;

function expectSame(folded: Encoder, of = ''): void {
  checkEncoder(folded);
  expectAlike(plainHidden(folded, batch), expected, TOLERANCE, of);
}

function positives(length: number): fc.Arbitrary<Float32Array> {
  return fc
    .array(fc.double({ min: -7, max: 7, noNaN: true }), { minLength: length, maxLength: length })
    .map((all) => Float32Array.from(all, (one) => 2 ** one));
}

describe('foldAttentionScale', () => {
  it('leaves a scale of 1 and the same outputs, whatever the scale was', () => {
    fc.assert(
      fc.property(fc.float({ min: Math.fround(0.05), max: 2, noNaN: true }), (scale) => {
        const before = { ...encoder, scale };
        const folded = foldAttentionScale(before);
        expect(folded.scale).toBe(1);
        expectAlike(plainHidden(folded, batch), plainHidden(before, batch), TOLERANCE);
      }),
      { numRuns: 20 },
    );
  });

  it('holds in both forms of the graph, where a scale of 1 needs no node', () => {
    const folded = foldAttentionScale(encoder);
    for (const form of [FUSED, STANDARD]) {
      const model = emitEncoder(folded, fp32Arithmetic(folded), { form, output: 'hidden' });
      expectAlike(byReference(model, batch), expected, TOLERANCE);
      expect(model.graph?.node?.some(({ name }) => name?.endsWith('.scores'))).toBe(false);
    }
  });
});

describe('foldContextDivisor', () => {
  it('leaves the same outputs for any divisor of either layer', () => {
    fc.assert(
      fc.property(positives(SIZES.hidden), fc.integer({ min: 0, max: 1 }), (divisor, at) =>
        expectSame(foldContextDivisor(encoder, at, divisor)),
      ),
      { numRuns: 40 },
    );
  });

  it('divides what the output map reads, channel by channel', () => {
    const divisor = Float32Array.from({ length: SIZES.hidden }, (_, channel) => 2 ** (channel - 3));
    const { value } = foldContextDivisor(encoder, 1, divisor).layers[1] as Encoder['layers'][number];
    const before = (encoder.layers[1] as Encoder['layers'][number]).value;
    expect([...value.weight]).toEqual([...before.weight].map((one, at) => one / (divisor[at % SIZES.hidden] as number)));
    expect([...value.bias]).toEqual([...before.bias].map((one, at) => one / (divisor[at] as number)));
  });
});

describe('foldInnerCopies', () => {
  it('leaves the same outputs for any copies in any order', () => {
    const all = Array.from({ length: SIZES.inner }, (_, channel) => channel);
    const sources = fc
      .array(fc.integer({ min: 0, max: SIZES.inner - 1 }), { maxLength: 9 })
      .chain((extra) => fc.shuffledSubarray([...all, ...extra], { minLength: SIZES.inner + extra.length }))
      .map((list) => Int32Array.from(list));
    fc.assert(
      fc.property(sources, fc.integer({ min: 0, max: 1 }), (list, at) => {
        const folded = foldInnerCopies(encoder, at, list);
        expect(folded.layers[at]?.up.outputs).toBe(list.length);
        expect(folded.layers[at]?.down.inputs).toBe(list.length);
        expectAlike(plainHidden(folded, batch), expected, TOLERANCE);
      }),
      { numRuns: 30 },
    );
  });
});

describe('folds', () => {
  it('leave the encoder that they are given as it was', () => {
    const before = structuredClone(encoder);
    foldAttentionScale(encoder);
    foldContextDivisor(encoder, 0, new Float32Array(SIZES.hidden).fill(3));
    foldInnerCopies(
      encoder,
      0,
      Int32Array.from({ length: SIZES.inner + 1 }, (_, at) => at % SIZES.inner),
    );
    expect(encoder).toEqual(before);
  });

  it('scale rows and columns of a matrix that is not square', () => {
    const matrix = { weight: Float32Array.of(1, 2, 3, 4, 5, 6), outputs: 3 };
    expect([...scaleRows(matrix, Float32Array.of(10, 100))]).toEqual([10, 20, 30, 400, 500, 600]);
    expect([...scaleColumns(matrix, Float32Array.of(1, 10, 100))]).toEqual([1, 20, 300, 4, 50, 600]);
  });
});
