// What outputs depend on stays, all else goes: nodes, initialisers, and what sub-graphs read from outside.

import { describe, expect, it } from 'vitest';
import { openGraph } from '#src/engine/ort.js';
import { GraphBuilder } from '#src/onnx/build.js';
import { liveGraph } from '#src/onnx/live.js';
import { AttributeProto, DATA_TYPE, type GraphProto, ModelProto, type TensorProto } from '#src/onnx/proto.js';
import { fc } from '../properties.js';
import { floatTensor, node } from './tiny.js';

const { GRAPH, GRAPHS } = AttributeProto.AttributeType;

function graphOf(parts: Partial<GraphProto>, outputs: readonly string[] = ['y']): GraphProto {
  return { name: 'live', input: [{ name: 'x' }], output: outputs.map((name) => ({ name })), initializer: [], ...parts };
}

function named(names: readonly string[]): TensorProto[] {
  return names.map((name) => floatTensor(name, [1], Float32Array.of(1)));
}

function left(graph: GraphProto): { nodes: unknown; constants: unknown } {
  const live = liveGraph(graph);
  return { nodes: live.node?.map(({ name }) => name), constants: live.initializer?.map(({ name }) => name) };
}

describe('liveGraph', () => {
  it('drops a chain that no output needs, and the constants that it alone read', () => {
    const nodes = [
      node('Add', 'a', ['x', 'c1'], ['a']),
      node('Add', 'dead', ['a', 'c2'], ['dead']),
      node('Add', 'deader', ['dead', 'c1'], ['deader']),
      node('Add', 'b', ['a', 'c3'], ['y']),
    ];
    expect(left(graphOf({ node: nodes, initializer: named(['c1', 'c2', 'c3', 'c4']) }))).toEqual({
      nodes: ['a', 'b'],
      constants: ['c1', 'c3'],
    });
  });

  it('keeps a node of which one output is read, and goes by no empty name', () => {
    const nodes = [
      node('Split', 'halves', ['x'], ['left', 'right']),
      node('Dropout', 'nameless', ['x'], ['', '']),
      node('Clip', 'clip', ['right', '', 'most'], ['y']),
    ];
    expect(left(graphOf({ node: nodes, initializer: named(['most', '']) }))).toEqual({
      nodes: ['halves', 'clip'],
      constants: ['most', ''],
    });
  });

  it('keeps an initialiser that is itself an output', () => {
    expect(left(graphOf({ node: [], initializer: named(['y', 'z']) }))).toEqual({ nodes: [], constants: ['y'] });
  });

  it('keeps what every output needs', () => {
    const nodes = [node('Relu', 'a', ['x'], ['a']), node('Relu', 'b', ['x'], ['b']), node('Relu', 'c', ['x'], ['c'])];
    expect(left(graphOf({ node: nodes }, ['c', 'a']))).toEqual({ nodes: ['a', 'c'], constants: [] });
  });

  it('keeps what sub-graphs read from outside, at any depth, and what they give out unchanged', () => {
    const inner: GraphProto = { node: [node('Add', 'in', ['captured', 'constant'], ['in_y'])], output: [{ name: 'in_y' }] };
    const passing: GraphProto = { node: [], output: [{ name: 'passed' }] };
    const deep: GraphProto = {
      node: [node('If', 'deep', ['flag'], ['deep_y'], [{ name: 'then_branch', type: GRAPH, g: inner }])],
      output: [{ name: 'deep_y' }],
    };
    const branches = [
      { name: 'then_branch', type: GRAPH, g: deep },
      { name: 'else_branch', type: GRAPHS, graphs: [passing] },
    ];
    const nodes = [
      node('Relu', 'captured', ['x'], ['captured']),
      node('Relu', 'passed', ['x'], ['passed']),
      node('Relu', 'dead', ['x'], ['dead']),
      node('If', 'if', ['x'], ['y'], branches),
    ];
    const graph = graphOf({ node: nodes, initializer: named(['constant', 'flag', 'unread']) });
    expect(left(graph)).toEqual({ nodes: ['captured', 'passed', 'if'], constants: ['constant', 'flag'] });
  });

  it('leaves the graph that it is given, and its inputs and outputs, as they were', () => {
    const nodes = [node('Relu', 'dead', ['x'], ['dead']), node('Relu', 'b', ['x'], ['y'])];
    const graph = graphOf({ node: nodes, initializer: named(['c']) });
    const live = liveGraph(graph);
    expect([graph.node?.length, graph.initializer?.length]).toEqual([2, 1]);
    expect([live.input, live.output, live.name]).toEqual([graph.input, graph.output, 'live']);
  });

  it('keeps exactly what a walk up from the outputs meets, in the same order', () => {
    const readers = fc.array(fc.array(fc.nat(20), { maxLength: 3 }), { minLength: 1, maxLength: 15 });
    fc.assert(
      fc.property(readers, (reads) => {
        // Node i reads nodes before it, by number; the last is the output.
        const before = reads.map((all, at) => all.filter((one) => one < at));
        const nodes = before.map((all, at) => node('Sum', `n${at}`, ['x', ...all.map((one) => `v${one}`)], [`v${at}`]));
        const met = new Set<number>();
        const visit = (at: number): void => {
          if (!met.has(at)) [met.add(at), ...(before[at] as number[]).map(visit)];
        };
        visit(reads.length - 1);
        const found = liveGraph(graphOf({ node: nodes }, [`v${reads.length - 1}`]));
        expect(found.node?.map(({ name }) => name)).toEqual([...met].sort((a, b) => a - b).map((at) => `n${at}`));
        expect(liveGraph(found).node).toEqual(found.node);
      }),
    );
  });

  it('leaves a graph that runs and gives the same', async () => {
    const graph = new GraphBuilder();
    graph.node('Add', 'sum', ['x', graph.scalar('one', 1)]);
    graph.node('Mul', 'dead', ['sum', graph.scalar('two', 2)]);
    graph.node('Neg', 'y', ['sum']);
    const port = (name: string) => ({ name, type: DATA_TYPE.FLOAT, dims: [3] });
    const model = graph.model({ inputs: [port('x')], outputs: [port('y')], opset: 17 });
    const live = ModelProto.create({ ...model, graph: liveGraph(model.graph as GraphProto) });
    expect(live.graph?.node).toHaveLength(2);
    const runner = await openGraph(ModelProto.encode(live).finish(), 1);
    const { y } = await runner.run({ x: { type: 'float32', dims: [3], data: Float32Array.of(0, 1, -5) } });
    await runner.close();
    expect([...(y ?? [])]).toEqual([-1, -2, 4]);
  });
});
