// The public recipe that does not work, rebuilt as a negative control: every float value of a graph goes through per-tensor uint8 by
// its least and greatest value on a few texts, and every weight matrix through per-channel int8.
import type { GraphTensor } from '#src/engine/contract.js';
import { openGraph } from '#src/engine/ort.js';
import { GraphBuilder } from '#src/onnx/build.js';
import { DATA_TYPE, dimsOf, type GraphProto, ModelProto, NodeProto } from '#src/onnx/proto.js';
import { floatValues, readOnnx } from '#src/onnx/read.js';
import { int64 } from '#src/quantize/observe.js';

export type Ids = Int32Array;

/** What the graph's three inputs are fed with for one text. */
export function feedsOf(ids: Ids): Record<string, GraphTensor> {
  const dims = [1, ids.length];
  return {
    input_ids: int64(ids, dims),
    attention_mask: int64(new Int32Array(ids.length).fill(1), dims),
    token_type_ids: int64(new Int32Array(ids.length), dims),
  };
}

interface MinMax {
  low: number;
  high: number;
}

/** Least and greatest value of every float value that nodes make, over the texts. */
async function rangesOf(model: ModelProto, texts: readonly Ids[]): Promise<Map<string, MinMax>> {
  const graph = model.graph as GraphProto;
  const names = (graph.node ?? []).flatMap((node) => node.output ?? []);
  const known = new Set((graph.output ?? []).map(({ name }) => name));
  const output = [...(graph.output ?? []), ...names.filter((name) => !known.has(name)).map((name) => ({ name }))];
  const runner = await openGraph(ModelProto.encode(ModelProto.create({ ...model, graph: { ...graph, output } })).finish(), 2);
  const ranges = new Map<string, MinMax>();
  for (const ids of texts) {
    for (const [name, data] of Object.entries(await runner.run(feedsOf(ids)))) {
      if (!(data instanceof Float32Array)) continue;
      const range = ranges.get(name) ?? { low: 0, high: 0 };
      for (const value of data) {
        range.low = Math.min(range.low, value);
        range.high = Math.max(range.high, value);
      }
      ranges.set(name, range);
    }
  }
  await runner.close();
  return ranges;
}

/** The model at `path` with every operator's result, and every weight matrix, quantized and given back. */
export async function everyOperatorMinMax(path: string, texts: readonly Ids[]): Promise<ModelProto> {
  const { model } = await readOnnx(path);
  const graph = model.graph as GraphProto;
  const ranges = await rangesOf(model, texts);
  for (const tensor of graph.initializer ?? []) {
    if (tensor.dataType !== DATA_TYPE.FLOAT || dimsOf(tensor).length !== 2) continue;
    const rounded = roundColumns(await floatValues(tensor, path), dimsOf(tensor)[1] as number);
    tensor.rawData = new Uint8Array(rounded.buffer);
  }
  const kept = new Set((graph.output ?? []).map(({ name }) => name));
  const quantized = new Map<string, string>();
  const nodes = (graph.node ?? []).flatMap((node) => {
    const input = (node.input ?? []).map((name) => quantized.get(name) ?? name);
    const builder = new GraphBuilder();
    for (const name of node.output ?? []) {
      const range = ranges.get(name);
      if (range === undefined || kept.has(name)) continue;
      const scale = (range.high - range.low) / 255 || 1;
      builder.scalar(`${name}.scale`, scale);
      builder.constant(`${name}.zero`, Uint8Array.of(Math.max(0, Math.min(255, Math.round(-range.low / scale)))), []);
      builder.node('QuantizeLinear', `${name}.u8`, [name, `${name}.scale`, `${name}.zero`]);
      quantized.set(name, builder.node('DequantizeLinear', `${name}.back`, [`${name}.u8`, `${name}.scale`, `${name}.zero`]));
    }
    graph.initializer = [...(graph.initializer ?? []), ...builder.initialisers];
    return [NodeProto.create({ ...node, input }), ...builder.nodesFrom(0)];
  });
  return ModelProto.create({ ...model, graph: { ...graph, node: nodes } });
}

/** Symmetric int8 a column and back. */
function roundColumns(values: Float32Array, columns: number): Float32Array<ArrayBuffer> {
  const scales = new Float32Array(columns);
  values.forEach((value, at) => {
    scales[at % columns] = Math.max(scales[at % columns] as number, Math.abs(value) / 127);
  });
  return Float32Array.from(values, (value, at) => Math.round(value / (scales[at % columns] || 1)) * (scales[at % columns] as number));
}
