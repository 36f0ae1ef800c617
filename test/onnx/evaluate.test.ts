// Constants of graphs: every stored type, every operator that is evaluated, shapes known in part, and the order of nodes.
import { describe, expect, it } from 'vitest';
import { readConstant } from '#src/onnx/constant.js';
import { evaluateGraph, type KnownGraph } from '#src/onnx/evaluate.js';
import { AttributeProto, DATA_TYPE, type NodeProto, type TensorProto } from '#src/onnx/proto.js';
import { floatTensor, node, tinyModel } from './tiny.js';

const { INT: INT_TYPE, INTS: INTS_TYPE, FLOAT: FLOAT_TYPE, FLOATS: FLOATS_TYPE, TENSOR: TENSOR_TYPE } = AttributeProto.AttributeType;
const int = (name: string, i: number): object => ({ name, type: INT_TYPE, i });
const ints = (name: string, values: number[]): object => ({ name, type: INTS_TYPE, ints: values });

const bytes = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
const integers = (name: string, values: number[], dims = [values.length]): TensorProto => ({
  name,
  dims,
  dataType: DATA_TYPE.INT64,
  rawData: bytes(BigInt64Array.from(values, BigInt)),
});

/** Stored type -> a tensor of 1, -2 and what is read from it. */
const STORED: readonly (readonly [name: string, tensor: TensorProto, expected: Float32Array | Float64Array])[] = [
  ['float', { dataType: DATA_TYPE.FLOAT, rawData: bytes(Float32Array.of(1, -2)) }, Float32Array.of(1, -2)],
  ['float, typed', { dataType: DATA_TYPE.FLOAT, floatData: [1, -2] }, Float32Array.of(1, -2)],
  ['float16', { dataType: DATA_TYPE.FLOAT16, rawData: bytes(Uint16Array.of(0x3c00, 0xc000)) }, Float32Array.of(1, -2)],
  ['float16, typed', { dataType: DATA_TYPE.FLOAT16, int32Data: [0x3c00, 0xc000] }, Float32Array.of(1, -2)],
  ['bfloat16', { dataType: DATA_TYPE.BFLOAT16, rawData: bytes(Uint16Array.of(0x3f80, 0xc000)) }, Float32Array.of(1, -2)],
  ['double', { dataType: DATA_TYPE.DOUBLE, rawData: bytes(Float64Array.of(1, -2)) }, Float32Array.of(1, -2)],
  ['int64', { dataType: DATA_TYPE.INT64, rawData: bytes(BigInt64Array.of(1n, -2n)) }, Float64Array.of(1, -2)],
  ['int64, typed', { dataType: DATA_TYPE.INT64, int64Data: [1, -2] }, Float64Array.of(1, -2)],
  ['int32', { dataType: DATA_TYPE.INT32, rawData: bytes(Int32Array.of(1, -2)) }, Float64Array.of(1, -2)],
  ['int8', { dataType: DATA_TYPE.INT8, rawData: bytes(Int8Array.of(1, -2)) }, Float64Array.of(1, -2)],
  ['uint8', { dataType: DATA_TYPE.UINT8, rawData: Uint8Array.of(1, 254) }, Float64Array.of(1, 254)],
  ['bool', { dataType: DATA_TYPE.BOOL, rawData: Uint8Array.of(1, 0) }, Float64Array.of(1, 0)],
];

