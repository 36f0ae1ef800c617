// Layer normalisation as graphs write it: one operator, one fused with the sum before it, or spelt out.
import type { Constant } from '../../onnx/constant.js';
import type { KnownGraph } from '../../onnx/evaluate.js';
import { floatAttribute, integerAttribute } from '../../onnx/lookup.js';
import type { NodeProto } from '../../onnx/proto.js';
import type { LayerNorm } from '../encoder.js';
import { contradiction, originOf, producerOf, SUMS, weightOf } from './trace.js';

export interface NormMatch {
  readonly norm: LayerNorm;
  /** What is normalised is the sum of these values. */
  readonly terms: readonly string[];
}

// Source: ONNX LayerNormalization; ONNX Runtime docs/ContribOperators.md.
const DEFAULT_EPSILON = 1e-5;
const DEFAULT_SKIP_EPSILON = 1e-12;

/** The normalisation that gives the value, or undefined. Throws `model-invalid` where gamma and beta differ in length. */
export function matchNorm(graph: KnownGraph, name: string): NormMatch | undefined {
  const node = producerOf(graph, name);
  if (node === undefined || node.output?.[0] !== name) return undefined;
  return MATCHERS[node.opType ?? '']?.(graph, node);
}

type Matcher = (graph: KnownGraph, node: NodeProto) => NormMatch | undefined;

const layerNormalization: Matcher = (graph, node) => {
  const [x, gammaName, betaName] = node.input ?? [];
  const gamma = weightOf(graph, gammaName);
  const axis = integerAttribute(node, 'axis') ?? -1;
  if (gamma === undefined || (axis !== -1 && axis !== 2)) return undefined;
  const epsilon = floatAttribute(node, 'epsilon') ?? DEFAULT_EPSILON;
  return { norm: normOf(gamma, weightOf(graph, betaName), epsilon, node), terms: [String(x)] };
};

const skipLayerNormalization: Matcher = (graph, node) => {
  const [x, skip, gammaName, betaName, bias] = node.input ?? [];
  const gamma = weightOf(graph, gammaName);
  if (gamma === undefined) return undefined;
  const epsilon = floatAttribute(node, 'epsilon') ?? DEFAULT_SKIP_EPSILON;
  return { norm: normOf(gamma, weightOf(graph, betaName), epsilon, node), terms: [x, skip, bias].filter((term) => !!term) as string[] };
};

/** (x - mean) / sqrt(variance + epsilon) * gamma + beta, from its last operator on. */
const speltOut: Matcher = (graph, node) => {
  const [beta, scaledName] = constantAndValue(graph, node);
  const scaled = scaledName === undefined ? undefined : producerOf(graph, scaledName);
  if (beta === undefined || scaled?.opType !== 'Mul') return undefined;
  const [gamma, normalised] = constantAndValue(graph, scaled);
  const parts = gamma === undefined || normalised === undefined ? undefined : dividedBySpread(graph, normalised);
  if (gamma === undefined || parts === undefined) return undefined;
  return { norm: normOf(gamma, beta, parts.epsilon, node), terms: [parts.x] };
};

const MATCHERS: Readonly<Record<string, Matcher>> = {
  LayerNormalization: layerNormalization,
  SkipLayerNormalization: skipLayerNormalization,
  Add: speltOut,
  Sum: speltOut,
};

function normOf(gamma: Constant<Float32Array>, beta: Constant<Float32Array> | undefined, epsilon: number, node: NodeProto): LayerNorm {
  const values = beta?.data ?? new Float32Array(gamma.data.length);
  if (values.length === gamma.data.length) return { gamma: gamma.data, beta: values, epsilon };
  throw contradiction(`the layer normalisation at "${node.name}" has ${gamma.data.length} scales and ${values.length} shifts`);
}

/** The operands of a sum or product of a vector of weights and a value, in that order. */
function constantAndValue(graph: KnownGraph, node: NodeProto): [Constant<Float32Array> | undefined, string | undefined] {
  const inputs = node.input ?? [];
  const constant = inputs.map((name) => weightOf(graph, name)).find((weight) => weight !== undefined);
  const value = inputs.find((name) => weightOf(graph, name) === undefined);
  return [constant, value === undefined ? undefined : originOf(graph, value)];
}

/** d / sqrt(v), d * reciprocal(sqrt(v)) or d * v ** -0.5, where d = x - mean. */
function dividedBySpread(graph: KnownGraph, name: string): { x: string; epsilon: number } | undefined {
  const node = producerOf(graph, name);
  if (node?.opType !== 'Div' && node?.opType !== 'Mul') return undefined;
  const operands = (node.input ?? []).map((input) => originOf(graph, input));
  const centred = operands.map((operand) => producerOf(graph, operand)).find((one) => one?.opType === 'Sub');
  const [x, mean] = (centred?.input ?? []).map((input) => originOf(graph, input));
  if (x === undefined || mean === undefined || producerOf(graph, mean)?.opType !== 'ReduceMean') return undefined;
  const epsilon = operands.map((operand) => epsilonUnder(graph, operand)).find((found) => found !== undefined);
  return epsilon === undefined ? undefined : { x, epsilon };
}

const ROOTS = new Set(['Sqrt', 'Reciprocal', 'Pow']);
const MAX_ROOTS = 2;

/** The constant added to a mean of squares below a square root. */
function epsilonUnder(graph: KnownGraph, name: string): number | undefined {
  let node = producerOf(graph, name);
  for (let steps = 0; steps < MAX_ROOTS && node && ROOTS.has(node.opType ?? ''); steps++) {
    node = producerOf(graph, originOf(graph, String(node.input?.[0])));
  }
  if (!node || !SUMS.has(node.opType ?? '')) return undefined;
  const [epsilon, variance] = constantAndValue(graph, node);
  const isMean = variance !== undefined && producerOf(graph, variance)?.opType === 'ReduceMean';
  return isMean && epsilon?.data.length === 1 ? epsilon.data[0] : undefined;
}
