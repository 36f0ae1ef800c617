// Crossings against a search that knows no formula.

import { describe, expect, it } from 'vitest';
import { breakEvenOf, machinesFor, type Staircase } from '#src/cost/break-even.js';
import { fc } from '../properties.js';

const API = 0.001;
const stairs = fc.record({
  textsPerMachine: fc.integer({ min: 1000, max: 100_000 }),
  pricePerMachine: fc.integer({ min: 1, max: 100 }),
  leastMachines: fc.integer({ min: 1, max: 5 }),
});

const wins = (of: Staircase, texts: number): boolean => machinesFor(of, texts) * of.pricePerMachine <= texts * API * (1 + 1e-12);

/** Every volume at which the picture can change: the steps' edges and the API's price of n machines. */
function volumes(of: Staircase, most: number): number[] {
  const n = Array.from({ length: most }, (_, at) => at + 1);
  const edges = n.flatMap((k) => [k * of.textsPerMachine, k * of.textsPerMachine + 1e-3]);
  const prices = n.flatMap((k) => [(k * of.pricePerMachine) / API, (k * of.pricePerMachine) / API - 1e-3]);
  return [...edges, ...prices].filter((texts) => texts > 0).sort((a, b) => a - b);
}

describe('a crossing', () => {
  it('is the first volume at which machines win, and they win for good from where it says', () => {
    fc.assert(
      fc.property(stairs, (of) => {
        const found = breakEvenOf(of, API);
        const all = volumes(of, 400);
        const first = all.find((texts) => wins(of, texts));
        if (found === undefined) {
          // Full machines cost at least what the API costs: at best they draw level where a step is full.
          expect(of.pricePerMachine / of.textsPerMachine).toBeGreaterThanOrEqual(API);
          return;
        }
        expect(Math.abs((first as number) - found.textsPerMonth)).toBeLessThan(2e-3);
        const lost = all.findLast((texts) => !wins(of, texts));
        if (found.forGood < (all.at(-1) as number) / 2) expect(Math.abs((lost ?? 0) - found.forGood)).toBeLessThan(3e-3);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    [
      { textsPerMachine: 10_000, pricePerMachine: 5, leastMachines: 1 },
      { textsPerMonth: 5000, forGood: 5000 },
    ],
    // Two machines cost $12 from the 10,001st text on, which the API does for $10.
    [
      { textsPerMachine: 10_000, pricePerMachine: 6, leastMachines: 1 },
      { textsPerMonth: 6000, forGood: 12_000 },
    ],
    [
      { textsPerMachine: 10_000, pricePerMachine: 6, leastMachines: 3 },
      { textsPerMonth: 18_000, forGood: 18_000 },
    ],
    [{ textsPerMachine: 10_000, pricePerMachine: 10, leastMachines: 1 }, undefined],
    [{ textsPerMachine: 10_000, pricePerMachine: 11, leastMachines: 1 }, undefined],
  ])('of %j is %j', (of, expected) => {
    const found = breakEvenOf(of, API);
    expect(found && { textsPerMonth: Math.round(found.textsPerMonth), forGood: Math.round(found.forGood) }).toEqual(expected);
  });
});
