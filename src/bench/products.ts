// Plain products of large matrices as graphs of one product each: what a processor can do at best through this runtime.
import type { GraphRunner, GraphTensor } from '../engine/contract.js';
import { openGraph } from '../engine/ort.js';
import { GraphBuilder } from '../onnx/build.js';
import { DATA_TYPE, ModelProto } from '../onnx/proto.js';
import type { Kind } from './operations.js';

/** M, K and N: two that are large in every way, and one of the model's own. */
export const SHAPES: readonly (readonly [number, number, number])[] = [
  [1024, 1024, 1024],
  [2048, 2048, 2048],
  [800, 384, 1536],
];

export interface Product {
  readonly run: () => Promise<unknown>;
  readonly close: GraphRunner['close'];
}

/** x (M x K) by a constant (K x N): u8 by s8 or fp32. All of the product is computed and one row handed back, so that no copy is timed. */
export async function openProduct(kind: Kind, [m, k, n]: readonly [number, number, number], threads: number): Promise<Product> {
  const isInt8 = kind === 'int8';
  const graph = new GraphBuilder();
  graph.constant('w', isInt8 ? Int8Array.from(waves(k * n, 100)) : Float32Array.from(waves(k * n, 0.5)), [k, n]);
  graph.node(isInt8 ? 'MatMulInteger' : 'MatMul', 'product', ['x', 'w']);
  graph.node('Slice', 'row', ['product', graph.integers('from', [0]), graph.integers('to', [1])]);
  const inputs = [{ name: 'x', type: isInt8 ? DATA_TYPE.UINT8 : DATA_TYPE.FLOAT, dims: [m, k] }];
  const outputs = [{ name: 'row', type: isInt8 ? DATA_TYPE.INT32 : DATA_TYPE.FLOAT, dims: [1, n] }];
  const runner = await openGraph(ModelProto.encode(graph.model({ inputs, outputs, opset: 17 })).finish(), threads);
  const x: GraphTensor = isInt8
    ? { type: 'uint8', dims: [m, k], data: Uint8Array.from(waves(m * k, 100), (value) => value + 128) }
    : { type: 'float32', dims: [m, k], data: Float32Array.from(waves(m * k, 0.5)) };
  return { run: () => runner.run({ x }), close: () => runner.close() };
}

/** Values from -scale to scale that follow no simple pattern; the same every time. */
function waves(count: number, scale: number): Float64Array {
  return new Float64Array(count).map((_, at) => scale * Math.sin(at * 12.9898));
}
