// Graphs put together by name: every message that comes out, and that the runtime takes it.
import { describe, expect, it } from 'vitest';
import { openGraph } from '#src/engine/ort.js';
import { type AttributeValue, GraphBuilder, MICROSOFT, type ModelOptions, type TensorData } from '#src/onnx/build.js';
import { AttributeProto, DATA_TYPE, ModelProto, toNumber } from '#src/onnx/proto.js';
import { fromProto } from '../reference/tensor.js';

const PORTS: ModelOptions = {
  inputs: [{ name: 'x', type: DATA_TYPE.FLOAT, dims: ['rows', 3] }],
  outputs: [{ name: 'y', type: DATA_TYPE.FLOAT, dims: ['rows', 3] }],
  opset: 17,
};

/** As a reader of the file finds it. */
function roundTrip(model: ModelProto): ModelProto {
  return ModelProto.decode(ModelProto.encode(model).finish());
}

function attributeOf(value: AttributeValue) {
  const graph = new GraphBuilder();
  graph.node('Relu', 'y', ['x'], { attributes: { some: value } });
  return roundTrip(graph.model(PORTS)).graph?.node?.[0]?.attribute?.[0];
}

describe('GraphBuilder.node', () => {
  it('names its output after itself and returns that', () => {
    const graph = new GraphBuilder();
    expect(graph.node('Relu', 'y', ['x'])).toBe('y');
    const node = roundTrip(graph.model(PORTS)).graph?.node?.[0];
    expect(node).toMatchObject({ opType: 'Relu', name: 'y', input: ['x'], output: ['y'], domain: '' });
  });

  it('names several outputs as told and returns the first', () => {
    const graph = new GraphBuilder();
    expect(graph.node('Split', 'halves', ['x'], { outputs: ['left', 'right'] })).toBe('left');
    expect(roundTrip(graph.model(PORTS)).graph?.node?.[0]).toMatchObject({ name: 'halves', output: ['left', 'right'] });
  });

  it('writes an optional input left out as an empty name', () => {
    const graph = new GraphBuilder();
    graph.node('Clip', 'y', ['x', undefined, 'most']);
    expect(roundTrip(graph.model(PORTS)).graph?.node?.[0]?.input).toEqual(['x', '', 'most']);
  });

  it('counts nodes and hands out those that were added since', () => {
    const graph = new GraphBuilder();
    graph.node('Relu', 'a', ['x']);
    const before = graph.nodeCount;
    graph.node('Relu', 'b', ['a']);
    graph.node('Relu', 'c', ['b']);
    expect([before, graph.nodeCount]).toEqual([1, 3]);
    expect(graph.nodesFrom(before).map(({ name }) => name)).toEqual(['b', 'c']);
  });
});

describe('attributes', () => {
  const { INT, INTS, FLOAT, STRING } = AttributeProto.AttributeType;

  it('are whole numbers, of either sign', () => {
    for (const value of [0, 7, -1]) {
      const found = attributeOf(value);
      expect([found?.name, found?.type, toNumber(found?.i)]).toEqual(['some', INT, value]);
    }
  });

  it('are floats where they are said to be, whole or not', () => {
    for (const value of [0.125, 1, 1e-12]) expect(attributeOf({ float: value })).toMatchObject({ type: FLOAT, f: Math.fround(value) });
  });

  it('are lists of whole numbers, empty ones too', () => {
    for (const value of [[0, 2, -1], []]) {
      const found = attributeOf(value);
      expect([found?.type, found?.ints?.map(toNumber)]).toEqual([INTS, value]);
    }
  });

  it('are text in UTF-8', () => {
    const found = attributeOf('größer');
    expect([found?.type, new TextDecoder().decode(found?.s ?? undefined)]).toEqual([STRING, 'größer']);
  });
});

