// The attention core, whatever operators it is written in: the linear maps behind query, key and value, the heads and the scale.
import type { KnownGraph } from '../../onnx/evaluate.js';
import { floatAttribute, integerAttribute, integersAttribute } from '../../onnx/lookup.js';
import type { NodeProto } from '../../onnx/proto.js';
import type { Linear } from '../encoder.js';
import { type Climb, climb, type Source } from './climb.js';
import { columnsOf, linearOf } from './linear.js';
import { contradiction, originOf, unrecognised, weightOf } from './trace.js';

export interface AttentionMatch {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly heads: number;
  readonly scale: number;
}

/** The attention that gives the value. Throws `model-unsupported` where there is none, `model-invalid` where sizes contradict each other. */
export function matchAttention(graph: KnownGraph, source: Source, name: string): AttentionMatch {
  const core = climb(graph, source, name);
  const { node } = core;
  if (node === undefined) throw unrecognised(graph, 'attention', name);
  if (node.opType === 'MultiHeadAttention') return multiHead(graph, source, node);
  if (node.opType === 'Attention') return node.domain === 'com.microsoft' ? packed(graph, source, node) : standard(graph, source, node);
  return decomposed(graph, source, node, core);
}

/** softmax(scale q k^T + mask) v, each step a node of its own; the order of operands tells q, k and v apart. */
function decomposed(graph: KnownGraph, source: Source, mix: NodeProto, core: Climb): AttentionMatch {
  const [sharesName, valueName] = twoOperands(graph, mix, core);
  const shares = climb(graph, source, sharesName);
  if (shares.node?.opType !== 'Softmax') throw unrecognised(graph, 'softmax of attention', sharesName);
  const scores = climb(graph, source, String(shares.node.input?.[0]));
  if (scores.node === undefined) throw unrecognised(graph, 'the product of query and key', sharesName);
  const [queryName, keyName] = twoOperands(graph, scores.node, scores);
  const [query, key, value] = [queryName, keyName, valueName].map((operand) => climb(graph, source, operand)) as [Climb, Climb, Climb];
  const alpha = floatAttribute(scores.node, 'alpha') ?? 1;
  const scale = scores.factor * alpha * query.factor * key.factor;
  const maps = { query: linearAt(graph, query, queryName), key: linearAt(graph, key, keyName), value: linearAt(graph, value, valueName) };
  const shapes = [...query.shapes, ...key.shapes, ...value.shapes];
  const heads = headsIn(shapes, maps.query.outputs);
  if (heads === undefined) throw unrecognised(graph, 'the number of heads', queryName);
  return { ...maps, heads, scale: snapped(scale, maps.query.outputs / heads) };
}

function twoOperands(graph: KnownGraph, node: NodeProto, { operands }: Climb): [string, string] {
  const [first, second, third] = operands;
  if (first !== undefined && second !== undefined && third === undefined && PRODUCTS.has(node.opType ?? '')) return [first, second];
  throw unrecognised(graph, 'a product of attention', String(node.output?.[0]));
}

const PRODUCTS = new Set(['MatMul', 'FusedMatMul', 'Einsum']);

function linearAt(graph: KnownGraph, { linear }: Climb, name: string): Linear {
  if (linear === undefined) throw unrecognised(graph, 'the linear map behind attention', name);
  return linear;
}

/** heads of the first shape that ends in heads x size. */
function headsIn(shapes: readonly (readonly number[])[], width: number): number | undefined {
  for (const shape of shapes) {
    const [heads = Number.NaN, size = Number.NaN] = shape.slice(-2);
    const isOpen = (dim: number): boolean => Number.isNaN(dim) || dim === -1;
    if (shape.length < 3) continue;
    if (heads * size === width && heads > 0) return heads;
    if (isOpen(heads) && size > 0 && size < width && width % size === 0) return width / size;
    if (size === -1 && heads > 1 && width % heads === 0) return heads;
  }
  return undefined;
}

/** Constants in graphs are rounded to FP32, twice where their root is applied to both sides. */
const SCALE_TOLERANCE = 1e-5;

