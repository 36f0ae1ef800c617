// Arrow arrays cut anywhere and joined again are the same arrays: types, null bits, offsets and every value's bits.
import { type Data, Utf8, Vector, vectorFromArray } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { concat } from '#src/columns/concat.js';
import { fc } from '../properties.js';
import { arrays, bitsOf, throughIpc } from './layouts.js';

const LENGTH = 40;

function slices(data: Data, cuts: readonly number[]): Data[] {
  const bounds = [0, ...[...cuts].sort((a, b) => a - b), data.length];
  return bounds.slice(1).map((end, index) => data.slice(bounds[index] as number, end - (bounds[index] as number)));
}

const cutsOf = (length: number): fc.Arbitrary<number[]> => fc.array(fc.integer({ min: 0, max: length }), { maxLength: 6 });

describe.each(arrays(LENGTH))('%s', (_, array) => {
  it('is the same after any cutting', () => {
    fc.assert(
      fc.property(array, cutsOf(LENGTH), (data, cuts) => {
        const joined = concat(data.type, slices(data, cuts));
        expect(bitsOf(joined)).toEqual(bitsOf(data));
        expect(bitsOf(throughIpc(joined))).toEqual(bitsOf(data));
      }),
      { numRuns: 30 },
    );
  });

  it('is the same from any offset on, also when the pieces are cut twice', () => {
    fc.assert(
      fc.property(array, fc.integer({ min: 0, max: 17 }), cutsOf(LENGTH - 17), (data, offset, cuts) => {
        const whole = data.slice(offset, LENGTH - 17);
        const twice = slices(whole, cuts).flatMap((piece) => slices(piece, [Math.floor(piece.length / 3)]));
        const joined = concat(data.type, twice);
        expect(joined.offset).toBe(0);
        expect(bitsOf(throughIpc(joined))).toEqual(bitsOf(whole));
      }),
      { numRuns: 30 },
    );
  });
});

describe('concat', () => {
  it('joins arrays that come from different batches', () => {
    const parts = [['a', null], [], ['ccc'], [null, 'd']].map((values) => vectorFromArray(values, new Utf8()).data[0] as Data);
    expect([...new Vector([concat(new Utf8(), parts)])]).toEqual(['a', null, 'ccc', null, 'd']);
  });

  it('gives one part a copy of its own, so that the batch it came from can be let go', () => {
    const part = vectorFromArray(['a', 'b', 'c'], new Utf8()).data[0] as Data;
    const joined = concat(new Utf8(), [part.slice(1, 1)]);
    expect(joined.values).toEqual(Uint8Array.of(98));
    expect(joined.values.buffer).not.toBe(part.values.buffer);
  });
});
