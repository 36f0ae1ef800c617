// One graph in other words: edits that keep what a graph computes but write it with other operators.
import { MICROSOFT } from '#src/onnx/build.js';
import { AttributeProto, DATA_TYPE, type GraphProto, type NodeProto, type TensorProto } from '#src/onnx/proto.js';
import { floatTensor, node } from '../onnx/tiny.js';
import { goldenArray } from './golden.js';

export const INTS = (name: string, ints: number[]): object => ({ name, type: AttributeProto.AttributeType.INTS, ints });
export const INT = (name: string, i: number): object => ({ name, type: AttributeProto.AttributeType.INT, i });
const FLOAT = (name: string, f: number): object => ({ name, type: AttributeProto.AttributeType.FLOAT, f });

export function nodesOf(graph: GraphProto): NodeProto[] {
  return graph.node as NodeProto[];
}

/** Puts other nodes in the place of each node for which `write` gives some. */
export function rewrite(graph: GraphProto, write: (one: NodeProto, at: number) => NodeProto[] | undefined): void {
  graph.node = nodesOf(graph).flatMap((one, at) => write(one, at) ?? [one]);
}

function producer(graph: GraphProto, name: string | undefined): NodeProto | undefined {
  return nodesOf(graph).find((one) => one.output?.[0] === name);
}

function integers(name: string, values: number[]): TensorProto {
  return { name, dims: [values.length], dataType: DATA_TYPE.INT64, int64Data: values };
}

function add(graph: GraphProto, tensor: TensorProto): string {
  (graph.initializer as TensorProto[]).push(tensor);
  return String(tensor.name);
}

/** The product of each linear map of the encoder, by the bias that is added to it, in the order of the graph. */
function biasedProducts(graph: GraphProto): { product: NodeProto; sum: NodeProto; path: string }[] {
  const parts: Record<string, string> = {
    'attention.self.query.bias': 'query',
    'attention.self.key.bias': 'key',
    'attention.self.value.bias': 'value',
    'attention.output.dense.bias': 'output',
    'intermediate.dense.bias': 'up',
    'output.dense.bias': 'down',
  };
  return nodesOf(graph).flatMap((sum) => {
    const bias = sum.input?.find((name) => /layer\.\d+\..*(query|key|value|dense)\.bias$/.test(name));
    const product = sum.input?.map((name) => producer(graph, name)).find((one) => one?.opType === 'MatMul');
    const [, at = '', rest = ''] = /layer\.(\d+)\.(.*)$/.exec(bias ?? '') ?? [];
    return sum.opType === 'Add' && product !== undefined ? [{ product, sum, path: `layers.${at}.${parts[rest]}` }] : [];
  });
}

/** d / sqrt(v) as d * (1 / sqrt(v)). */
export function reciprocalNorms(graph: GraphProto): void {
  rewrite(graph, (one, at) => {
    const [centred = '', spread = ''] = one.input ?? [];
    if (one.opType !== 'Div' || producer(graph, spread)?.opType !== 'Sqrt') return undefined;
    return [node('Reciprocal', '', [spread], [`inverse${at}`]), node('Mul', '', [`inverse${at}`, centred], [String(one.output?.[0])])];
  });
}

/** v ** 2 as v * v. */
export function multipliedSquares(graph: GraphProto): void {
  rewrite(graph, (one) =>
    one.opType === 'Pow' ? [node('Mul', '', [String(one.input?.[0]), String(one.input?.[0])], [...(one.output ?? [])])] : undefined,
  );
}

/** x / sqrt 2 below erf as x * 0.70710678. */
export function multipliedErf(graph: GraphProto): void {
  const factor = add(graph, floatTensor('half_root', [], Float32Array.of(Math.SQRT1_2)));
  const arguments_ = new Set(nodesOf(graph).flatMap((one) => (one.opType === 'Erf' ? (one.input ?? []) : [])));
  rewrite(graph, (one) =>
    arguments_.has(String(one.output?.[0])) ? [node('Mul', '', [factor, String(one.input?.[0])], [...(one.output ?? [])])] : undefined,
  );
}

/** Every sum and product the other way round. */
export function swappedOperands(graph: GraphProto): void {
  for (const one of nodesOf(graph)) if (one.opType === 'Add' || one.opType === 'Mul') one.input?.reverse();
}

export function sumsForAdds(graph: GraphProto): void {
  for (const one of nodesOf(graph)) if (one.opType === 'Add') one.opType = 'Sum';
}

/** Dropout, Identity and Cast behind every operator that computes. */
export function idleOperators(graph: GraphProto): void {
  rewrite(graph, (one, at) => {
    if (!['MatMul', 'LayerNormalization', 'Softmax', 'Erf', 'Mul', 'Gather', 'Transpose'].includes(String(one.opType))) return undefined;
    const output = String(one.output?.[0]);
    one.output = [`busy${at}`];
    const cast = node('Cast', '', [`idle${at}`], [output], [INT('to', DATA_TYPE.FLOAT)]);
    if (/int64|Shape/.test(String(one.opType)) || isInteger(graph, one)) return [one, node('Identity', '', [`busy${at}`], [output])];
    return [one, node('Dropout', '', [`busy${at}`], [`kept${at}`, `mask${at}`]), node('Identity', '', [`kept${at}`], [`idle${at}`]), cast];
  });
}

