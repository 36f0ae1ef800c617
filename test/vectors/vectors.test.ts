// Pooling, normalising and cutting against plain references.

import { describe, expect, it } from 'vitest';
import { cosine, rowOf } from '#src/vectors/matrix.js';
import { firstBrokenRow, normalise, truncateDims } from '#src/vectors/normalise.js';
import { type Pooling, pool } from '#src/vectors/pool.js';
import { fc } from '../properties.js';

const finite = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 });
const hidden = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 6 }))
  .chain(([rows, width, dim]) =>
    fc
      .array(finite, { minLength: rows * width * dim, maxLength: rows * width * dim })
      .map((values) => ({ rows, width, dim, values: Float32Array.from(values) })),
  );

/** tokens[row][token] is the vector of one token. */
function tokensOf({ rows, width, dim, values }: { rows: number; width: number; dim: number; values: Float32Array }): number[][][] {
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: width }, (_, token) => [...values.subarray((row * width + token) * dim, (row * width + token + 1) * dim)]),
  );
}

const REFERENCES: Record<Exclude<Pooling, 'none'>, (tokens: number[][]) => number[]> = {
  cls: (tokens) => tokens[0] as number[],
  last: (tokens) => tokens.at(-1) as number[],
  mean: (tokens) =>
    (tokens[0] as number[]).map((_, column) => tokens.reduce((sum, token) => sum + (token[column] as number), 0) / tokens.length),
  'mean-sqrt': (tokens) =>
    (tokens[0] as number[]).map(
      (_, column) => tokens.reduce((sum, token) => sum + (token[column] as number), 0) / Math.sqrt(tokens.length),
    ),
  'weighted-mean': (tokens) => {
    const total = tokens.reduce((sum, _, at) => sum + at + 1, 0);
    return (tokens[0] as number[]).map(
      (_, column) => tokens.reduce((sum, token, at) => sum + (at + 1) * (token[column] as number), 0) / total,
    );
  },
  max: (tokens) => (tokens[0] as number[]).map((_, column) => Math.max(...tokens.map((token) => token[column] as number))),
};

describe('pool', () => {
  it.each(Object.keys(REFERENCES) as Exclude<Pooling, 'none'>[])('%s', (kind) => {
    fc.assert(
      fc.property(hidden, (state) => {
        const expected = Float32Array.from(tokensOf(state).flatMap((tokens) => REFERENCES[kind](tokens)));
        expect(pool(state.values, state, kind)).toEqual(expected);
      }),
    );
  });

  it('none takes the vectors as they are', () => {
    const values = Float32Array.of(1, 2, 3, 4, 5, 6);
    expect(pool(values, { rows: 2, width: 9, dim: 3 }, 'none')).toEqual(values);
  });
});

describe('normalise', () => {
  it('gives every row length 1 and keeps its direction', () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 12, maxLength: 12 }), (values) => {
        const before = { rows: 3, dim: 4, data: Float32Array.from(values) };
        const after = { ...before, data: before.data.slice() };
        normalise(after);
        for (let row = 0; row < 3; row++) {
          const length = Math.hypot(...rowOf(before, row));
          if (length < 1e-30) continue;
          expect(Math.hypot(...rowOf(after, row))).toBeCloseTo(1, 6);
          expect(cosine(rowOf(before, row), rowOf(after, row))).toBeCloseTo(1, 6);
        }
      }),
    );
  });

  it('leaves a row of zeros, and names it as broken', () => {
    const matrix = { rows: 2, dim: 2, data: Float32Array.of(3, 4, 0, 0) };
    normalise(matrix);
    expect(matrix.data).toEqual(Float32Array.of(0.6, 0.8, 0, 0));
    expect(firstBrokenRow(matrix)).toBe(1);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('a row with %s is broken', (value) => {
    expect(firstBrokenRow({ rows: 2, dim: 2, data: Float32Array.of(1, 0, 1, value) })).toBe(1);
    expect(firstBrokenRow({ rows: 1, dim: 2, data: Float32Array.of(1, 0) })).toBe(-1);
  });

  it('cuts every row to its first columns', () => {
    const cut = truncateDims({ rows: 2, dim: 3, data: Float32Array.of(1, 2, 3, 4, 5, 6) }, 2);
    expect(cut).toEqual({ rows: 2, dim: 2, data: Float32Array.of(1, 2, 4, 5) });
  });
});