describe('readConstant', () => {
  it.each(STORED)('reads %s', async (_, tensor, expected) => {
    expect(await readConstant({ ...tensor, name: 't', dims: [2] }, 'm.onnx')).toEqual({ dims: [2], data: expected });
  });

  it('reads bytes that start anywhere', async () => {
    const shifted = new Uint8Array(17);
    shifted.set(bytes(BigInt64Array.of(7n, 8n)), 1);
    const tensor = { name: 't', dims: [2], dataType: DATA_TYPE.INT64, rawData: shifted.subarray(1) };
    expect((await readConstant(tensor, 'm.onnx'))?.data).toEqual(Float64Array.of(7, 8));
  });

  it('leaves strings and large tensors of whole numbers unread', async () => {
    expect(await readConstant({ name: 't', dims: [1], dataType: DATA_TYPE.STRING }, 'm.onnx')).toBeUndefined();
    const rawData = new Uint8Array(65_537);
    expect(await readConstant({ name: 't', dims: [65_537], dataType: DATA_TYPE.INT8, rawData }, 'm.onnx')).toBeUndefined();
  });

  it.each([DATA_TYPE.FLOAT16, DATA_TYPE.INT64])('rejects too few values of type %i', async (dataType) => {
    const tensor = { name: 'short', dims: [9], dataType, rawData: new Uint8Array(16) };
    await expect(readConstant(tensor, 'm.onnx')).rejects.toMatchObject({
      code: 'model-invalid',
      message: expect.stringContaining('"short"'),
    });
  });
});

async function evaluate(nodes: NodeProto[], tensors: TensorProto[]): Promise<KnownGraph> {
  const model = tinyModel({ edit: (graph) => Object.assign(graph, { node: nodes, initializer: tensors }) });
  return evaluateGraph({ path: 'm.onnx', model }, 'out');
}

const MATRIX = floatTensor('m', [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6));
const VECTOR = integers('v', [5, 6, 7]);
const scalar = (value: number): TensorProto => floatTensor('s', [], Float32Array.of(value));

/** The node `out` over constants, and its value. */
const COMPUTED: readonly (readonly [
  op: string,
  inputs: readonly (TensorProto | undefined)[],
  attributes: object[],
  dims: number[],
  values: number[],
])[] = [
  ['Identity', [MATRIX], [], [2, 3], [1, 2, 3, 4, 5, 6]],
  ['Cast', [floatTensor('f', [2], Float32Array.of(1.7, -1.7))], [int('to', DATA_TYPE.INT64)], [2], [1, -1]],
  ['Cast', [VECTOR], [int('to', DATA_TYPE.FLOAT)], [3], [5, 6, 7]],
  ['Transpose', [MATRIX], [], [3, 2], [1, 4, 2, 5, 3, 6]],
  ['Transpose', [floatTensor('c', [1, 2, 3], Float32Array.of(1, 2, 3, 4, 5, 6))], [ints('perm', [2, 0, 1])], [3, 1, 2], [1, 4, 2, 5, 3, 6]],
  ['Reshape', [MATRIX, integers('to', [0, -1, 1])], [], [2, 3, 1], [1, 2, 3, 4, 5, 6]],
  ['Unsqueeze', [VECTOR], [ints('axes', [0, -1])], [1, 3, 1], [5, 6, 7]],
  ['Unsqueeze', [VECTOR, integers('axes', [1])], [], [3, 1], [5, 6, 7]],
  ['Squeeze', [floatTensor('c', [1, 2, 1], Float32Array.of(3, 4))], [ints('axes', [-1])], [1, 2], [3, 4]],
  ['Squeeze', [floatTensor('c', [1, 2, 1], Float32Array.of(3, 4))], [], [2], [3, 4]],
  ['Concat', [VECTOR, integers('w', [8])], [int('axis', 0)], [4], [5, 6, 7, 8]],
  ['Gather', [MATRIX, integers('i', [-1], [])], [], [3], [4, 5, 6]],
  ['Gather', [MATRIX, integers('i', [1, 0], [1, 2])], [int('axis', 0)], [1, 2, 3], [4, 5, 6, 1, 2, 3]],
  ['Slice', [VECTOR, integers('a', [-2]), integers('b', [2 ** 40])], [], [2], [6, 7]],
  ['Add', [MATRIX, scalar(1)], [], [2, 3], [2, 3, 4, 5, 6, 7]],
  ['Sub', [scalar(1), MATRIX], [], [2, 3], [0, -1, -2, -3, -4, -5]],
  ['Mul', [VECTOR, VECTOR], [], [3], [25, 36, 49]],
  ['Div', [VECTOR, integers('d', [2])], [], [3], [2, 3, 3]],
  ['Div', [scalar(1), floatTensor('d', [1], Float32Array.of(4))], [], [1], [0.25]],
  ['Pow', [scalar(9), floatTensor('e', [], Float32Array.of(0.5))], [], [], [3]],
  ['Sqrt', [scalar(16)], [], [], [4]],
  ['Reciprocal', [scalar(8)], [], [], [0.125]],
  ['Neg', [VECTOR], [], [3], [-5, -6, -7]],
];

