// Every other reference operator by itself, against ONNX Runtime: integers equal, floats to 1e-5.
import { expect, it } from 'vitest';
import { expectAgreement, modelOf, type NodeSpec } from './graphs.js';
import { COVERED, interpret, uncovered } from './interpret.js';
import { type Tensor, tensor } from './tensor.js';
import { floats, int64s, scalar, scales, wholes } from './values.js';

interface Case {
  readonly op: string;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly attributes?: NodeSpec['attributes'];
  readonly domain?: string;
  readonly opset?: number;
  readonly outputs?: number;
}

const MICROSOFT = 'com.microsoft';
const x = floats(1, [2, 3, 4]);
const row = floats(2, [4]);
const column = floats(3, [3, 1]);
const positive = scales(4, [2, 3, 4], 3);
const ints = wholes(5, 'int64', [2, 3, 4], -20, 20);
// Halves, both signs, at the edges and beyond them.
const halves = tensor('float32', [12], [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5, 127.5, 254.5, 255.5, 1e6, -1e6]);
const mask = tensor('bool', [3, 1], [1, 0, 1]);
const some = (data: readonly number[]): Tensor => tensor('int64', [data.length], data);

const CASES: readonly Case[] = [
  ...['Add', 'Sub', 'Mul', 'Div'].flatMap((op) => [
    { op, inputs: [x, row] },
    { op, inputs: [column, positive] },
    { op, inputs: [ints, tensor('int64', [4], [3, -3, 7, -7])] },
  ]),
  { op: 'Sum', inputs: [x, row, column] },
  { op: 'Min', inputs: [x, row, column] },
  { op: 'Max', inputs: [x, row, column] },
  { op: 'Sqrt', inputs: [positive] },
  { op: 'Pow', inputs: [x, scalar(3)] },
  { op: 'Pow', inputs: [positive, scalar(0.5)] },
  { op: 'Erf', inputs: [floats(6, [50], 5)] },
  { op: 'Tanh', inputs: [floats(6, [50], 5)] },
  { op: 'Relu', inputs: [x] },
  { op: 'Round', inputs: [halves] },
  { op: 'Gelu', inputs: [floats(6, [50], 5)], opset: 20 },
  { op: 'Gelu', inputs: [floats(6, [50], 5)], opset: 20, attributes: { approximate: 'tanh' } },
  { op: 'Gelu', inputs: [floats(6, [50], 5)], domain: MICROSOFT },
  { op: 'FastGelu', inputs: [x], domain: MICROSOFT },
  { op: 'FastGelu', inputs: [x, row], domain: MICROSOFT },
  { op: 'Clip', inputs: [x, scalar(-0.5), scalar(1)] },
  { op: 'Clip', inputs: [x, undefined, scalar(1)] },
  { op: 'Clip', inputs: [x], opset: 6, attributes: { min: { float: -0.25 }, max: { float: 0.75 } } },
  { op: 'Cast', inputs: [floats(7, [30], 100)], attributes: { to: 6 } },
  { op: 'Cast', inputs: [floats(7, [30], 100)], attributes: { to: 3 } },
  { op: 'Cast', inputs: [ints], attributes: { to: 1 } },
  { op: 'Cast', inputs: [tensor('float32', [3], [0, -0.5, 2])], attributes: { to: 9 } },
  { op: 'Cast', inputs: [wholes(8, 'int32', [40], -1000, 1000)], attributes: { to: 2 } },
  { op: 'Where', inputs: [mask, x, row] },
  { op: 'Equal', inputs: [ints, tensor('int64', [4], [...ints.data.subarray(4, 8)])] },
  { op: 'Less', inputs: [x, row] },
  { op: 'Identity', inputs: [x] },
  { op: 'QuantizeLinear', inputs: [halves, scalar(1), tensor('uint8', [], [3])], opset: 10 },
  { op: 'QuantizeLinear', inputs: [halves, scalar(1), tensor('int8', [], [-3])], opset: 13 },
  { op: 'QuantizeLinear', inputs: [x, scales(9, [3], 0.02), wholes(10, 'int8', [3], -9, 9)], opset: 13, attributes: { axis: -2 } },
  { op: 'QuantizeLinear', inputs: [x, scales(9, [4], 0.02)], opset: 13, attributes: { axis: 2 } },
  {
    op: 'QuantizeLinear',
    inputs: [x, scales(9, [2, 3, 2], 0.02), wholes(10, 'int8', [2, 3, 2], -9, 9)],
    opset: 21,
    attributes: { axis: 2, block_size: 2 },
  },
  { op: 'QuantizeLinear', inputs: [floats(6, [50], 1e4), scalar(0.21), tensor('int16', [], [-300])], opset: 21 },
  { op: 'QuantizeLinear', inputs: [x, scalar(0.015), tensor('uint8', [], [99])], domain: MICROSOFT },
  { op: 'DequantizeLinear', inputs: [wholes(11, 'int32', [3, 4], -1e6, 1e6), scales(9, [3], 1e-3)], opset: 13, attributes: { axis: 0 } },
  { op: 'DequantizeLinear', inputs: [wholes(11, 'uint8', [30], 0, 255), scalar(0.3), tensor('uint8', [], [77])], opset: 10 },
  { op: 'DequantizeLinear', inputs: [wholes(11, 'uint16', [30], 0, 65535), scalar(0.3), tensor('uint16', [], [777])], opset: 21 },
  {
    op: 'DequantizeLinear',
    inputs: [wholes(12, 'int8', [4, 6], -128, 127), scales(9, [2, 6], 0.3)],
    opset: 21,
    attributes: { axis: 0, block_size: 2 },
  },
  { op: 'DequantizeLinear', inputs: [wholes(11, 'int8', [30], -128, 127), scalar(0.3), tensor('int8', [], [7])], domain: MICROSOFT },
  { op: 'DynamicQuantizeLinear', inputs: [x], outputs: 3 },
  { op: 'DynamicQuantizeLinear', inputs: [tensor('float32', [3], [0, 0, 0])], outputs: 3 },
  {
    op: 'QLinearMatMul',
    inputs: [
      ...[wholes(13, 'uint8', [3, 20], 0, 255), scalar(0.02), tensor('uint8', [], [120])],
      ...[wholes(14, 'int8', [20, 5], -64, 64), scales(15, [5], 0.02), tensor('int8', [5], [0, 0, 0, 0, 0])],
      ...[scalar(0.11), tensor('uint8', [], [101])],
    ],
  },
  { op: 'MatMul', inputs: [x, floats(16, [4, 5])] },
  { op: 'MatMul', inputs: [floats(17, [2, 1, 3, 4]), floats(16, [6, 4, 5])] },
  { op: 'MatMul', inputs: [row, floats(16, [2, 4, 5])] },
  { op: 'MatMul', inputs: [x, row] },
  { op: 'Gemm', inputs: [floats(16, [3, 5]), floats(17, [5, 4]), row] },
  {
    op: 'Gemm',
    inputs: [floats(16, [5, 3]), floats(17, [4, 5]), column],
    attributes: { transA: 1, transB: 1, alpha: { float: 0.5 }, beta: { float: -2 } },
  },
  { op: 'FusedMatMul', domain: MICROSOFT, inputs: [x, floats(16, [2, 5, 4])], attributes: { transB: 1, alpha: { float: 0.25 } } },
  { op: 'FusedMatMul', domain: MICROSOFT, inputs: [x, floats(16, [2, 3, 5])], attributes: { transA: 1 } },
  { op: 'LayerNormalization', inputs: [x, row], attributes: { epsilon: { float: 0.1 } } },
  { op: 'LayerNormalization', inputs: [x, floats(18, [3, 4]), floats(19, [3, 4])], attributes: { axis: 1 }, outputs: 3 },
  { op: 'Softmax', inputs: [floats(20, [2, 3, 4], 30)] },
  { op: 'Softmax', inputs: [x], attributes: { axis: 1 } },
  { op: 'Softmax', inputs: [x], opset: 11, attributes: { axis: 1 } },
  ...['ReduceMean', 'ReduceMin', 'ReduceMax'].flatMap((op) => [
    { op, inputs: [x], attributes: { axes: [-1] } },
    { op, inputs: [x], attributes: { axes: [0, 2], keepdims: 0 } },
    { op, inputs: [x] },
    { op, inputs: [x, int64s(1)], opset: 18, attributes: { keepdims: 0 } },
    { op, inputs: [x, some([])], opset: 18, attributes: { noop_with_empty_axes: 1 } },
  ]),
  { op: 'Gather', inputs: [x, tensor('int64', [2, 2], [0, -1, 2, 1])], attributes: { axis: 1 } },
  { op: 'Gather', inputs: [x, tensor('int32', [], [1])], attributes: { axis: -1 } },
  { op: 'Slice', inputs: [x, int64s(0, 1), int64s(1, 1000)] },
  { op: 'Slice', inputs: [x, int64s(-2, 1), int64s(-1000, -1), int64s(2, -2), int64s(-2, 1)] },
  { op: 'Slice', inputs: [x, int64s(1000), int64s(-1000), int64s(1), int64s(-1)] },
  { op: 'Slice', inputs: [x, int64s(3), int64s(1), int64s(2)] },
  { op: 'Slice', inputs: [x], opset: 9, attributes: { starts: [1, -3], ends: [2, 3], axes: [1, 2] } },
  { op: 'Shape', inputs: [x] },
  { op: 'Shape', inputs: [x], attributes: { start: -2, end: -1 } },
  { op: 'Reshape', inputs: [x, int64s(0, -1)] },
  { op: 'Reshape', inputs: [x, int64s(4, 2, 3)] },
  { op: 'Transpose', inputs: [x] },
  { op: 'Transpose', inputs: [x], attributes: { perm: [1, 2, 0] } },
  { op: 'Unsqueeze', inputs: [x, int64s(0, -2)] },
  { op: 'Unsqueeze', inputs: [x], opset: 11, attributes: { axes: [1] } },
  { op: 'Squeeze', inputs: [floats(21, [1, 3, 1, 2]), int64s(-2)] },
  { op: 'Squeeze', inputs: [floats(21, [1, 3, 1, 2])] },
  { op: 'Squeeze', inputs: [floats(21, [1, 3, 1, 2])], opset: 11, attributes: { axes: [0] } },
  { op: 'Concat', inputs: [x, floats(22, [2, 1, 4]), x], attributes: { axis: -2 } },
  { op: 'Split', inputs: [x, int64s(1, 3)], attributes: { axis: 2 }, outputs: 2 },
  { op: 'Split', inputs: [x], attributes: { axis: -1 }, outputs: 2 },
  { op: 'Split', inputs: [x], opset: 11, attributes: { axis: 1, split: [2, 1] }, outputs: 2 },
  { op: 'Split', inputs: [floats(23, [7])], opset: 18, attributes: { num_outputs: 3 }, outputs: 3 },
  { op: 'Expand', inputs: [column, int64s(2, 1, 4)] },
  { op: 'Constant', inputs: [], attributes: { value: x } },
  { op: 'Constant', inputs: [], attributes: { value_int: 7 } },
  { op: 'Constant', inputs: [], attributes: { value_float: { float: 0.1 } } },
  { op: 'Constant', inputs: [], attributes: { value_ints: [3, 4] } },
  { op: 'ConstantOfShape', inputs: [int64s(2, 3)] },
  { op: 'ConstantOfShape', inputs: [int64s(2)], attributes: { value: tensor('int64', [1], [9]) } },
];

