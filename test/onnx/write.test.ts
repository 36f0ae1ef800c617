// Models written to disk: in one file up to a limit, beyond it with their weights beside, and run by the runtime either way.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { emitEncoder, OUTPUT } from '#src/encoder/emit.js';
import { FUSED, STANDARD } from '#src/encoder/forms.js';
import { int8Arithmetic } from '#src/encoder/int8.js';
import { qdqArithmetic } from '#src/encoder/qdq.js';
import { openGraph } from '#src/engine/ort.js';
import { DATA_TYPE, EXTERNAL, ModelProto, type TensorProto } from '#src/onnx/proto.js';
import { rawBytes, readOnnx } from '#src/onnx/read.js';
import { writeGraph } from '#src/onnx/write.js';
import { int64 } from '#src/quantize/observe.js';
import { randomBatch, randomEncoder, randomParts } from '../encoder/random-encoder.js';
import { temporaryFolder } from '../run.js';

const encoder = randomEncoder({ layers: 1 });
const batch = randomBatch(encoder, 2, 5);

function fused(): ModelProto {
  return emitEncoder(encoder, int8Arithmetic(encoder, randomParts(encoder)), { form: FUSED, output: 'cls' });
}

/** Standard operators, whose shapes and axes are constants too, and so go where the weights go. */
function qdq(): ModelProto {
  return emitEncoder(encoder, qdqArithmetic(encoder, randomParts(encoder)), { form: STANDARD, output: 'hidden' });
}

function weightBytes(model: ModelProto): number {
  return (model.graph?.initializer ?? []).reduce((sum, { rawData }) => sum + (rawData?.length ?? 0), 0);
}

async function vectors(source: string | Uint8Array): Promise<Float32Array> {
  const runner = await openGraph(source, 1);
  const found = await runner.run({ input_ids: int64(batch.ids, [batch.rows, batch.width]) });
  await runner.close();
  return found[OUTPUT] as Float32Array;
}

describe('writeGraph', () => {
  it('writes one file, the model as it is, up to the limit', async () => {
    const path = join(temporaryFolder(), 'model.onnx');
    const model = fused();
    const bytes = ModelProto.encode(model).finish();
    expect(await writeGraph(model, path)).toEqual([path]);
    expect(Buffer.compare(readFileSync(path), bytes)).toBe(0);
    expect(readdirSync(dirname(path))).toEqual(['model.onnx']);
    const exact = join(temporaryFolder(), 'model.onnx');
    expect(await writeGraph(fused(), exact, weightBytes(fused()))).toEqual([exact]);
  });

  it.each([
    ['fused', fused],
    ['qdq', qdq],
  ] as const)('one byte beyond it puts the weights beside, and the model gives the same bits: %s', async (_, emit) => {
    const path = join(temporaryFolder(), 'model.onnx');
    const limit = weightBytes(emit()) - 1;
    expect(await writeGraph(emit(), path, limit)).toEqual([path, `${path}.data`]);
    expect(readdirSync(dirname(path)).sort()).toEqual(['model.onnx', 'model.onnx.data']);
    expect(statSync(path).size).toBeLessThan(ModelProto.encode(emit()).finish().length - limit / 2);
    const expected = await vectors(ModelProto.encode(emit()).finish());
    expect(await vectors(path)).toEqual(expected);
    expect(new Set(expected).size).toBeGreaterThan(30);
  });

  it('keeps every tensor byte for byte, the large ones beside, page-aligned', async () => {
    const path = join(temporaryFolder(), 'model.onnx');
    await writeGraph(qdq(), path, 1000);
    const { model } = await readOnnx(path);
    const before = qdq().graph?.initializer ?? [];
    const after = model.graph?.initializer ?? [];
    expect(after.map(({ name }) => name)).toEqual(before.map(({ name }) => name));
    const places: number[] = [];
    for (const [at, tensor] of after.entries()) {
      const bytes = (before[at] as TensorProto).rawData as Uint8Array;
      expect(Buffer.compare((await rawBytes(tensor, path)) as Uint8Array, bytes)).toBe(0);
      if (tensor.dataLocation !== EXTERNAL) continue;
      expect(tensor.rawData).toHaveLength(0);
      const entries = Object.fromEntries((tensor.externalData ?? []).map(({ key, value }) => [key, value]));
      expect(entries['location']).toBe(basename(`${path}.data`));
      places.push(Number(entries['offset']));
    }
    expect(places.every((place) => place % 4096 === 0)).toBe(true);
    expect(new Set(places).size).toBe(places.length);
  });

  it('leaves shapes and axes in the file, where the runtime looks for them before it reads what is beside', async () => {
    const path = join(temporaryFolder(), 'model.onnx');
    await writeGraph(qdq(), path, 1000);
    const { model } = await readOnnx(path);
    const external = model.graph?.initializer?.filter(({ dataLocation }) => dataLocation === EXTERNAL) ?? [];
    expect(external.map(({ name }) => name)).toEqual(expect.arrayContaining(['embedding.table', 'embedding.positions']));
    expect(external.filter(({ dataType }) => dataType === DATA_TYPE.INT64)).toEqual([]);
  });

  it('writes the same bytes each time', async () => {
    const write = async (): Promise<Buffer[]> => {
      const path = join(temporaryFolder(), 'model.onnx');
      return (await writeGraph(fused(), path, 1000)).map((one) => readFileSync(one));
    };
    const [first, second] = [await write(), await write()];
    expect(first.map((bytes, at) => Buffer.compare(bytes, second[at] as Buffer))).toEqual([0, 0]);
  });

  it('takes a graph without a weight', async () => {
    const path = join(temporaryFolder(), 'model.onnx');
    const model = ModelProto.create({ graph: { node: [{ opType: 'Relu', input: ['x'], output: ['y'] }] } });
    expect(await writeGraph(model, path, 0)).toEqual([path]);
    expect((await readOnnx(path)).model.graph?.node).toHaveLength(1);
  });
});
