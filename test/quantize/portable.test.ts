// The path through any graph: which products it finds, what it writes for them, and that all else is left as it was.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openGraph } from '#src/engine/ort.js';
import type { Manifest } from '#src/model/manifest.js';
import { DATA_TYPE, ModelProto } from '#src/onnx/proto.js';
import { type OnnxFile, readOnnx } from '#src/onnx/read.js';
import { openMatMul } from '#src/quantize/matmul.js';
import { type IdBatch, observe, writeTapped } from '#src/quantize/observe.js';
import type { QuantizedModel } from '#src/quantize/path.js';
import { portablePath } from '#src/quantize/portable-path.js';
import { findProducts } from '#src/quantize/portable-products.js';
import { fromF16, toF16 } from '#src/vectors/f16.js';
import { cosine } from '#src/vectors/matrix.js';
import { node } from '../onnx/tiny.js';
import { temporaryFolder } from '../run.js';
import { DIM, halfHead, INNER, poolFirstToken, productsModel, WEIGHTS } from './products-model.js';

const OUTPUT = 'last_hidden_state';
const NONE: ReadonlySet<string> = new Set();

async function written(model: ModelProto): Promise<OnnxFile> {
  const path = join(temporaryFolder(), 'model.onnx');
  writeFileSync(path, ModelProto.encode(model).finish());
  return readOnnx(path);
}

function manifest(opset: number): Manifest {
  return { architecture: { output: OUTPUT, opset }, pooling: 'mean' } as unknown as Manifest;
}

const BATCHES: readonly IdBatch[] = Array.from({ length: 30 }, (_, at) => {
  const [rows, width] = [1 + (at % 3), 2 + (at % 9)];
  return { ids: Int32Array.from({ length: rows * width }, (_, token) => (at * 37 + token * 11) % 100), rows, width };
});

async function quantize(file: OnnxFile, opset = 13): Promise<QuantizedModel> {
  const path = await portablePath(file, manifest(opset), 'a test asks for it');
  const work = temporaryFolder();
  const observations = await observe(await writeTapped(await path.tapped(), work), BATCHES, { threads: 1, work, sampleRows: 64 });
  const { matmul, close } = await openMatMul(1);
  try {
    return await path.quantize(observations, matmul, { weights: 'safe', headroom: 0.1, rows: 64, preScale: true });
  } finally {
    await close();
  }
}

/** The output for every batch, one after the other. */
async function outputs(model: ModelProto, type: 'int64' | 'int32' = 'int64'): Promise<Float32Array> {
  const runner = await openGraph(ModelProto.encode(model).finish(), 1);
  const parts: number[] = [];
  for (const { ids, rows, width } of BATCHES) {
    const data = type === 'int64' ? BigInt64Array.from(ids, BigInt) : ids;
    const seen = await runner.run({ input_ids: { type, data, dims: [rows, width] } as Parameters<typeof runner.run>[0][string] });
    parts.push(...(seen[OUTPUT] as Float32Array));
  }
  await runner.close();
  return Float32Array.from(parts);
}

const typesOf = (model: ModelProto): string[] => (model.graph?.node ?? []).map(({ opType }) => opType ?? '');

describe('findProducts', () => {
  it('reads each form as x W + b, and what shares an input together', async () => {
    const sites = await findProducts(await written(productsModel()), OUTPUT);
    expect(sites.map(({ value, inputs, products }) => [value, inputs, products.map((product) => product.node.name)])).toEqual([
      ['rows', DIM, ['left', 'right']],
      ['active', INNER, ['fused']],
      ['flattened', DIM, ['gemm']],
    ]);
    const [left, right, fused, gemm] = sites.flatMap(({ products }) => products);
    expect(left?.weights).toEqual({ inputs: DIM, outputs: INNER, weight: WEIGHTS.left.map((value) => fromF16(toF16(value))) });
    expect(right?.weights).toEqual({ inputs: DIM, outputs: INNER, weight: WEIGHTS.right });
    expect(fused?.weights).toEqual({ inputs: INNER, outputs: DIM, weight: turned(WEIGHTS.fused, DIM, INNER, 0.5) });
    expect(gemm?.weights).toEqual({ inputs: DIM, outputs: DIM, weight: turned(WEIGHTS.gemm, DIM, DIM, 2) });
    expect([left, right, fused, gemm].map((product) => product?.bias)).toEqual([undefined, undefined, undefined, WEIGHTS.bias]);
  });

  it.each([
    ['transA', { name: 'transA', type: 2, i: 1 }],
    ['a factor for the bias', { name: 'beta', type: 1, f: 0.5 }],
  ])('leaves a Gemm with %s alone', async (_, attribute) => {
    const file = await written(
      productsModel({ edit: (graph) => Object.assign(graph.node?.find(({ name }) => name === 'gemm') ?? {}, { attribute: [attribute] }) }),
    );
    expect((await findProducts(file, OUTPUT)).map(({ value }) => value)).toEqual(['rows', 'active']);
  });
});

function turned(weight: Float32Array, rows: number, columns: number, factor: number): Float32Array {
  return Float32Array.from({ length: weight.length }, (_, at) => {
    const [input, output] = [Math.floor(at / rows), at % rows];
    return (weight[output * columns + input] as number) * factor;
  });
}

