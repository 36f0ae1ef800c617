// A written model is proven before it is installed: shapes that are fixed inside are found with and without the runtime's help.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exportModel } from '#src/model/export.js';
import { DATA_TYPE, type GraphProto, type NodeProto } from '#src/onnx/proto.js';
import { node, type TinyOptions, tinyModel, writeTiny } from '../onnx/tiny.js';
import { temporaryFolder } from '../run.js';

/** Ends the graph in a Reshape to [-1, width, 4]. */
function reshapeTo(width: bigint) {
  return (graph: GraphProto): void => {
    const target = BigInt64Array.of(-1n, width, 4n);
    graph.initializer?.push({ name: 'target', dims: [3], dataType: DATA_TYPE.INT64, rawData: new Uint8Array(target.buffer) });
    (graph.node?.[1] as NodeProto).output = ['scaled'];
    graph.node?.push(node('Reshape', 'fixed_inside', ['scaled', 'target'], ['last_hidden_state']));
  };
}

describe('a shape fixed inside', () => {
  it.each<[string, TinyOptions, RegExp]>([
    [
      'a model of fixed inputs',
      { shape: [1, 8], edit: reshapeTo(8n) },
      /works only at its fixed input shape: node "fixed_inside" \(Reshape\)/,
    ],
    ['a model of free inputs', { edit: reshapeTo(7n) }, /does not run on probe texts: node "fixed_inside" \(Reshape\)/],
    [
      'a model that folds tokens into rows in silence',
      { shape: [1, 8], edit: reshapeTo(1n) },
      /"last_hidden_state" is 8 x 1 x 4 for 1 texts of 8/,
    ],
  ])('%s is refused for what it is', async (_, options, why) => {
    const root = temporaryFolder();
    const source = writeTiny(join(root, 'in'), tinyModel(options));
    const refused = exportModel(source, join(root, 'out'), { dtype: 'fp16', pooling: 'cls' });
    await expect(refused).rejects.toMatchObject({ code: 'model-unsupported', message: expect.stringMatching(why) });
  });
});
