// Walking a graph against its arrows: origins of values, operands of sums and products, and how a walk ends in an error.
import { EmbedkitError } from '../../errors.js';
import { type Constant, isFloat, scalarOf } from '../../onnx/constant.js';
import type { KnownGraph } from '../../onnx/evaluate.js';
import { describeNode } from '../../onnx/lookup.js';
import type { NodeProto } from '../../onnx/proto.js';

/** No residual sum or activation has nearly as many operands; a graph that goes on is none of ours. */
const MAX_OPERANDS = 64;

/** The node that makes a value; undefined for inputs and constants. */
export function producerOf(graph: KnownGraph, name: string): NodeProto | undefined {
  return graph.constants.has(name) ? undefined : graph.producers.get(name);
}

/** The error for what a walk did not find: `what` is a noun phrase. */
export function unrecognised(graph: KnownGraph, what: string, name: string): EmbedkitError {
  const node = graph.producers.get(name);
  const place = node === undefined ? `"${name}"` : describeNode(node);
  return new EmbedkitError('model-unsupported', `${what} was not recognised at ${place}`, {
    hint: 'only BERT-family encoders exported in floating point can be taken apart',
  });
}

export function contradiction(what: string): EmbedkitError {
  return new EmbedkitError('model-invalid', what, { hint: 'fetch or export the model again' });
}

/** Where the numbers of a value come from: operators that only rename, retype or regroup them are passed over. */
export function originOf(graph: KnownGraph, name: string): string {
  return graph.origins.get(name) ?? name;
}

/** A floating point constant, or undefined. */
export function weightOf(graph: KnownGraph, name: string | undefined): Constant<Float32Array> | undefined {
  const constant = name === undefined ? undefined : graph.constants.get(name);
  return constant !== undefined && isFloat(constant) ? constant : undefined;
}

/** The number that a constant of one element holds. */
export function numberOf(graph: KnownGraph, name: string | undefined): number | undefined {
  const value = scalarOf(name === undefined ? undefined : graph.constants.get(name));
  return value === undefined || Number.isNaN(value) ? undefined : value;
}

/** Operators that add their operands up. */
export const SUMS = new Set(['Add', 'Sum']);

export interface Operands {
  /** Origins of what is not constant. */
  readonly values: readonly string[];
  readonly constants: readonly Constant<Float32Array>[];
}

/** The operands of nested Add and Sum, down to values that `isLeaf` claims. */
export function addendsOf(graph: KnownGraph, names: readonly string[], isLeaf: (name: string) => boolean = () => false): Operands {
  const values: string[] = [];
  const constants: Constant<Float32Array>[] = [];
  const queue = [...names];
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const constant = weightOf(graph, name);
    if (constant !== undefined) {
      constants.push(constant);
      continue;
    }
    const origin = originOf(graph, name);
    const node = producerOf(graph, origin);
    if (node !== undefined && SUMS.has(node.opType ?? '') && !isLeaf(origin)) queue.unshift(...(node.input ?? []));
    else values.push(origin);
    if (queue.length + values.length + constants.length > MAX_OPERANDS) throw unrecognised(graph, 'a sum of so many operands', name);
  }
  return { values, constants };
}

export interface Product {
  readonly factor: number;
  /** Origins of the other factors. */
  readonly values: readonly string[];
}

/** The factors of nested Mul, and Div by a single constant. */
export function factorsOf(graph: KnownGraph, name: string): Product {
  const values: string[] = [];
  let factor = 1;
  const queue = [name];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const origin = originOf(graph, next);
    const number = numberOf(graph, origin);
    const node = producerOf(graph, origin);
    const divisor = node?.opType === 'Div' ? numberOf(graph, node.input?.[1]) : undefined;
    if (number !== undefined) factor *= number;
    else if (node?.opType === 'Mul') queue.push(...(node.input ?? []));
    else if (divisor !== undefined) {
      factor /= divisor;
      queue.push(String(node?.input?.[0]));
    } else values.push(origin);
    if (queue.length + values.length > MAX_OPERANDS) throw unrecognised(graph, 'a product of so many factors', name);
  }
  return { factor, values };
}