describe('constants', () => {
  const arrays: [TensorData, string][] = [
    [Float32Array.of(1.5, -0, Number.NaN), 'float32'],
    [Uint8Array.of(0, 255, 7), 'uint8'],
    [Int8Array.of(-128, 127, 0), 'int8'],
    [Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 0), 'int32'],
    [BigInt64Array.of(-(2n ** 52n), 2n ** 52n, 0n), 'int64'],
  ];

  it.each(arrays)('%o keep type and values', (data, type) => {
    const graph = new GraphBuilder();
    expect(graph.constant('c', data)).toBe('c');
    graph.constant('matrix', data, [1, 3]);
    const [vector, matrix] = (roundTrip(graph.model(PORTS)).graph?.initializer ?? []).map(fromProto);
    expect(vector).toMatchObject({ type, dims: [3] });
    expect([...(vector?.data ?? [])]).toEqual(Array.from(data, Number));
    expect(matrix?.dims).toEqual([1, 3]);
  });

  it('are taken from a view alone, not from all of its memory', () => {
    const graph = new GraphBuilder();
    graph.constant('c', Float32Array.of(1, 2, 3, 4, 5).subarray(1, 3));
    expect([...fromProto(graph.initialisers[0] as object).data]).toEqual([2, 3]);
  });

  it('of one value are scalars, of whole numbers int64 lists', () => {
    const graph = new GraphBuilder();
    graph.scalar('half', 0.5);
    graph.integers('axes', [0, -1]);
    const [half, axes] = graph.initialisers.map(fromProto);
    expect(half).toEqual({ type: 'float32', dims: [], data: Float32Array.of(0.5) });
    expect(axes).toEqual({ type: 'int64', dims: [2], data: Float64Array.of(0, -1) });
  });
});

describe('GraphBuilder.model', () => {
  it('imports the opset that it is told', () => {
    const graph = new GraphBuilder();
    graph.node('Relu', 'y', ['x']);
    expect(roundTrip(graph.model({ ...PORTS, opset: 21 })).opsetImport.map(({ version }) => toNumber(version))).toEqual([21]);
  });

  it('imports the domain of the runtime only where a node is of it', () => {
    const imports = (domain: string): unknown => {
      const graph = new GraphBuilder();
      graph.node('Gelu', 'y', ['x'], { domain });
      return roundTrip(graph.model(PORTS)).opsetImport.map((one) => [one.domain, toNumber(one.version)]);
    };
    expect(imports('')).toEqual([['', 17]]);
    expect(imports(MICROSOFT)).toEqual([
      ['', 17],
      [MICROSOFT, 1],
    ]);
  });

  it('declares ports with fixed and free dimensions', () => {
    const graph = new GraphBuilder();
    graph.node('Relu', 'y', ['x']);
    const type = roundTrip(graph.model(PORTS)).graph?.input?.[0]?.type?.tensorType;
    expect(type?.elemType).toBe(DATA_TYPE.FLOAT);
    expect(type?.shape?.dim?.map(({ dimParam, dimValue }) => dimParam || toNumber(dimValue))).toEqual(['rows', 3]);
  });

  it('is what the runtime runs', async () => {
    const graph = new GraphBuilder();
    graph.constant('w', Float32Array.of(1, 0, 0, 0, 2, 0, 0, 0, 3), [3, 3]);
    graph.node('MatMul', 'product', ['x', 'w']);
    graph.node('Clip', 'y', ['product', undefined, graph.scalar('most', 5)]);
    const runner = await openGraph(ModelProto.encode(graph.model(PORTS)).finish(), 1);
    const { y } = await runner.run({ x: { type: 'float32', dims: [2, 3], data: Float32Array.of(1, 2, 3, -4, 0.5, 0) } });
    await runner.close();
    expect([...(y ?? [])]).toEqual([1, 4, 5, -4, 1, 0]);
  });
});

describe('openGraph', () => {
  it('refuses what is no graph, with a sentence', async () => {
    await expect(openGraph(Uint8Array.of(1, 2, 3), 1)).rejects.toMatchObject({
      code: 'model-invalid',
      message: expect.stringContaining('a graph made here: the runtime cannot load it'),
    });
    await expect(openGraph('/nowhere/model.onnx', 1)).rejects.toMatchObject({
      code: 'model-invalid',
      message: expect.stringContaining('/nowhere/model.onnx'),
    });
  });

  it('gives every output by name, the caller to keep', async () => {
    const graph = new GraphBuilder();
    graph.node('Relu', 'y', ['x']);
    graph.node('Neg', 'z', ['x']);
    const outputs = [...PORTS.outputs, { name: 'z', type: DATA_TYPE.FLOAT, dims: ['rows', 3] }];
    const runner = await openGraph(ModelProto.encode(graph.model({ ...PORTS, outputs })).finish(), 1);
    const feed = (...values: number[]) => ({ x: { type: 'float32' as const, dims: [1, 3], data: Float32Array.from(values) } });
    const first = await runner.run(feed(1, -2, 3));
    await runner.run(feed(9, 9, 9));
    await runner.close();
    expect(first).toEqual({ y: Float32Array.of(1, 0, 3), z: Float32Array.of(-1, 2, -3) });
  });
});
