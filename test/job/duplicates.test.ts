// Duplicates are counted exactly until there are too many distinct values to remember, and never too many.

import { describe, expect, it } from 'vitest';
import { DuplicateCounter } from '#src/job/duplicates.js';
import { fc } from '../properties.js';

function counted(values: readonly string[], remembered?: number): DuplicateCounter {
  const counter = new DuplicateCounter(remembered);
  for (const value of values) counter.add(value);
  return counter;
}

const exact = (values: readonly string[]): number => values.length - new Set(values).size;

describe('DuplicateCounter', () => {
  it('counts what a Set counts', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.integer({ max: 20 }).map(String))), (values) => {
        expect(counted(values)).toMatchObject({ duplicates: exact(values), isExact: true });
      }),
    );
  });

  it('stays exact while its table grows', () => {
    const values = Array.from({ length: 60_000 }, (_, index) => `row ${(index * 7919) % 40_000}`);
    expect(counted(values)).toMatchObject({ duplicates: 20_000, isExact: true });
  });

  it('tells ids apart that differ only in their last digit or in white space', () => {
    expect(counted(['9007199254740993', '9007199254740992', 'a', 'a ', '', '\0']).duplicates).toBe(0);
  });

  it('gives a lower bound, and says so, beyond what it remembers', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 30 }).map(String)), fc.integer({ min: 1, max: 12 }), (values, remembered) => {
        const { duplicates, isExact } = counted(values, remembered);
        const known = new Set([...new Set(values)].slice(0, remembered));
        expect(duplicates).toBe(values.filter((value) => known.has(value)).length - known.size);
        expect(isExact).toBe(new Set(values).size <= remembered);
      }),
    );
  });
});
