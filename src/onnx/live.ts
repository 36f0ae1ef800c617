// The part of a graph that its outputs depend on.
import type { GraphProto, NodeProto } from './proto.js';

/** The graph without nodes and initialisers that no output needs; not changed itself. */
export function liveGraph(graph: GraphProto): GraphProto {
  const needed = new Set((graph.output ?? []).map(({ name }) => name ?? ''));
  // Nodes stand in an order in which every value is made before it is read.
  const live = (graph.node ?? []).toReversed().filter((node) => {
    const isNeeded = (node.output ?? []).some((name) => name !== '' && needed.has(name));
    if (isNeeded) for (const name of readBy(node)) needed.add(name);
    return isNeeded;
  });
  return { ...graph, node: live.reverse(), initializer: (graph.initializer ?? []).filter(({ name }) => needed.has(name ?? '')) };
}

/** Names that a node reads, those of its sub-graphs included. */
function readBy(node: NodeProto): string[] {
  const inner = (node.attribute ?? []).flatMap(({ g, graphs }) => [...(g ? [g] : []), ...(graphs ?? [])]);
  return [
    ...(node.input ?? []),
    ...inner.flatMap(({ node: nodes, output }) => [...(nodes ?? []).flatMap(readBy), ...(output ?? []).map(({ name }) => name ?? '')]),
  ];
}
