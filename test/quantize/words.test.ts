// The word table as int8 rows: how far each value may be off, and what the rows' scales are.

import { describe, expect, it } from 'vitest';
import { dequantizeRows, quantizeRows } from '#src/quantize/words.js';
import { fc } from '../properties.js';

const tables = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 9 }), fc.constantFrom(1, 1e-30, 1e30))
  .chain(([rows, dim, magnitude]) =>
    fc
      .array(fc.oneof(fc.double({ min: -1, max: 1, noNaN: true }), fc.constantFrom(0, 1, -1)), {
        minLength: rows * dim,
        maxLength: rows * dim,
      })
      .map((values) => ({ rows, dim, data: Float32Array.from(values, (one) => one * magnitude) })),
  );

describe('quantizeRows', () => {
  it('is nowhere off by more than half the step of its row, and uses all of the range', () => {
    fc.assert(
      fc.property(tables, (table) => {
        const { rows, dim, data, scales } = quantizeRows(table);
        expect([rows, dim, data.length, scales.length]).toEqual([table.rows, table.dim, table.data.length, table.rows]);
        for (let row = 0; row < rows; row++) {
          const scale = scales[row] as number;
          const integers = data.subarray(row * dim, (row + 1) * dim);
          const exact = table.data.subarray(row * dim, (row + 1) * dim);
          expect(scale > 0 && Number.isFinite(scale)).toBe(true);
          // A row without a value above the denormals is nothing.
          const isNothing = exact.every((one) => Math.abs(one) < 1e-36);
          if (!isNothing) expect(Math.max(...integers.map(Math.abs))).toBe(127);
          exact.forEach((one, at) => {
            expect(Math.abs(one - (integers[at] as number) * scale)).toBeLessThanOrEqual(isNothing ? 1e-36 : 0.50001 * scale);
          });
        }
      }),
    );
  });

  it('gives each row the precision of its own', () => {
    const { data, scales } = quantizeRows({ rows: 3, dim: 2, data: Float32Array.of(127, 1, 0.0127, -0.0254, -1000, 600) });
    expect([...data]).toEqual([127, 1, 64, -127, -127, 76]);
    expect([...scales]).toEqual([1, Math.fround(Math.fround(0.0254) / 127), Math.fround(1000 / 127)]);
  });

  it('leaves rows of zeros zeros', () => {
    const table = { rows: 2, dim: 3, data: Float32Array.of(0, 0, -0, 1, 2, 3) };
    const quantized = quantizeRows(table);
    expect([...quantized.data.subarray(0, 3)]).toEqual([0, 0, 0]);
    expect([...dequantizeRows(quantized).data.subarray(0, 3)]).toEqual([0, 0, 0]);
  });
});

describe('dequantizeRows', () => {
  it('multiplies each row by its scale, in float32 as the graph does', () => {
    const { rows, dim, data } = dequantizeRows({ rows: 2, dim: 2, data: Int8Array.of(1, -127, 3, 0), scales: Float32Array.of(0.1, 0.3) });
    expect({ rows, dim, data }).toEqual({
      rows: 2,
      dim: 2,
      data: Float32Array.of(Math.fround(0.1), -127 * Math.fround(0.1), 3 * Math.fround(0.3), 0),
    });
  });

  it('gives a table that quantizes to the same integers again', () => {
    fc.assert(
      fc.property(tables, (table) => {
        const once = quantizeRows(table);
        expect(quantizeRows(dequantizeRows(once)).data).toEqual(once.data);
      }),
    );
  });
});