describe('evaluateGraph', () => {
  it.each(COMPUTED)('computes %s', async (opType, inputs, attributes, dims, values) => {
    const names = inputs.map((tensor) => String(tensor?.name));
    const { constants } = await evaluate([node(opType, 'n', names, ['out'], attributes)], [...new Set(inputs)] as TensorProto[]);
    expect(constants.get('out')?.dims).toEqual(dims);
    expect([...(constants.get('out')?.data ?? [])]).toEqual(values);
  });

  it.each([
    ['value', { type: TENSOR_TYPE, t: floatTensor('', [2], Float32Array.of(3, 4)) }, [2], [3, 4]],
    ['value_float', { type: FLOAT_TYPE, f: 0.5 }, [], [0.5]],
    ['value_floats', { type: FLOATS_TYPE, floats: [1, 2] }, [2], [1, 2]],
    ['value_int', { type: INT_TYPE, i: 7 }, [], [7]],
    ['value_ints', { type: INTS_TYPE, ints: [7, 8] }, [2], [7, 8]],
  ])('reads a Constant node by its %s', async (name, attribute, dims, values) => {
    const { constants } = await evaluate([node('Constant', 'n', [], ['out'], [{ name, ...attribute }])], []);
    expect(constants.get('out')?.dims).toEqual(dims);
    expect([...(constants.get('out')?.data ?? [])]).toEqual(values);
  });

  it('knows the sizes of a shape that constants settle, and no others', async () => {
    const nodes = [
      node('Gather', 'rows', ['table', 'input_ids'], ['rows']),
      node('Reshape', 'split', ['rows', 'heads'], ['split']),
      node('Transpose', 'turn', ['split'], ['turned'], [ints('perm', [0, 2, 1, 3])]),
      node('Shape', 'shape', ['turned'], ['shape']),
      node('Gather', 'size', ['shape', 'last'], ['size']),
      node('Concat', 'all', ['shape', 'unknown', 'size'], ['out'], [int('axis', 0)]),
      node('NonZero', 'what', ['input_ids'], ['unknown']),
    ];
    const table = floatTensor('table', [5, 6], new Float32Array(30));
    const { constants, order } = await evaluate(nodes, [table, integers('heads', [0, 0, 2, 3]), integers('last', [-1])]);
    expect([...(constants.get('shape')?.data ?? [])]).toEqual([Number.NaN, 2, Number.NaN, 3]);
    expect([...(constants.get('out')?.data ?? [])]).toEqual([Number.NaN, 2, Number.NaN, 3, Number.NaN, 3]);
    expect(constants.has('rows')).toBe(false);
    expect(order.at(-1)?.opType).toBe('Concat');
    expect(order).toHaveLength(7);
  });

  it('orders nodes after what they read and leaves others out', async () => {
    const nodes = [
      node('Add', 'last', ['b', 'a'], ['out']),
      node('Relu', 'aside', ['b'], ['unused']),
      node('Neg', 'b', ['a'], ['b']),
      node('Relu', 'a', ['input_ids'], ['a']),
    ];
    expect((await evaluate(nodes, [])).order.map((one) => one.name)).toEqual(['a', 'b', 'last']);
  });

  it('names the value that values are renamings of', async () => {
    const nodes = [
      node('Relu', 'a', ['input_ids'], ['a']),
      node('Identity', 'b', ['a'], ['b']),
      node('Cast', 'c', ['b'], ['c'], [int('to', DATA_TYPE.FLOAT)]),
      node('Neg', 'd', ['c'], ['out']),
    ];
    expect([...(await evaluate(nodes, [])).origins]).toEqual([
      ['b', 'a'],
      ['c', 'a'],
    ]);
  });
});
