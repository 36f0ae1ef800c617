// The inputs of a graph and their shapes: which are fixed, and the same graph with free ones.
import type { GraphProto, ValueInfoProto } from './proto.js';
import { toNumber } from './proto.js';

const FREE_DIMS = ['batch_size', 'sequence_length'];

/** Inputs that a caller feeds: old graphs list their initialisers among the inputs too. */
export function fedInputs(graph: GraphProto): ValueInfoProto[] {
  const initialisers = new Set((graph.initializer ?? []).map((tensor) => tensor.name));
  return (graph.input ?? []).filter((input) => !initialisers.has(input.name));
}

/** The dimensions of a graph input or output: a number where fixed, undefined where free. */
export function shapeOf(value: ValueInfoProto): (number | undefined)[] {
  const dims = value.type?.tensorType?.shape?.dim ?? [];
  return dims.map((dim) => (dim.dimParam ? undefined : toNumber(dim.dimValue) || undefined));
}

/** The fixed [batch, sequence] of the first fed input that has one; undefined where all are free. */
export function fixedShape(graph: GraphProto): { rows: number | undefined; width: number | undefined } | undefined {
  for (const input of fedInputs(graph)) {
    const [rows, width] = shapeOf(input);
    if (rows !== undefined || width !== undefined) return { rows, width };
  }
  return undefined;
}

/**
 * Frees the batch and sequence dimensions of the inputs and outputs, in place, and drops what was recorded of the shapes
 * in between. Whether the nodes themselves are free of fixed shapes only a run can tell.
 */
export function freeShapes(graph: GraphProto): void {
  const inputs = fedInputs(graph);
  graph.input = inputs;
  for (const value of [...inputs, ...(graph.output ?? [])]) {
    const dims = value.type?.tensorType?.shape?.dim ?? [];
    const free = dims.length === 3 || inputs.includes(value) ? 2 : 1;
    dims.slice(0, free).forEach((dim, axis) => {
      dim.dimValue = 0;
      delete dim.dimValue;
      dim.dimParam = FREE_DIMS[axis] ?? 'n';
    });
  }
  graph.valueInfo = [];
}
