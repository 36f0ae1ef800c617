// What a graph's output depends on, in order, and which node makes which value; knows nothing of transformers.
import { EmbedkitError } from '../errors.js';
import { type GraphProto, type NodeProto, type TensorProto, toNumber } from './proto.js';
import { fedInputs } from './shapes.js';

export interface GraphIndex {
  /** The nodes that the output depends on, each after those it depends on. */
  readonly order: readonly NodeProto[];
  readonly producers: ReadonlyMap<string, NodeProto>;
  readonly initialisers: ReadonlyMap<string, TensorProto>;
  /** Names of what a caller feeds. */
  readonly inputs: ReadonlySet<string>;
}

/**
 * Indexes what the named output depends on. Throws `model-unsupported` where the graph has no such output,
 * `model-invalid` where the nodes run in a circle or read a value that nothing makes.
 */
export function indexGraph(graph: GraphProto, outputName: string): GraphIndex {
  const producers = new Map<string, NodeProto>();
  for (const node of graph.node ?? []) for (const output of node.output ?? []) if (output !== '') producers.set(output, node);
  const initialisers = new Map((graph.initializer ?? []).map((tensor) => [String(tensor.name), tensor]));
  const inputs = new Set(fedInputs(graph).map((input) => String(input.name)));
  const start = producers.get(outputName);
  if (start === undefined) {
    const names = (graph.output ?? []).map((output) => output.name).join(', ');
    throw new EmbedkitError('model-unsupported', `no node makes the output "${outputName}"`, { hint: `the graph's outputs are ${names}` });
  }
  const isStored = (name: string): boolean => initialisers.has(name) || inputs.has(name);
  return { order: orderFrom(start, producers, isStored), producers, initialisers, inputs };
}

/** Depth first without recursion: a graph may be deeper than the stack. */
function orderFrom(start: NodeProto, producers: ReadonlyMap<string, NodeProto>, isStored: (name: string) => boolean): NodeProto[] {
  const order: NodeProto[] = [];
  const state = new Map<NodeProto, 'open' | 'done'>();
  const stack = [start];
  while (stack.length > 0) {
    const node = stack[stack.length - 1] as NodeProto;
    if (state.has(node)) {
      stack.pop();
      if (state.get(node) === 'open') order.push(node);
      state.set(node, 'done');
      continue;
    }
    state.set(node, 'open');
    for (const before of nodesBefore(node, producers, isStored)) {
      if (state.get(before) === 'open') throw invalid(`${describeNode(before)} depends on its own output`);
      if (!state.has(before)) stack.push(before);
    }
  }
  return order;
}

function nodesBefore(node: NodeProto, producers: ReadonlyMap<string, NodeProto>, isStored: (name: string) => boolean): NodeProto[] {
  return (node.input ?? [])
    .filter((name) => name !== '' && !isStored(name))
    .map((name) => {
      const before = producers.get(name);
      if (before === undefined)
        throw invalid(`${describeNode(node)} reads "${name}", which is neither an input, a weight nor the output of a node`);
      return before;
    });
}

function invalid(found: string): EmbedkitError {
  return new EmbedkitError('model-invalid', found, { hint: 'fetch or export the model again' });
}

/** A node as messages name it. */
export function describeNode(node: NodeProto): string {
  return `node "${node.name || node.output?.[0] || ''}" (${node.opType})`;
}

function attributeOf(node: NodeProto, name: string) {
  return node.attribute?.find((attribute) => attribute.name === name);
}

export function integerAttribute(node: NodeProto, name: string): number | undefined {
  const attribute = attributeOf(node, name);
  return attribute === undefined ? undefined : toNumber(attribute.i);
}

export function integersAttribute(node: NodeProto, name: string): number[] | undefined {
  return attributeOf(node, name)?.ints?.map(toNumber);
}

export function floatAttribute(node: NodeProto, name: string): number | undefined {
  return attributeOf(node, name)?.f ?? undefined;
}

export function floatsAttribute(node: NodeProto, name: string): number[] | undefined {
  return attributeOf(node, name)?.floats ?? undefined;
}

export function stringAttribute(node: NodeProto, name: string): string | undefined {
  const bytes = attributeOf(node, name)?.s;
  return bytes ? new TextDecoder().decode(bytes) : undefined;
}

export function tensorAttribute(node: NodeProto, name: string): TensorProto | undefined {
  return attributeOf(node, name)?.t ?? undefined;
}