/** Inputs are constants where operators want that (axes, shapes, splits), so they all are but the first. */
function graphOf({ op, inputs, attributes = {}, domain = '', opset = 17, outputs = 1 }: Case) {
  const named = inputs.flatMap((value, at): [string, Tensor][] => (value === undefined ? [] : [[`in${at}`, value]]));
  const node: NodeSpec = {
    ...{ op, domain, attributes },
    inputs: inputs.map((value, at) => (value === undefined ? '' : `in${at}`)),
    outputs: Array.from({ length: outputs }, (_, at) => `out${at}`),
  };
  const [feeds, constants] = [Object.fromEntries(named.slice(0, 1)), Object.fromEntries(named.slice(1))];
  return { nodes: [node], feeds, constants, outputs: node.outputs, opset };
}

const nameOf = ({ op, domain, opset = 17, attributes, inputs }: Case): string => {
  const dims = inputs.map((value) => (value === undefined ? '-' : `${value.type}[${value.dims}]`));
  const given = Object.entries(attributes ?? {}).map(([name, value]) => `${name}=${JSON.stringify(value).slice(0, 30)}`);
  return [domain, op, `opset ${opset}`, ...dims, ...given].filter(Boolean).join(' ');
};

it.each(CASES.map((one) => [nameOf(one), one] as const))('%s', async (_, one) => {
  await expectAgreement(graphOf(one));
});

it('every operator of the reference has a case here or in runtime.test.ts', () => {
  const there = [
    'MatMulInteger',
    ...['MatMulIntegerToFloat', 'DynamicQuantizeMatMul', 'MultiHeadAttention'].map((op) => `${MICROSOFT} ${op}`),
  ];
  const here = CASES.map(({ op, domain }) => (domain === undefined ? op : `${domain} ${op}`));
  expect([...new Set([...here, ...there])].sort()).toEqual([...COVERED].sort());
});

it('an operator that is not covered is named, not passed over', () => {
  const model = modelOf(graphOf({ op: 'Conv', inputs: [x] }));
  expect(uncovered(model)).toEqual(['operator Conv']);
  expect(() => interpret(model, { in0: x })).toThrow('the reference has no operator Conv');
});
