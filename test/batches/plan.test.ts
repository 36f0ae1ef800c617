// Planning as properties: nothing lost, nothing padded, budgets held, order restored.

import { describe, expect, it } from 'vitest';
import { lengthsOf, packBatch, unsort } from '#src/batches/pack.js';
import { planBatches } from '#src/batches/plan.js';
import { fc } from '../properties.js';

const lengthsArb = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 300 }).map((lengths) => Int32Array.from(lengths));
const limitsArb = fc.record({
  maxTokens: fc.integer({ min: 1, max: 400 }),
  maxRows: fc.integer({ min: 1, max: 50 }),
  workers: fc.integer({ min: 1, max: 8 }),
});

describe('planBatches', () => {
  it('puts every row into exactly one batch', () => {
    fc.assert(
      fc.property(lengthsArb, limitsArb, (lengths, limits) => {
        const rows = planBatches(lengths, limits).flatMap((batch) => [...batch]);
        expect(rows.toSorted((a, b) => a - b)).toEqual([...lengths.keys()]);
      }),
    );
  });

  it('makes batches of one length, within both budgets but for a lone long text, longest first', () => {
    fc.assert(
      fc.property(lengthsArb, limitsArb, (lengths, limits) => {
        const batches = planBatches(lengths, limits);
        const widths = batches.map((rows) => {
          expect(new Set([...rows].map((row) => lengths[row])).size).toBe(1);
          const width = lengths[rows[0] as number] as number;
          expect(rows.length === 1 || rows.length * width <= limits.maxTokens).toBe(true);
          expect(rows.length).toBeLessThanOrEqual(limits.maxRows);
          return width;
        });
        expect(widths).toEqual(widths.toSorted((a, b) => b - a));
      }),
    );
  });

  it('fills batches as far as the budget goes', () => {
    const batches = planBatches(new Int32Array(100).fill(10), { maxTokens: 200, maxRows: 64, workers: 1 });
    expect(batches.map((rows) => rows.length)).toEqual([20, 20, 20, 20, 20]);
  });

  it('cuts a small job finer, so that every worker has something to do', () => {
    const lengths = new Int32Array(16).fill(50);
    expect(planBatches(lengths, { maxTokens: 1024, maxRows: 256, workers: 1 }).length).toBeLessThan(6);
    expect(planBatches(lengths, { maxTokens: 1024, maxRows: 256, workers: 4 }).length).toBeGreaterThanOrEqual(4);
  });
});

describe('packBatch and unsort', () => {
  it('bring what was computed for a text back to its row', () => {
    fc.assert(
      fc.property(lengthsArb, limitsArb, (lengths, limits) => {
        const offsets = new Int32Array(lengths.length + 1);
        lengths.forEach((length, row) => {
          offsets[row + 1] = (offsets[row] as number) + length;
        });
        const texts = { ids: Int32Array.from({ length: offsets.at(-1) as number }, (_, at) => at * 7), offsets };
        expect(lengthsOf(offsets)).toEqual(lengths);
        const result = new Float32Array(lengths.length * 2);
        for (const rows of planBatches(lengths, limits)) {
          const batch = packBatch(texts, rows);
          // A stand-in for the model: the first id of each text, and its length.
          const vectors = Float32Array.from({ length: batch.rows * 2 }, (_, at) =>
            at % 2 === 0 ? (batch.ids[(at / 2) * batch.width] as number) : batch.width,
          );
          unsort(vectors, rows, 2, result);
        }
        const expected = Float32Array.from({ length: result.length }, (_, at) =>
          at % 2 === 0 ? (offsets[at / 2] as number) * 7 : (lengths[(at - 1) / 2] as number),
        );
        expect(result).toEqual(expected);
      }),
    );
  });
});
