// The proof on finished files: planted pairs are found, all others counted, wherever the weights are kept.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { emitEncoder } from '#src/encoder/emit.js';
import { FUSED, STANDARD } from '#src/encoder/forms.js';
import { fp32Arithmetic } from '#src/encoder/fp32.js';
import { int8Arithmetic } from '#src/encoder/int8.js';
import { qdqArithmetic } from '#src/encoder/qdq.js';
import { GraphBuilder } from '#src/onnx/build.js';
import { DATA_TYPE, ModelProto } from '#src/onnx/proto.js';
import { writeGraph } from '#src/onnx/write.js';
import { checkPairs, proveSaturation } from '#src/quantize/saturation.js';
import type { WeightRange } from '#src/quantize/weights.js';
import { randomEncoder, randomParts } from '../encoder/random-encoder.js';
import { fc } from '../properties.js';
import { temporaryFolder } from '../run.js';

const encoder = randomEncoder({ layers: 2 });
// Query, key, value and output 16 x 32 each; up 16 x 64, down 32 x 32.
const PAIRS = 2 * (4 * 16 * 32 + 16 * 64 + 32 * 32);

function graphOf(weights: WeightRange, format: 'fused' | 'qdq'): ModelProto {
  const parts = randomParts(encoder, { weights });
  const arithmetic = format === 'fused' ? int8Arithmetic(encoder, parts) : qdqArithmetic(encoder, parts);
  return emitEncoder(encoder, arithmetic, { form: format === 'fused' ? FUSED : STANDARD, output: 'cls' });
}

async function written(model: ModelProto, limit?: number): Promise<string> {
  const path = join(temporaryFolder(), 'model.onnx');
  await writeGraph(model, path, limit);
  return path;
}

/** Writes two values of one matrix, a row apart. */
function plant(model: ModelProto, matrix: RegExp, row: number, values: readonly [number, number]): string {
  const tensor = model.graph?.initializer?.find(({ name, dims }) => matrix.test(name ?? '') && dims?.length === 2);
  const raw = tensor?.rawData as Uint8Array;
  const outputs = Number(tensor?.dims?.[1]);
  new Int8Array(raw.buffer, raw.byteOffset)[row * outputs + 3] = values[0];
  new Int8Array(raw.buffer, raw.byteOffset)[(row + 1) * outputs + 3] = values[1];
  return String(tensor?.name);
}

describe.each(['fused', 'qdq'] as const)('proveSaturation, %s', (format) => {
  it('proves weights made safe, and counts every pair', async () => {
    const proof = await proveSaturation(await written(graphOf('safe', format)));
    expect(proof).toEqual({ matrices: 12, pairs: PAIRS, largestSum: 128, unsafe: [] });
  });

  it('finds that plain weights are not', async () => {
    const { unsafe, largestSum, pairs } = await proveSaturation(await written(graphOf('vnni', format)));
    expect(unsafe.length).toBeGreaterThan(6);
    expect(largestSum).toBeGreaterThan(128);
    expect(pairs).toBe(PAIRS);
  });

  it.each([
    [[100, 29], 129],
    [[-64, -65], 129],
    [[-128, -1], 129],
    [[127, 127], 254],
  ] as const)('finds one planted pair of %o', async (values, sum) => {
    const model = graphOf('safe', format);
    const matrix = plant(model, /layer1\.down\./, 30, values);
    expect(await proveSaturation(await written(model))).toMatchObject({ largestSum: sum, unsafe: [{ matrix, pairs: 1 }] });
  });

  it('lets go of neighbours that are no pair, and of opposite signs', async () => {
    const model = graphOf('safe', format);
    plant(model, /layer0\.up\./, 4, [127, -127]);
    // Rows 7 and 8 belong to two pairs, whose other halves are zeros.
    plant(model, /layer0\.up\./, 6, [0, 127]);
    plant(model, /layer0\.up\./, 8, [127, 0]);
    expect((await proveSaturation(await written(model))).unsafe).toEqual([]);
  });

  it('reads weights kept in a file beside', async () => {
    const model = graphOf('safe', format);
    const matrix = plant(model, /layer0\.query\./, 0, [90, 90]);
    const path = await written(model, 100);
    expect(await proveSaturation(path)).toEqual({ matrices: 12, pairs: PAIRS, largestSum: 180, unsafe: [{ matrix, pairs: 1 }] });
  });
});

