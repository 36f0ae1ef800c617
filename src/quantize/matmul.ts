// The products that the search for scales needs, as a one-node graph on the engine.
import type { GraphRunner } from '../engine/contract.js';
import { openGraph } from '../engine/ort.js';
import { GraphBuilder } from '../onnx/build.js';
import { DATA_TYPE, ModelProto } from '../onnx/proto.js';
import type { MatMul } from './choose.js';

/** Opens the graph; `close` it when done. */
export async function openMatMul(threads: number): Promise<{ matmul: MatMul; close: GraphRunner['close'] }> {
  const graph = new GraphBuilder();
  graph.node('MatMul', 'product', ['x', 'w']);
  const model = graph.model({
    inputs: [
      { name: 'x', type: DATA_TYPE.FLOAT, dims: ['rows', 'inputs'] },
      { name: 'w', type: DATA_TYPE.FLOAT, dims: ['inputs', 'outputs'] },
    ],
    outputs: [{ name: 'product', type: DATA_TYPE.FLOAT, dims: ['rows', 'outputs'] }],
    opset: 17,
  });
  const runner = await openGraph(ModelProto.encode(model).finish(), threads);
  const matmul: MatMul = async (x, w, inputs) => {
    const results = await runner.run({
      x: { type: 'float32', dims: [x.length / inputs, inputs], data: x },
      w: { type: 'float32', dims: [inputs, w.length / inputs], data: w },
    });
    return results['product'] as Float32Array;
  };
  return { matmul, close: () => runner.close() };
}