/** 1 / sqrt(size) where the scale is that but for rounding. */
function snapped(scale: number, size: number): number {
  const usual = 1 / Math.sqrt(size);
  return Math.abs(scale / usual - 1) < SCALE_TOLERANCE ? usual : scale;
}

/** com.microsoft MultiHeadAttention: query, key, value, one bias for all three. Source: ONNX Runtime docs/ContribOperators.md. */
function multiHead(graph: KnownGraph, source: Source, node: NodeProto): AttentionMatch {
  const [query, key, value, bias] = node.input ?? [];
  if (!query || !key || !value) throw unrecognised(graph, 'attention with packed operands', String(node.output?.[0]));
  const maps = [query, key, value].map((name) => linearAt(graph, climb(graph, source, name), name));
  const added = weightOf(graph, bias)?.data;
  const sum = maps.reduce((total, map) => total + map.outputs, 0);
  if (added !== undefined && added.length !== sum) throw contradiction(`attention adds a bias of ${added.length} values to ${sum} outputs`);
  let start = 0;
  const biased = maps.map((map) => {
    const from = start;
    start += map.outputs;
    return { ...map, bias: map.bias.map((one, at) => one + (added?.[from + at] ?? 0)) };
  });
  return withHeads(graph, node, biased, integerAttribute(node, 'num_heads'));
}

/** com.microsoft Attention: the layer's input times one matrix of query, key and value side by side. */
function packed(graph: KnownGraph, source: Source, node: NodeProto): AttentionMatch {
  const [x, weightName, biasName] = node.input ?? [];
  const weight = weightOf(graph, weightName);
  const bias = weightOf(graph, biasName);
  if (weight?.dims.length !== 2 || originOf(graph, String(x)) !== source.name)
    throw unrecognised(graph, 'packed attention', String(node.output?.[0]));
  const [inputs = 0, outputs = 0] = weight.dims;
  const linear = linearOf({ input: source.name, inputs, outputs, weight: () => weight.data, bias }, []);
  const sizes = integersAttribute(node, 'qkv_hidden_sizes') ?? [outputs / 3, outputs / 3, outputs / 3];
  const [query = 0, key = 0, value = 0] = sizes;
  if (query + key + value !== outputs) throw contradiction(`attention splits ${outputs} outputs into ${sizes.join(' + ')}`);
  const maps = [columnsOf(linear, 0, query), columnsOf(linear, query, query + key), columnsOf(linear, query + key, outputs)];
  return withHeads(graph, node, maps, integerAttribute(node, 'num_heads'));
}

/** ai.onnx Attention of opset 23: three operands of three axes, or of four with the heads apart. */
function standard(graph: KnownGraph, source: Source, node: NodeProto): AttentionMatch {
  const climbs = (node.input ?? []).slice(0, 3).map((name) => ({ name, climbed: climb(graph, source, name) }));
  const maps = climbs.map(({ name, climbed }) => linearAt(graph, climbed, name));
  const shapes = climbs.flatMap(({ climbed }) => climbed.shapes);
  const match = withHeads(graph, node, maps, integerAttribute(node, 'q_num_heads') ?? headsIn(shapes, maps[0]?.outputs ?? 0));
  const [query, key] = climbs.map(({ climbed }) => climbed.factor);
  const scale = match.scale * (query ?? 1) * (key ?? 1);
  return { ...match, scale: snapped(scale, match.query.outputs / match.heads) };
}

function withHeads(graph: KnownGraph, node: NodeProto, maps: readonly Linear[], heads: number | undefined): AttentionMatch {
  const [query, key, value] = maps;
  if (!query || !key || !value || !heads) throw unrecognised(graph, 'the number of heads', String(node.output?.[0]));
  const size = query.outputs / heads;
  // com.microsoft writes 0 for "not said".
  const scale = floatAttribute(node, 'scale') || 1 / Math.sqrt(size);
  return { query, key, value, heads, scale: snapped(scale, size) };
}
