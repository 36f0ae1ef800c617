// Operations counted from shapes, against counts done by hand and against a model's own architecture.

import { describe, expect, it } from 'vitest';
import { byLength, classesOf, type NodeEvent, operationsAt, operationsOf, totalOf } from '#src/bench/operations.js';
import { fc } from '../properties.js';

const event = (op_name: string, inputs: readonly number[][], output: readonly number[], duration = 1000): NodeEvent => ({
  op_name,
  input_type_shape: inputs.map((shape) => ({ float: shape })),
  output_type_shape: [{ float: output }],
  duration,
});

describe('operationsOf', () => {
  it.each([
    ['MatMul', [[20, 50, 384]], [20, 50, 1536], { int8: 0, fp32: 2 * 20 * 50 * 384 * 1536, attention: 0 }],
    ['MatMulIntegerToFloat', [[1000, 384]], [1000, 384], { int8: 2 * 1000 * 384 * 384, fp32: 0, attention: 0 }],
    ['FusedMatMul', [[20, 12, 50, 32]], [20, 12, 50, 50], { int8: 0, fp32: 0, attention: 2 * 20 * 12 * 50 * 50 * 32 }],
    [
      'MultiHeadAttention',
      [
        [20, 1, 384],
        [20, 50, 384],
      ],
      [20, 1, 384],
      { int8: 0, fp32: 0, attention: 4 * 20 * 50 * 384 },
    ],
    ['Attention', [[2, 8, 16]], [2, 8, 16], { int8: 0, fp32: 2 * 2 * 8 * 16 * 48, attention: 4 * 2 * 8 * 8 * 16 }],
    ['Softmax', [[20, 12, 50, 50]], [20, 12, 50, 50], { int8: 0, fp32: 0, attention: 0 }],
  ])('counts %s', (op, inputs, output, expected) => {
    expect(operationsOf(event(op, inputs, output))).toEqual(expected);
  });
});

describe('classesOf', () => {
  it('keeps every millisecond and operation, as the mean of a pass', () => {
    const size = fc.integer({ min: 1, max: 64 });
    const op = fc.constantFrom('MatMul', 'MatMulInteger', 'Gelu', 'Softmax');
    const node = fc.record({ op, m: size, k: size, n: size, duration: fc.integer({ min: 1, max: 10_000 }) });
    fc.assert(
      fc.property(fc.array(node, { minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 8 }), (nodes, passes) => {
        const pass = nodes.map((one) => event(one.op, [[one.m, one.k]], [one.m, one.n], one.duration));
        const classes = classesOf(Array(passes).fill(pass).flat(), passes);
        const milliseconds = Object.values(classes).reduce((sum, one) => sum + one.milliseconds, 0);
        const work = (op: string): number => nodes.reduce((sum, one) => sum + (one.op === op ? 2 * one.m * one.k * one.n : 0), 0);
        expect(milliseconds).toBeCloseTo(pass.reduce((sum, { duration }) => sum + duration, 0) / 1000, 6);
        expect(totalOf(classes).fp32).toBeCloseTo(work('MatMul'), 3);
        expect(totalOf(classes).int8).toBeCloseTo(work('MatMulInteger'), 3);
      }),
    );
  });
});

describe('byLength', () => {
  it('tells every length from two, for a model whose last layer has one query', () => {
    const [layers, hidden, inner] = [12, 384, 1536];
    const aText = (width: number) => {
      const aToken = 2 * (4 * hidden ** 2 + 2 * hidden * inner);
      const last = 2 * 2 * hidden ** 2 * width + 2 * (2 * hidden ** 2 + 2 * hidden * inner);
      return { int8: (layers - 1) * aToken * width + last, fp32: 0, attention: 4 * hidden * ((layers - 1) * width * width + width) };
    };
    const coefficients = byLength({ width: 50, ...aText(50) }, { width: 100, ...aText(100) });
    for (const width of [3, 8, 50, 77, 512]) {
      const found = operationsAt(coefficients, width);
      const expected = aText(width);
      expect(found.int8 / expected.int8).toBeCloseTo(1, 9);
      expect(found.attention / expected.attention).toBeCloseTo(1, 9);
      expect(found.fp32).toBe(0);
    }
  });
});