/** Whether a Gather reads a shape and not a table. */
function isInteger(graph: GraphProto, one: NodeProto): boolean {
  return one.opType === 'Gather' && producer(graph, one.input?.[0])?.opType === 'Shape';
}

/** x W + b as Reshape, Gemm with W turned, Reshape. */
export function gemms(graph: GraphProto): void {
  const products = new Map(biasedProducts(graph).map((one) => [one.sum, one]));
  rewrite(graph, (one, at) => {
    const found = products.get(one);
    if (found === undefined) return undefined;
    const weight = goldenArray(`${found.path}.weight`);
    const outputs = goldenArray(`${found.path}.bias`).length;
    const inputs = weight.length / outputs;
    const turned = Float32Array.from(weight, (_, to) => weight[(to % inputs) * outputs + Math.floor(to / inputs)] as number);
    const bias = one.input?.find((name) => name.endsWith('.bias')) as string;
    const flat = add(graph, integers(`flat${at}`, [-1, inputs]));
    const deep = add(graph, integers(`deep${at}`, [-1, 6, outputs]));
    const turnedName = add(graph, floatTensor(`turned${at}`, [outputs, inputs], turned));
    return [
      node('Reshape', '', [String(found.product.input?.[0]), flat], [`rows${at}`]),
      node('Gemm', '', [`rows${at}`, turnedName, bias], [`product${at}`], [INT('transB', 1)]),
      node('Reshape', '', [`product${at}`, deep], [String(one.output?.[0])]),
    ];
  });
}

/** x W as 2 x (W/2 turned): what the runtime's fusions of factors and transposes leave. */
export function fusedProducts(graph: GraphProto): void {
  const products = new Map(biasedProducts(graph).map((one) => [one.product, one]));
  rewrite(graph, (one, at) => {
    const found = products.get(one);
    if (found === undefined) return undefined;
    const weight = goldenArray(`${found.path}.weight`).map((value) => value / 2);
    const outputs = goldenArray(`${found.path}.bias`).length;
    const dims = [weight.length / outputs, outputs];
    const name = add(graph, floatTensor(`halved${at}`, dims, weight));
    const fused = node('FusedMatMul', '', [String(one.input?.[0]), name], [...(one.output ?? [])], [FLOAT('alpha', 2)]);
    fused.domain = MICROSOFT;
    return [fused];
  });
}

/** Query, key and value as one product and a Split, or three Slices. */
export function packedProducts(cut: 'Split' | 'Slice'): (graph: GraphProto) => void {
  return (graph) => {
    const found = biasedProducts(graph).filter(({ path }) => /query|key|value/.test(path));
    const gone = new Set(found.flatMap(({ product, sum }) => [product, sum]));
    for (const layer of new Set(found.map(({ path }) => path.split('.')[1]))) {
      const own = ['query', 'key', 'value'].map((part) => found.find(({ path }) => path === `layers.${layer}.${part}`));
      const sums = own.map((one) => String(one?.sum.output?.[0]));
      const packed = packedNodes(graph, String(layer), String(own[0]?.product.input?.[0]), sums, cut);
      const at = Math.min(...own.map((one) => nodesOf(graph).indexOf(one?.product as NodeProto)));
      nodesOf(graph).splice(at, 0, ...packed);
    }
    graph.node = nodesOf(graph).filter((one) => !gone.has(one));
  };
}

function packedNodes(graph: GraphProto, layer: string, input: string, outputs: string[], cut: 'Split' | 'Slice'): NodeProto[] {
  const parts = ['query', 'key', 'value'].map((part) => `layers.${layer}.${part}`);
  const biases = parts.map((part) => goldenArray(`${part}.bias`));
  const width = biases[0]?.length as number;
  const weights = parts.map((part) => goldenArray(`${part}.weight`));
  const inputs = (weights[0]?.length as number) / width;
  const weight = Float32Array.from({ length: inputs * width * 3 }, (_, at) => {
    const [row, column] = [Math.floor(at / (width * 3)), at % (width * 3)];
    return weights[Math.floor(column / width)]?.[row * width + (column % width)] as number;
  });
  const name = add(graph, floatTensor(`packed${layer}`, [inputs, width * 3], weight));
  const bias = add(graph, floatTensor(`packed_bias${layer}`, [width * 3], Float32Array.from(biases.flatMap((one) => [...one]))));
  const product = [node('MatMul', '', [input, name], [`product${layer}`]), node('Add', '', [`product${layer}`, bias], [`all${layer}`])];
  if (cut === 'Split') return [...product, node('Split', '', [`all${layer}`], outputs, [INT('axis', -1)])];
  const axes = add(graph, integers(`axes${layer}`, [2]));
  const ends = [width, width * 2, 2 ** 31].map((end, at) => add(graph, integers(`end${layer}_${at}`, [end])));
  const starts = [0, width, -width].map((start, at) => add(graph, integers(`start${layer}_${at}`, [start])));
  return [
    ...product,
    ...outputs.map((output, at) => node('Slice', '', [`all${layer}`, starts[at] as string, ends[at] as string, axes], [output])),
  ];
}

/** Leaves the biases of keys out. */
export function withoutKeyBias(graph: GraphProto): void {
  for (const { product, sum, path } of biasedProducts(graph)) {
    if (!path.endsWith('.key')) continue;
    product.output = [...(sum.output ?? [])];
    graph.node = nodesOf(graph).filter((one) => one !== sum);
  }
}
