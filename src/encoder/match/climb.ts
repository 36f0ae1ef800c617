// From a value of the attention core up to where it comes from: a linear map of the layer's input, or a node where paths meet.
import { type Constant, listOf } from '../../onnx/constant.js';
import type { KnownGraph } from '../../onnx/evaluate.js';
import { integerAttribute, integersAttribute } from '../../onnx/lookup.js';
import { integersOf } from '../../onnx/operators.js';
import type { NodeProto } from '../../onnx/proto.js';
import type { Linear } from '../encoder.js';
import { columnsOf, matchLinear } from './linear.js';
import { numberOf, originOf, producerOf, unrecognised, weightOf } from './trace.js';

/** What the attention core may read: values computed from the layer's input, as masks and shapes are not. */
export interface Source {
  readonly name: string;
  readonly descendants: ReadonlySet<string>;
}

export interface Climb {
  /** Where the climb ended: at a linear map of the source ... */
  readonly linear?: Linear;
  /** ... or at this node: one with several operands computed from the source, a Softmax or a fused attention. */
  readonly node?: NodeProto;
  /** The operands of `node` that are computed from the source. */
  readonly operands: readonly string[];
  /** Product of the constants multiplied by on the way. */
  readonly factor: number;
  /** Target shapes of the Reshapes on the way; NaN for what is not known. */
  readonly shapes: readonly (readonly number[])[];
}

/** All values between `name` and `end` computed from `name`, but for what is computed from their shapes alone. */
export function sourceOf(graph: KnownGraph, name: string, end: string): Source {
  const descendants = new Set([name]);
  const [from, to] = [name, end].map((value) => graph.order.indexOf(graph.producers.get(value) as NodeProto));
  for (const node of graph.order.slice(from, (to as number) + 1)) {
    if (node.opType === 'Shape' || node.opType === 'Size' || !(node.input ?? []).some((input) => descendants.has(input))) continue;
    for (const output of node.output ?? []) if (!graph.constants.has(output)) descendants.add(output);
  }
  return { name, descendants };
}

interface Gathered {
  factor: number;
  shapes: number[][];
  added: Constant<Float32Array>[];
  columns: (outputs: number) => readonly [start: number, end: number];
}

const ENDS = new Set(['Softmax', 'Attention', 'MultiHeadAttention']);

/** Throws `model-unsupported` where the climb leads to neither. */
export function climb(graph: KnownGraph, source: Source, start: string): Climb {
  const gathered: Gathered = { factor: 1, shapes: [], added: [], columns: (outputs) => [0, outputs] };
  let name = start;
  for (let steps = 0; steps <= graph.order.length && originOf(graph, name) !== source.name; steps++) {
    // Operators that regroup are climbed one by one: their shapes tell the heads.
    const found = originOf(graph, name) === name ? matchLinear(graph, [name]) : undefined;
    if (found?.input === source.name) return { ...gathered, operands: [], linear: withColumns(found.linear, gathered) };
    const node = producerOf(graph, name);
    if (node === undefined) break;
    const operands = operandsOf(node).filter((input) => source.descendants.has(input));
    const [next] = operands;
    if (operands.length > 1 || ENDS.has(node.opType ?? '')) return { ...gathered, operands, node };
    if (next === undefined) break;
    GATHER[node.opType ?? '']?.(graph, node, gathered, name);
    name = next;
  }
  throw unrecognised(graph, 'what attention is computed from', start);
}

/** A choice by a condition is between its last two operands. */
function operandsOf(node: NodeProto): readonly string[] {
  return node.opType === 'Where' ? (node.input ?? []).slice(1) : (node.input ?? []);
}

function withColumns(linear: Linear, { columns, added }: Gathered): Linear {
  const part = columnsOf(linear, ...columns(linear.outputs));
  const biases = added.filter(({ data }) => data.length === part.outputs);
  return biases.length === 0
    ? part
    : { ...part, bias: part.bias.map((value, at) => biases.reduce((sum, { data }) => sum + (data[at] as number), value)) };
}

type Gather = (graph: KnownGraph, node: NodeProto, gathered: Gathered, output: string) => void;

const addBias: Gather = (graph, node, gathered) => {
  for (const input of node.input ?? []) gathered.added.push(...[weightOf(graph, input)].filter((weight) => weight !== undefined));
};

/** What is worth keeping of operators on the way; the others are passed over. */
const GATHER: Readonly<Record<string, Gather>> = {
  Mul: (graph, node, gathered) => {
    for (const input of node.input ?? []) gathered.factor *= numberOf(graph, input) ?? 1;
  },
  Div: (graph, node, gathered) => {
    gathered.factor /= numberOf(graph, node.input?.[1]) ?? 1;
  },
  Add: addBias,
  Sum: addBias,
  Reshape: (graph, node, gathered) => {
    gathered.shapes.push(listOf(graph.constants.get(String(node.input?.[1]))) ?? []);
  },
  Split: (graph, node, gathered, output) => {
    const at = node.output?.indexOf(output) ?? 0;
    const parts = node.output?.length ?? 1;
    const sizes = integersOf(node, 'split', graph.constants.get(String(node.input?.[1])));
    const before = (end: number, total: number): number =>
      sizes?.slice(0, end).reduce((sum, size) => sum + size, 0) ?? (total / parts) * end;
    if (isLastAxis(integerAttribute(node, 'axis') ?? 0)) gathered.columns = (outputs) => [before(at, outputs), before(at + 1, outputs)];
  },
  Slice: (graph, node, gathered) => {
    const [starts, ends, axes] = ['starts', 'ends', 'axes'].map(
      (name, at) => integersAttribute(node, name) ?? listOf(graph.constants.get(String(node.input?.[at + 1]))),
    );
    const [start, end] = [starts?.[0], ends?.[0]];
    if (start !== undefined && end !== undefined && isLastAxis(axes?.[0] ?? 0)) {
      gathered.columns = (outputs) => [Math.max(0, start < 0 ? start + outputs : start), Math.min(outputs, end < 0 ? end + outputs : end)];
    }
  },
};

/** Of rows x width x hidden. */
function isLastAxis(axis: number): boolean {
  return axis === -1 || axis === 2;
}
