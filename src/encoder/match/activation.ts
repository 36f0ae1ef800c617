// The activation between up and down as graphs write it: one operator, one with its bias inside, or spelt out by erf or tanh.
import type { KnownGraph } from '../../onnx/evaluate.js';
import { stringAttribute } from '../../onnx/lookup.js';
import type { NodeProto } from '../../onnx/proto.js';
import type { Activation } from '../encoder.js';
import { addendsOf, factorsOf, producerOf, SUMS } from './trace.js';

export interface ActivationMatch {
  readonly activation: Activation;
  /** What is activated is the sum of these values. */
  readonly terms: readonly string[];
}

/** Constants of a spelt-out GELU are written with few digits here and there. */
const TOLERANCE = 1e-3;
const near = (a: number, b: number): boolean => Math.abs(a - b) < TOLERANCE;

/** The activation that gives the value, or undefined. */
export function matchActivation(graph: KnownGraph, name: string): ActivationMatch | undefined {
  const node = producerOf(graph, name);
  if (node === undefined) return undefined;
  const single = SINGLE[node.opType ?? ''];
  if (single === undefined) return speltOut(graph, name);
  return { activation: single(node), terms: (node.input ?? []).filter((term) => term !== '') };
}

// Source: ONNX Gelu and Relu; ONNX Runtime docs/ContribOperators.md.
const SINGLE: Readonly<Record<string, (node: NodeProto) => Activation>> = {
  Gelu: (node) => (stringAttribute(node, 'approximate') === 'tanh' ? 'gelu-tanh' : 'gelu'),
  BiasGelu: () => 'gelu',
  FastGelu: () => 'gelu-tanh',
  Relu: () => 'relu',
};

/** x * 0.5 * (1 + erf(x / sqrt 2)), or tanh(sqrt(2 / pi) * (x + ...)) in erf's place; factors and operands in any order. */
function speltOut(graph: KnownGraph, name: string): ActivationMatch | undefined {
  const { factor, values } = factorsOf(graph, name);
  if (values.length !== 2 || !near(factor, 0.5)) return undefined;
  for (const [at, value] of values.entries()) {
    const activation = gateOf(graph, value);
    if (activation !== undefined) return { activation, terms: [values[1 - at] as string] };
  }
  return undefined;
}

/** Which function 1 + f(...) is the gate of. Of its argument only the factor is looked at. */
function gateOf(graph: KnownGraph, name: string): Activation | undefined {
  if (!SUMS.has(producerOf(graph, name)?.opType ?? '')) return undefined;
  const { values, constants } = addendsOf(graph, [name]);
  const node = values.length === 1 ? producerOf(graph, values[0] as string) : undefined;
  const [one] = constants;
  if (node === undefined || constants.length !== 1 || !near(one?.data[0] ?? 0, 1)) return undefined;
  const gate = GATES[node.opType ?? ''];
  return gate !== undefined && near(factorsOf(graph, String(node.input?.[0])).factor, gate.factor) ? gate.activation : undefined;
}

const GATES: Readonly<Record<string, { activation: Activation; factor: number }>> = {
  Erf: { activation: 'gelu', factor: Math.SQRT1_2 },
  Tanh: { activation: 'gelu-tanh', factor: Math.sqrt(2 / Math.PI) },
};