describe('portablePath', () => {
  it.each(['fused', 'qdq'] as const)('%s: gives the vectors of the source, one quantizer an input, all else untouched', async (format) => {
    const file = await written(productsModel());
    const before = JSON.stringify(file.model.graph?.node);
    const emitted = (await quantize(file)).emit(NONE, format);
    expect(cosine(await outputs(productsModel()), await outputs(emitted))).toBeGreaterThan(0.9995);
    const kept = (model: ModelProto) =>
      (model.graph?.node ?? []).filter(({ name }) => KEPT.has(name ?? '')).map((one) => JSON.parse(JSON.stringify(one)));
    expect(kept(emitted)).toEqual(kept(productsModel()));
    expect(kept(emitted)).toHaveLength(KEPT.size);
    expect(typesOf(emitted).filter((type) => type === 'QuantizeLinear')).toHaveLength(3);
    expect(typesOf(emitted)).not.toContain('Gemm');
    expect(typesOf(emitted)).not.toContain('FusedMatMul');
    expect(typesOf(emitted).filter((type) => type === 'MatMulIntegerToFloat')).toHaveLength(format === 'fused' ? 4 : 0);
    const names = (emitted.graph?.initializer ?? []).map(({ name }) => name);
    expect(names).toContain('words');
    for (const dead of ['left.half', 'right', 'fused.weight', 'gemm.weight', 'gemm.bias']) expect(names).not.toContain(dead);
    expect(typesOf(emitted)).not.toContain('Cast');
    expect(JSON.stringify(file.model.graph?.node)).toBe(before);
  });

  it('fused and qdq agree', async () => {
    const quantized = await quantize(await written(productsModel()));
    const [fused, qdq] = [await outputs(quantized.emit(NONE, 'fused')), await outputs(quantized.emit(NONE, 'qdq'))];
    expect(cosine(fused, qdq)).toBeGreaterThanOrEqual(0.9999);
  });

  it.each(['fused', 'qdq'] as const)('%s: keeps the products of the sites named as they are', async (format) => {
    const quantized = await quantize(await written(productsModel()));
    const names = [...quantized.choices.keys()];
    expect(names).toEqual(['product0.left', 'product1.fused', 'product2.gemm']);
    const emitted = quantized.emit(new Set(names.slice(1)), format);
    expect(typesOf(emitted)).toEqual(expect.arrayContaining(['FusedMatMul', 'Gemm']));
    expect(typesOf(emitted).filter((type) => type === 'QuantizeLinear')).toHaveLength(1);
    const whole = quantized.emit(new Set(names), format);
    expect(await outputs(whole)).toEqual(await outputs(productsModel()));
  });

  it('refuses qdq below opset 13, and says what works', async () => {
    const quantized = await quantize(await written(productsModel({ opset: 11 })), 11);
    expect(() => quantized.emit(NONE, 'qdq')).toThrow(
      expect.objectContaining({ code: 'usage', message: '--format qdq: this model has opset 11, and QDQ needs 13' }),
    );
    expect(cosine(await outputs(productsModel({ opset: 11 })), await outputs(quantized.emit(NONE, 'fused')))).toBeGreaterThan(0.9995);
  });

  // ReduceMin takes its axes as an input from opset 18 on.
  it.each([17, 18, 21])('works at opset %i', async (opset) => {
    const model = productsModel({ opset });
    const quantized = await quantize(await written(model), opset);
    for (const format of ['fused', 'qdq'] as const) {
      expect(cosine(await outputs(model), await outputs(quantized.emit(NONE, format)))).toBeGreaterThan(0.9995);
    }
  });

  it('feeds ids as int32 where the graph asks for that', async () => {
    const model = productsModel({ inputType: DATA_TYPE.INT32 });
    const quantized = await quantize(await written(model));
    expect(cosine(await outputs(model, 'int32'), await outputs(quantized.emit(NONE, 'fused'), 'int32'))).toBeGreaterThan(0.9995);
  });

  it('observes products that have one row a text', async () => {
    const model = productsModel({ edit: poolFirstToken });
    const quantized = await quantize(await written(model));
    expect([...quantized.choices.keys()].at(-1)).toBe('product3.head');
    expect(cosine(await outputs(model), await outputs(quantized.emit(NONE, 'fused')))).toBeGreaterThan(0.9995);
  });

  it('leaves products in half arithmetic alone', async () => {
    const model = productsModel({ edit: halfHead });
    const sites = await findProducts(await written(model), OUTPUT);
    expect(sites.map(({ value }) => value)).toEqual(['rows', 'active', 'flattened']);
    const quantized = await quantize(await written(model));
    expect(cosine(await outputs(model), await outputs(quantized.emit(NONE, 'fused')))).toBeGreaterThan(0.999);
  });

  it('refuses a graph without products in one sentence', async () => {
    const model = productsModel({
      edit: (graph) => {
        graph.node = [node('Gather', 'look_up', ['words', 'input_ids'], [OUTPUT])];
      },
    });
    await expect(portablePath(await written(model), manifest(13), '')).rejects.toMatchObject({
      code: 'model-unsupported',
      message: expect.stringMatching(/^[^\n]+no product by a constant matrix in it$/),
      hint: expect.any(String),
    });
  });
});

const KEPT = new Set('look_up join activate turn scores softmax mixed flatten shape unflatten'.split(' '));
