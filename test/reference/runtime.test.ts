// Small graphs as the quantizing passes emit them, by the reference and by ONNX Runtime: integers equal, floats to 1e-5.
// u8 x s8 products are kept to weights within 64, so that pair sums fit 16 bits: processors without VNNI saturate beyond.
import { describe, expect, it } from 'vitest';
import { expectAgreement, expectAlike, type NodeSpec } from './graphs.js';
import { type Tensor, tensor } from './tensor.js';
import { floats, int64s, scalar, scales, wholes } from './values.js';

const OPSET = 17;
const MICROSOFT = 'com.microsoft';

function spreadOf(of: Tensor | undefined): number {
  return new Set(of?.data).size;
}

describe('integer products', () => {
  const a = wholes(1, 'uint8', [2, 3, 40], 0, 255);
  const b = wholes(2, 'int8', [40, 7], -64, 64);
  const fused: NodeSpec = {
    op: 'MatMulIntegerToFloat',
    domain: MICROSOFT,
    inputs: ['a', 'b', 'a_scale', 'b_scale', 'a_zero', 'b_zero', 'bias'],
    outputs: ['y'],
  };
  const constants = {
    b,
    a_scale: scalar(0.031),
    b_scale: scales(3, [7], 0.02),
    a_zero: tensor('uint8', [], [117]),
    b_zero: tensor('int8', [7], new Array(7).fill(0)),
    bias: floats(4, [7]),
  };

  it('MatMulIntegerToFloat with a scale a column, zero point and bias', async () => {
    const { y } = await expectAgreement({ nodes: [fused], feeds: { a }, constants, outputs: ['y'], opset: OPSET });
    expect(spreadOf(y)).toBe(42);
  });

  it('MatMulIntegerToFloat with a scale and a zero point for all, without bias', async () => {
    const node = { ...fused, inputs: fused.inputs.slice(0, 6) };
    const simple = { ...constants, b_scale: scalar(0.011), b_zero: tensor('int8', [], [5]) };
    await expectAgreement({ nodes: [node], feeds: { a }, constants: simple, outputs: ['y'], opset: OPSET });
  });

  it('MatMulIntegerToFloat with the optional zero points left out', async () => {
    const node = { ...fused, inputs: ['a', 'b', 'a_scale', 'b_scale', '', '', 'bias'] };
    await expectAgreement({ nodes: [node], feeds: { a }, constants, outputs: ['y'], opset: OPSET });
  });

  it('MatMulInteger, with zero points', async () => {
    const node = { op: 'MatMulInteger', inputs: ['a', 'b', 'a_zero'], outputs: ['y'] };
    const { y } = await expectAgreement({ nodes: [node], feeds: { a }, constants, outputs: ['y'], opset: OPSET });
    expect(y?.type).toBe('int32');
    const both = { ...node, inputs: [...node.inputs, 'b_zero'] };
    const zeros = { ...constants, b_zero: tensor('int8', [], [-7]) };
    await expectAgreement({ nodes: [both], feeds: { a }, constants: zeros, outputs: ['y'], opset: OPSET });
  });

  it('DynamicQuantizeMatMul', async () => {
    const node = { op: 'DynamicQuantizeMatMul', domain: MICROSOFT, inputs: ['x', 'b', 'b_scale', '', 'bias'], outputs: ['y'] };
    await expectAgreement({ nodes: [node], feeds: { x: floats(5, [2, 3, 40]) }, constants, outputs: ['y'], opset: OPSET });
  });
});