/** One product of uint8 by int8, the second factor given by the caller. */
function productOf(op: string, weight: object): ModelProto {
  const graph = new GraphBuilder();
  graph.node(op, 'y', ['a', 'w']);
  const ports = {
    inputs: [{ name: 'a', type: DATA_TYPE.UINT8, dims: ['rows', 3] }],
    outputs: [{ name: 'y', type: DATA_TYPE.INT32, dims: ['rows', 2] }],
  };
  const model = graph.model({ ...ports, opset: 17 });
  model.graph?.initializer?.push({ name: 'w', dataType: DATA_TYPE.INT8, dims: [3, 2], ...weight });
  return model;
}

async function plainFile(model: ModelProto): Promise<string> {
  const path = join(temporaryFolder(), 'model.onnx');
  await writeFile(path, ModelProto.encode(model).finish());
  return path;
}

describe('proveSaturation', () => {
  it('reads weights in a typed field, and an odd number of rows', async () => {
    const path = await plainFile(productOf('MatMulInteger', { int32Data: [100, -1, 100, -127, 127, 127] }));
    expect(await proveSaturation(path)).toEqual({ matrices: 1, pairs: 2, largestSum: 200, unsafe: [{ matrix: 'w', pairs: 1 }] });
  });

  it('looks at the weights of products alone: not at int8 tables, nor at uint8 weights', async () => {
    const raw = new Uint8Array(6).fill(127);
    for (const model of [productOf('Add', { rawData: raw }), productOf('MatMulInteger', { rawData: raw, dataType: DATA_TYPE.UINT8 })]) {
      await expect(proveSaturation(await plainFile(model))).rejects.toMatchObject({ code: 'model-unsupported' });
    }
  });

  it('refuses a model in full precision, and what is no model', async () => {
    const full = await written(emitEncoder(encoder, fp32Arithmetic(encoder), { form: FUSED, output: 'cls' }));
    await expect(proveSaturation(full)).rejects.toMatchObject({
      code: 'model-unsupported',
      message: `${full}: no int8 weight matrix in it`,
      hint: 'name a model that quantize made',
    });
    const text = join(temporaryFolder(), 'text.onnx');
    await writeFile(text, 'not a model');
    await expect(proveSaturation(text)).rejects.toMatchObject({ code: 'model-invalid' });
  });
});

describe('checkPairs', () => {
  it.each([
    [[], { pairs: 0, largestSum: 0, unsafe: 0 }],
    [[127, -127], { pairs: 0, largestSum: 0, unsafe: 0 }],
    [[64, 1, 64, -5], { pairs: 2, largestSum: 128, unsafe: 0 }],
    [[64, 1, 65, 5], { pairs: 2, largestSum: 129, unsafe: 1 }],
    [[0, 0, -128, 0], { pairs: 2, largestSum: 128, unsafe: 0 }],
    [[-127, 5, 3, -100], { pairs: 2, largestSum: 0, unsafe: 0 }],
    [[1, 1, 1, 1, 100, -100, 100, -100], { pairs: 4, largestSum: 200, unsafe: 2 }],
    [[1, 1, 100, 100, 100, 100, 1, 1], { pairs: 4, largestSum: 101, unsafe: 0 }],
    [[1, 1, 100, 100, 100, 100], { pairs: 2, largestSum: 101, unsafe: 0 }],
  ])('%o in two columns', (values, expected) => {
    expect(checkPairs(Int8Array.from(values), 2)).toEqual(expected);
  });

  it('is right about what 16 bits hold: 255 times each of a pair, added', () => {
    const pair = fc.integer({ min: -128, max: 127 });
    fc.assert(
      fc.property(pair, pair, (a, b) => {
        const isWithin = Math.abs(a + b) * 255 <= 32_767;
        // Opposite signs cannot pass it: with one factor 0 the other alone is at most 255 x 128.
        expect(checkPairs(Int8Array.of(a, b), 1).unsafe).toBe(isWithin ? 0 : 1);
      }),
      { numRuns: 500 },
    );
  });
});
