// A small graph with a constant product of every form that the portable path reads, and others that it must leave alone.
import { DATA_TYPE, type GraphProto, ModelProto, type NodeProto, type TensorProto } from '#src/onnx/proto.js';
import { toF16 } from '#src/vectors/f16.js';
import { floatTensor, node } from '../onnx/tiny.js';

export const DIM = 16;
export const INNER = 24;
const VOCABULARY = 100;

/** Values between -1 and 1 that no two seeds share. */
export function values(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, at) => Math.sin((at + 1) * (seed + 0.731) * 12.9898) * 0.9);
}

function halfTensor(name: string, dims: number[], data: Float32Array): TensorProto {
  const bits = Uint16Array.from(data, toF16);
  return { name, dims, dataType: DATA_TYPE.FLOAT16, rawData: new Uint8Array(bits.buffer) };
}

const integers = (name: string, list: readonly number[]): TensorProto => ({
  name,
  dims: [list.length],
  dataType: DATA_TYPE.INT64,
  rawData: new Uint8Array(BigInt64Array.from(list, BigInt).buffer),
});

export const port = (name: string, elemType: number, shape: readonly (string | number)[]): object => ({
  name,
  type: {
    tensorType: { elemType, shape: { dim: shape.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size })) } },
  },
});

const FLOAT = { name: 'to', type: 2, i: DATA_TYPE.FLOAT };
const inMicrosoft = (one: NodeProto): NodeProto => Object.assign(one, { domain: 'com.microsoft' });

/** rows -> two products of one input -> FusedMatMul -> Gemm, beside attention over the rows themselves. */
function productNodes(): NodeProto[] {
  return [
    node('Gather', 'look_up', ['words', 'input_ids'], ['rows']),
    node('Cast', 'left_weight', ['left.half'], ['left'], [FLOAT]),
    node('MatMul', 'left', ['rows', 'left'], ['a']),
    node('MatMul', 'right', ['rows', 'right'], ['b']),
    node('Add', 'join', ['a', 'b'], ['joined']),
    node('Relu', 'activate', ['joined'], ['active']),
    inMicrosoft(
      node(
        'FusedMatMul',
        'fused',
        ['active', 'fused.weight'],
        ['c'],
        [
          { name: 'transB', type: 2, i: 1 },
          { name: 'alpha', type: 1, f: 0.5 },
        ],
      ),
    ),
    node('Transpose', 'turn', ['c'], ['turned'], [{ name: 'perm', type: 7, ints: [0, 2, 1] }]),
    node('MatMul', 'scores', ['c', 'turned'], ['scores']),
    node('Softmax', 'softmax', ['scores'], ['probabilities'], [{ name: 'axis', type: 2, i: -1 }]),
    node('MatMul', 'mixed', ['probabilities', 'c'], ['mixed']),
    node('Reshape', 'flatten', ['mixed', 'flat'], ['flattened']),
    node(
      'Gemm',
      'gemm',
      ['flattened', 'gemm.weight', 'gemm.bias'],
      ['d'],
      [
        { name: 'transB', type: 2, i: 1 },
        { name: 'alpha', type: 1, f: 2 },
      ],
    ),
    node('Shape', 'shape', ['mixed'], ['shape']),
    node('Reshape', 'unflatten', ['d', 'shape'], ['last_hidden_state']),
  ];
}

export const WEIGHTS = {
  left: values(DIM * INNER, 2),
  right: values(DIM * INNER, 3),
  fused: values(DIM * INNER, 4),
  gemm: values(DIM * DIM, 5),
  bias: values(DIM, 6),
} as const;

export interface ProductsOptions {
  readonly opset?: number;
  readonly inputType?: number;
  readonly edit?: (graph: GraphProto) => void;
}

export function productsModel({ opset = 13, inputType = DATA_TYPE.INT64, edit }: ProductsOptions = {}): ModelProto {
  const graph: GraphProto = {
    name: 'products',
    node: productNodes(),
    initializer: [
      floatTensor('words', [VOCABULARY, DIM], values(VOCABULARY * DIM, 1)),
      halfTensor('left.half', [DIM, INNER], WEIGHTS.left),
      floatTensor('right', [DIM, INNER], WEIGHTS.right),
      floatTensor('fused.weight', [DIM, INNER], WEIGHTS.fused),
      floatTensor('gemm.weight', [DIM, DIM], WEIGHTS.gemm),
      floatTensor('gemm.bias', [DIM], WEIGHTS.bias),
      integers('flat', [-1, DIM]),
    ],
    input: [port('input_ids', inputType, ['batch', 'sequence'])],
    output: [port('last_hidden_state', DATA_TYPE.FLOAT, ['batch', 'sequence', DIM])],
  };
  edit?.(graph);
  const opsetImport = [
    { domain: '', version: opset },
    { domain: 'com.microsoft', version: 1 },
  ];
  return ModelProto.fromObject({ irVersion: 8, opsetImport, graph });
}

/** The first token's vector through one more product. */
export function poolFirstToken(graph: GraphProto): void {
  const last = graph.node?.at(-1);
  if (last) last.output = ['tokens'];
  graph.initializer?.push(
    { name: 'first', dims: [], dataType: DATA_TYPE.INT64, rawData: new Uint8Array(8) },
    floatTensor('head.weight', [DIM, DIM], values(DIM * DIM, 8)),
  );
  graph.node?.push(
    node('Gather', 'first_token', ['tokens', 'first'], ['cls'], [{ name: 'axis', type: 2, i: 1 }]),
    node('MatMul', 'head', ['cls', 'head.weight'], ['last_hidden_state']),
  );
  graph.output = [port('last_hidden_state', DATA_TYPE.FLOAT, ['batch', DIM]) as never];
}

/** One more product, computed in float16. */
export function halfHead(graph: GraphProto): void {
  const last = graph.node?.at(-1);
  if (last) last.output = ['tokens'];
  const bits = Uint16Array.from(values(DIM * DIM, 9), toF16);
  graph.initializer?.push({ name: 'head.half', dims: [DIM, DIM], dataType: DATA_TYPE.FLOAT16, rawData: new Uint8Array(bits.buffer) });
  graph.node?.push(
    node('Cast', 'to_half', ['tokens'], ['tokens.half'], [{ name: 'to', type: 2, i: DATA_TYPE.FLOAT16 }]),
    node('MatMul', 'half_head', ['tokens.half', 'head.half'], ['head.out']),
    node('Cast', 'to_float', ['head.out'], ['last_hidden_state'], [{ name: 'to', type: 2, i: DATA_TYPE.FLOAT }]),
  );
}