describe('chains', () => {
  const x = floats(11, [2, 3, 24], 3);

  it('QuantizeLinear -> MatMulIntegerToFloat -> Gelu -> Sum -> LayerNormalization', async () => {
    const nodes: NodeSpec[] = [
      { op: 'QuantizeLinear', inputs: ['x', 'x_scale', 'x_zero'], outputs: ['q'] },
      {
        op: 'MatMulIntegerToFloat',
        domain: MICROSOFT,
        inputs: ['q', 'w', 'x_scale', 'w_scale', 'x_zero', 'w_zero', 'bias'],
        outputs: ['wide'],
      },
      { op: 'Gelu', domain: MICROSOFT, inputs: ['wide'], outputs: ['active'] },
      { op: 'Sum', inputs: ['active', 'x'], outputs: ['sum'] },
      { op: 'LayerNormalization', inputs: ['sum', 'gamma', 'beta'], outputs: ['y'], attributes: { axis: -1, epsilon: { float: 1e-12 } } },
    ];
    const constants = {
      x_scale: scalar(0.025),
      x_zero: tensor('uint8', [], [128]),
      w: wholes(12, 'int8', [24, 24], -64, 64),
      w_scale: scales(13, [24], 0.02),
      w_zero: tensor('int8', [24], new Array(24).fill(0)),
      bias: floats(14, [24]),
      gamma: floats(15, [24]),
      beta: floats(16, [24]),
    };
    const outputs = ['q', 'wide', 'active', 'y'];
    const { q, y } = await expectAgreement({ nodes, feeds: { x }, constants, outputs, opset: OPSET });
    // Some values are beyond the range, so both saturate.
    expect([Math.min(...(q?.data ?? [])), Math.max(...(q?.data ?? []))]).toEqual([8, 248]);
    expect(spreadOf(y)).toBe(144);
  });

  it('a table in int8 per row: Gather, Cast and Mul of what is looked up', async () => {
    const nodes: NodeSpec[] = [
      { op: 'Gather', inputs: ['table', 'ids'], outputs: ['rows'], attributes: { axis: 0 } },
      { op: 'Gather', inputs: ['scales', 'ids'], outputs: ['row_scales'], attributes: { axis: 0 } },
      { op: 'Cast', inputs: ['rows'], outputs: ['floats'], attributes: { to: 1 } },
      { op: 'Mul', inputs: ['floats', 'row_scales'], outputs: ['y'] },
    ];
    const constants = { table: wholes(21, 'int8', [9, 6], -127, 127), scales: scales(22, [9, 1], 0.01) };
    const ids = tensor('int64', [2, 3], [0, 8, 4, 4, 1, 7]);
    await expectAgreement({ nodes, feeds: { ids }, constants, outputs: ['y'], opset: OPSET });
  });

  it('DequantizeLinear of weights, per column -> MatMul', async () => {
    const nodes: NodeSpec[] = [
      { op: 'DequantizeLinear', inputs: ['w', 'w_scale', 'w_zero'], outputs: ['weights'], attributes: { axis: 1 } },
      { op: 'MatMul', inputs: ['x', 'weights'], outputs: ['product'] },
      { op: 'Add', inputs: ['product', 'bias'], outputs: ['y'] },
    ];
    const constants = {
      w: wholes(31, 'int8', [24, 5], -128, 127),
      w_scale: scales(32, [5], 0.02),
      w_zero: tensor('int8', [5], new Array(5).fill(0)),
      bias: floats(33, [5]),
    };
    await expectAgreement({ nodes, feeds: { x }, constants, outputs: ['y'], opset: OPSET });
  });

  it('QuantizeLinear -> DequantizeLinear -> MatMul with quantized weights', async () => {
    const nodes: NodeSpec[] = [
      { op: 'QuantizeLinear', inputs: ['x', 'x_scale', 'x_zero'], outputs: ['q'] },
      { op: 'DequantizeLinear', inputs: ['q', 'x_scale', 'x_zero'], outputs: ['back'] },
      { op: 'DequantizeLinear', inputs: ['w', 'w_scale', 'w_zero'], outputs: ['weights'] },
      { op: 'MatMul', inputs: ['back', 'weights'], outputs: ['y'] },
    ];
    const constants = {
      x_scale: scalar(0.025),
      x_zero: tensor('int8', [], [-3]),
      w: wholes(41, 'int8', [24, 5], -127, 127),
      w_scale: scales(42, [5], 0.02),
      w_zero: tensor('int8', [5], new Array(5).fill(0)),
    };
    await expectAgreement({ nodes, feeds: { x }, constants, outputs: ['q', 'back', 'y'], opset: OPSET });
  });
});

describe('attention', () => {
  const [q, k, v] = [floats(51, [2, 5, 12]), floats(52, [2, 7, 12]), floats(53, [2, 7, 12])] as [Tensor, Tensor, Tensor];

  it.each([{ num_heads: 3 }, { num_heads: 2, scale: { float: 1 } }])('MultiHeadAttention with %o', async (attributes) => {
    const node = { op: 'MultiHeadAttention', domain: MICROSOFT, inputs: ['q', 'k', 'v'], outputs: ['y'], attributes };
    await expectAgreement({ nodes: [node], feeds: { q, k, v }, outputs: ['y'], opset: OPSET });
  });

  it('is what Reshape, Transpose, FusedMatMul, Softmax and MatMul make of it', async () => {
    const heads = (name: string): NodeSpec[] => [
      { op: 'Reshape', inputs: [name, 'shape'], outputs: [`${name}_split`] },
      { op: 'Transpose', inputs: [`${name}_split`], outputs: [`${name}_heads`], attributes: { perm: [0, 2, 1, 3] } },
    ];
    const fused = { transB: 1, alpha: { float: 0.5 } };
    const nodes: NodeSpec[] = [
      ...['q', 'k', 'v'].flatMap(heads),
      { op: 'FusedMatMul', domain: MICROSOFT, inputs: ['q_heads', 'k_heads'], outputs: ['scores'], attributes: fused },
      { op: 'Softmax', inputs: ['scores'], outputs: ['shares'], attributes: { axis: -1 } },
      { op: 'MatMul', inputs: ['shares', 'v_heads'], outputs: ['mixed'] },
      { op: 'Transpose', inputs: ['mixed'], outputs: ['turned'], attributes: { perm: [0, 2, 1, 3] } },
      { op: 'Reshape', inputs: ['turned', 'joined'], outputs: ['y'] },
      { op: 'MultiHeadAttention', domain: MICROSOFT, inputs: ['q', 'k', 'v'], outputs: ['z'], attributes: { num_heads: 3 } },
    ];
    const constants = { shape: int64s(0, 0, 3, 4), joined: int64s(0, 0, 12) };
    const { y, z } = await expectAgreement({ nodes, feeds: { q, k, v }, constants, outputs: ['y', 'z'], opset: OPSET });
    expectAlike(y as Tensor, z as Tensor, 1e-6);
  });
});
