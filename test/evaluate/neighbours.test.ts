// The blocked search against a plain one, bit for bit, ties included.

import { describe, expect, it } from 'vitest';
import { NO_ROW, overlap, topNeighbours } from '#src/evaluate/neighbours.js';
import { type Matrix, rowOf } from '#src/vectors/matrix.js';
import { fc } from '../properties.js';

/** Few different values, so that equal products are frequent. */
function drawnMatrix(rows: number, dim: number, seed: number, values: number): Matrix {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * values) - values / 2;
  };
  return { rows, dim, data: Float32Array.from({ length: rows * dim }, () => next() / 3) };
}

function plainNeighbours(queries: Matrix, documents: Matrix, k: number): Int32Array {
  const lists = Array.from({ length: queries.rows }, (_, query) => {
    const products = Array.from({ length: documents.rows }, (_, row) => {
      const document = rowOf(documents, row);
      return Math.fround(rowOf(queries, query).reduce((sum, value, column) => sum + value * (document[column] as number), 0));
    });
    const order = [...products.keys()].sort((a, b) => (products[b] as number) - (products[a] as number) || a - b).slice(0, k);
    return [...order, ...new Array<number>(k - order.length).fill(NO_ROW)];
  });
  return Int32Array.from(lists.flat());
}

const size = (max: number) => fc.integer({ min: 1, max });

describe('topNeighbours', () => {
  it('is what a plain search finds, over every shape of block', () => {
    fc.assert(
      fc.property(size(11), size(150), size(9), size(14), fc.integer(), fc.constantFrom(2, 5, 1e6), (n, m, dim, k, seed, values) => {
        const queries = drawnMatrix(n, dim, seed, values);
        const documents = drawnMatrix(m, dim, seed + 1, values);
        expect(topNeighbours(queries, documents, k)).toEqual(plainNeighbours(queries, documents, k));
      }),
    );
  });

  it('takes the lower row of equal ones, across blocks too', () => {
    const documents = { rows: 200, dim: 2, data: Float32Array.from({ length: 400 }, (_, at) => (at % 2 === 0 ? 1 : 0)) };
    expect(topNeighbours({ rows: 1, dim: 2, data: Float32Array.of(1, 0) }, documents, 4)).toEqual(Int32Array.of(0, 1, 2, 3));
  });

  it('fills up with NO_ROW, and gives a product that is no number no place', () => {
    const documents = { rows: 3, dim: 1, data: Float32Array.of(-1, Number.NaN, 5) };
    expect(topNeighbours({ rows: 2, dim: 1, data: Float32Array.of(1, -1) }, documents, 4)).toEqual(
      Int32Array.of(2, 0, NO_ROW, NO_ROW, 0, 2, NO_ROW, NO_ROW),
    );
  });

  it('finds nothing among nothing and for nobody', () => {
    const none = { rows: 0, dim: 2, data: new Float32Array(0) };
    const one = { rows: 1, dim: 2, data: Float32Array.of(1, 0) };
    expect(topNeighbours(one, none, 2)).toEqual(Int32Array.of(NO_ROW, NO_ROW));
    expect(topNeighbours(none, one, 2)).toEqual(new Int32Array(0));
  });

  it('refuses different dimensions and a k that is none', () => {
    const one = { rows: 1, dim: 2, data: Float32Array.of(1, 0) };
    expect(() => topNeighbours(one, { rows: 2, dim: 1, data: one.data }, 1)).toThrow(RangeError);
    expect(() => topNeighbours(one, one, 0)).toThrow(RangeError);
    expect(() => topNeighbours(one, one, 1.5)).toThrow(RangeError);
  });
});

describe('overlap', () => {
  it('is the mean share of common rows, whatever their order', () => {
    expect(overlap(Int32Array.of(1, 2, 3, 4), Int32Array.of(4, 3, 2, 1), 4)).toBe(1);
    expect(overlap(Int32Array.of(1, 2, 3, 4), Int32Array.of(4, 3, 2, 1), 2)).toBe(0);
    expect(overlap(Int32Array.of(1, 2, 3, 4), Int32Array.of(2, 9, 3, 4), 2)).toBe(0.75);
  });

  it('does not count places without a row', () => {
    expect(overlap(Int32Array.of(1, 2, NO_ROW, NO_ROW), Int32Array.of(2, 5, NO_ROW, NO_ROW), 4)).toBe(0.5);
    expect(overlap(Int32Array.of(1, 2, NO_ROW), Int32Array.of(2, NO_ROW, NO_ROW), 3)).toBe(0.5);
  });

  it('refuses answers that do not belong together', () => {
    expect(() => overlap(Int32Array.of(1, 2), Int32Array.of(1), 1)).toThrow(RangeError);
    expect(() => overlap(Int32Array.of(1, 2, 3), Int32Array.of(1, 2, 3), 2)).toThrow(RangeError);
    expect(() => overlap(new Int32Array(0), new Int32Array(0), 2)).toThrow(RangeError);
  });
});
