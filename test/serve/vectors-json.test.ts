// Vectors as JSON: every float32 comes back as itself, whether it is read as float32 or as a double first.

import { describe, expect, it } from 'vitest';
import { vectorBase64, vectorJson } from '#src/serve/vectors-json.js';
import { fc } from '../properties.js';

/** Any finite float32, by its bits. */
const float32 = fc
  .integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
  .map((bits) => new Float32Array(Int32Array.of(bits).buffer)[0] as number)
  .filter(Number.isFinite);
const vectors = fc.array(float32, { minLength: 1, maxLength: 400 }).map((values) => Float32Array.from(values));
const bitsOf = (vector: Float32Array): Int32Array => new Int32Array(vector.buffer, vector.byteOffset, vector.length);

describe('a vector on the wire', () => {
  it('as JSON reads back to the same bits', () => {
    fc.assert(
      fc.property(vectors, (vector) => {
        const read = Float32Array.from(JSON.parse(vectorJson(vector)) as number[]);
        expect(bitsOf(read)).toEqual(bitsOf(vector));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['neighbours above 1', 0x3f800000],
    ['the least of all', 1],
    ['the largest of all', 0x7f7fff00],
    ['zeros', 0],
    ['zeros with a minus', -(2 ** 31)],
  ])('as JSON tells %s apart', (_, first) => {
    const vector = new Float32Array(Int32Array.from({ length: 256 }, (_, at) => first + at).buffer);
    expect(bitsOf(Float32Array.from(JSON.parse(vectorJson(vector)) as number[]))).toEqual(bitsOf(vector));
  });

  it('as base64 is its bytes', () => {
    fc.assert(
      fc.property(vectors, (vector) => {
        const bytes = Buffer.from(vectorBase64(vector), 'base64');
        expect(Int32Array.from({ length: vector.length }, (_, at) => bytes.readInt32LE(4 * at))).toEqual(bitsOf(vector));
      }),
    );
  });
});
