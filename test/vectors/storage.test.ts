// Vectors as int8 codes and as packed signs: equal to numpy's, and back within the bound that the ranges promise.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { comparable, decoded, queryFor, throughStorage } from '#src/job/storage.js';
import { packSigns, unpackSigns } from '#src/vectors/binary.js';
import { decodeInt8, encodeInt8, rangesOf } from '#src/vectors/int8.js';
import { cosine } from '#src/vectors/matrix.js';
import { fc } from '../properties.js';

interface Golden {
  readonly dim: number;
  readonly vectors: number[];
  readonly packed: number[];
  readonly minimum: number[];
  readonly maximum: number[];
  readonly codes: number[];
  readonly clamped: number;
}

const GOLDEN = JSON.parse(readFileSync(new URL('../golden/storage.json', import.meta.url), 'utf8')) as Golden;
const VECTORS = Float32Array.from(GOLDEN.vectors);

const DIM = 16;
// No wider apart than vectors are: a float32 below 1e-38 has no digits to code.
const value = fc.oneof(
  fc.integer({ min: -1_000_000, max: 1_000_000 }).map((millionths) => millionths / 1e6),
  fc.constantFrom(0.5, 0.500001, 0.5000005),
);
const vectorsOf = (rows: number): fc.Arbitrary<Float32Array> =>
  fc.array(value, { minLength: rows * DIM, maxLength: rows * DIM }).map((values) => Float32Array.from(values));

describe('int8', () => {
  it('has the codes that numpy computes, those of values outside their range and of a range without width among them', () => {
    let clamped = 0;
    const codes = encodeInt8(VECTORS, GOLDEN, (values) => {
      clamped += values;
    });
    expect([...codes]).toEqual(GOLDEN.codes);
    expect([clamped, clamped > 0]).toEqual([GOLDEN.clamped, true]);
  });

  it('comes back within half a step of each value that is in its range, and codes again to the same codes', () => {
    fc.assert(
      fc.property(fc.oneof(vectorsOf(5), vectorsOf(1)), (data) => {
        const ranges = rangesOf({ dim: DIM, data });
        const codes = encodeInt8(data, ranges, () => {
          throw new Error('a value of the calibration is outside the ranges');
        });
        const back = decodeInt8(codes, ranges);
        for (const [at, found] of back.entries()) {
          const [least, most] = [ranges.minimum[at % DIM] as number, ranges.maximum[at % DIM] as number];
          // Half a step, and what six digits and float32 round off.
          expect(Math.abs(found - (data[at] as number))).toBeLessThanOrEqual((most - least) / 510 + 2e-6);
        }
        expect(encodeInt8(back, ranges)).toEqual(codes);
      }),
    );
  });

  it('takes the end of the range for what is outside, and the ranges of the calibration for nothing else', () => {
    const ranges = { minimum: [-1, 0], maximum: [1, 0.5] };
    expect([...encodeInt8(Float32Array.of(-7, 7, 7, -7), ranges)]).toEqual([-128, 127, 127, -128]);
    expect([...decodeInt8([-128, 127, 127, -128], ranges)]).toEqual([-1, 0.5, 1, 0]);
  });
});

describe('binary', () => {
  it('is what numpy.packbits makes of the values above 0', () => {
    expect([...packSigns(VECTORS)]).toEqual(GOLDEN.packed);
  });

  it('keeps Hamming distances: the dot product of the signs is the length less twice the distance, exactly', () => {
    fc.assert(
      fc.property(vectorsOf(1), vectorsOf(1), (a, b) => {
        const [first, second] = [packSigns(a), packSigns(b)];
        const distance = first.reduce(
          (sum, byte, at) => sum + [...(byte ^ (second[at] as number)).toString(2)].filter((bit) => bit === '1').length,
          0,
        );
        const signs = unpackSigns(second);
        expect(unpackSigns(first).reduce((sum, sign, at) => sum + sign * (signs[at] as number), 0)).toBe(DIM - 2 * distance);
        expect(packSigns(unpackSigns(first))).toEqual(first);
      }),
    );
  });
});

describe('what a search compares', () => {
  const matrix = { rows: VECTORS.length / GOLDEN.dim, dim: GOLDEN.dim, data: VECTORS };

  it('is of the length of the vectors again for every type, near to them but for binary, which has signs', () => {
    for (const dtype of ['float32', 'float16', 'int8', 'binary'] as const) {
      const storage = {
        dtype,
        ranges: dtype === 'int8' ? { minimum: GOLDEN.minimum.map(() => -1), maximum: GOLDEN.maximum.map(() => 1) } : undefined,
      };
      const { rows, dim, data } = throughStorage(matrix, storage);
      expect([dtype, rows, dim, data.length]).toEqual([dtype, matrix.rows, matrix.dim, VECTORS.length]);
      expect(cosine(data, VECTORS)).toBeGreaterThan({ float32: 0.9999999, float16: 0.99999, int8: 0.999, binary: 0.7 }[dtype]);
      expect(queryFor(matrix, storage).data === VECTORS).toBe(dtype !== 'binary');
      const { data: compared } = comparable({ rows, dim, data }, storage);
      expect(Math.hypot(...compared.subarray(0, dim))).toBeCloseTo(dtype === 'binary' ? Math.sqrt(dim) : 1, 5);
    }
  });

  it('needs the ranges of int8', () => {
    expect(() => throughStorage(matrix, { dtype: 'int8', ranges: undefined })).toThrow(RangeError);
    expect(decoded(matrix, { dtype: 'float16', ranges: undefined })).toBe(matrix);
  });
});
