// The runtime behind its contract: files that it cannot load, inputs that nobody feeds, outputs of other types.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openOrt } from '#src/engine/ort.js';
import { DATA_TYPE, type GraphProto, ModelProto, type NodeProto } from '#src/onnx/proto.js';
import { DIM, node, type TinyOptions, tinyModel } from '../onnx/tiny.js';
import { temporaryFolder } from '../run.js';

function modelFile(options: TinyOptions | Uint8Array): string {
  const path = join(temporaryFolder(), 'model.onnx');
  writeFileSync(path, options instanceof Uint8Array ? options : ModelProto.encode(tinyModel(options)).finish());
  return path;
}

const open = (path: string, output?: string) => openOrt(path, { threads: 1, output });

describe('openOrt', () => {
  it.each([
    ['nothing', new Uint8Array(0)],
    ['text', Buffer.from('no model')],
    ['half a model', ModelProto.encode(tinyModel()).finish().subarray(0, 200)],
  ])('says which file it cannot load: %s', async (_, bytes) => {
    await expect(open(modelFile(bytes))).rejects.toMatchObject({
      code: 'model-invalid',
      message: expect.stringMatching(/model\.onnx: the runtime cannot load it/),
    });
  });

  it('says so of a file that is not there, of an input that it does not feed and of an output that the graph lacks', async () => {
    await expect(open('no-such.onnx')).rejects.toMatchObject({ code: 'model-invalid', message: expect.stringContaining('no-such.onnx') });
    const unsupported = { code: 'model-unsupported' };
    await expect(open(modelFile({ inputs: ['input_ids', 'image'] }))).rejects.toMatchObject({
      ...unsupported,
      message: expect.stringContaining('"image"'),
    });
    await expect(open(modelFile({}), 'pooled')).rejects.toMatchObject({ ...unsupported, message: expect.stringContaining('"pooled"') });
  });

  it('gives each run its own values, whichever size came before, and refuses an output that is not float32', async () => {
    const engine = await open(modelFile({}));
    for (const [rows, width] of [
      [1, 2],
      [40, 50],
      [3, 3],
    ] as const) {
      const ids = Int32Array.from({ length: rows * width }, (_, at) => (at * 5 + width) % 12);
      const { hidden, dims } = await engine.run({ ids, rows, width });
      expect(dims).toEqual([rows, width, DIM]);
      const plain = [...ids].flatMap((id) => [0, 1, 2, 3].map((column) => Math.fround((((id * DIM + column) % 7) - 3) * Math.fround(0.1))));
      expect(hidden).toEqual(Float32Array.from(plain));
    }
    await engine.close();
    const edit = (graph: GraphProto): void => {
      (graph.node?.[1] as NodeProto).output = ['scaled'];
      graph.node?.push(node('Cast', 'as_double', ['scaled'], ['last_hidden_state'], [{ name: 'to', type: 2, i: DATA_TYPE.DOUBLE }]));
      Object.assign(graph.output?.[0]?.type?.tensorType as object, { elemType: DATA_TYPE.DOUBLE });
    };
    const double = await open(modelFile({ edit }));
    await expect(double.run({ ids: Int32Array.of(1), rows: 1, width: 1 })).rejects.toMatchObject({ code: 'model-unsupported' });
    await double.close();
  });
});
