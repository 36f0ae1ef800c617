// The encoder path from observation to graph on small random encoders: near full precision, safe by proof, and able to keep sites in fp32.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { emitEncoder, IDS, OPSET, OUTPUT } from '#src/encoder/emit.js';
import type { Encoder } from '#src/encoder/encoder.js';
import { foldContextDivisor } from '#src/encoder/fold.js';
import { FUSED } from '#src/encoder/forms.js';
import { fp32Arithmetic } from '#src/encoder/fp32.js';
import { siteName, sitesOf } from '#src/encoder/sites.js';
import { DATA_TYPE, ModelProto } from '#src/onnx/proto.js';
import { writeGraph } from '#src/onnx/write.js';
import { encoderPath } from '#src/quantize/encoder-path.js';
import { openMatMul } from '#src/quantize/matmul.js';
import { type IdBatch, observe, writeTapped } from '#src/quantize/observe.js';
import type { PassOptions, QuantizedModel } from '#src/quantize/path.js';
import { proveSaturation } from '#src/quantize/saturation.js';
import { bySensitivity } from '#src/quantize/sensitivity.js';
import type { Pooling } from '#src/vectors/pool.js';
import { randomBatch, randomEncoder } from '../encoder/random-encoder.js';
import { byRuntime, leastCosine } from '../encoder/run-emitted.js';
import { expectAlike } from '../reference/graphs.js';
import type { Tensor } from '../reference/tensor.js';
import { temporaryFolder } from '../run.js';

const OPTIONS: PassOptions = { weights: 'safe', headroom: 0.1, rows: 200, preScale: true };
const NONE: ReadonlySet<string> = new Set();

async function quantizeOn(encoder: Encoder, pooling: Pooling, batches: readonly IdBatch[], options = OPTIONS): Promise<QuantizedModel> {
  const path = encoderPath(async () => encoder, pooling);
  const work = mkdtempSync(join(tmpdir(), 'embedkit-test-'));
  const observations = await observe(await writeTapped(await path.tapped(), work), batches, { threads: 1, work, sampleRows: 200 });
  const { matmul, close } = await openMatMul(1);
  try {
    return await path.quantize(observations, matmul, options);
  } finally {
    await close();
    rmSync(work, { recursive: true });
  }
}

function full(encoder: Encoder, output: 'cls' | 'hidden'): ModelProto {
  return emitEncoder(encoder, fp32Arithmetic(encoder), { form: FUSED, output });
}

async function outputOf(model: ModelProto, batch: IdBatch): Promise<Tensor> {
  return (await byRuntime(model, batch, 'optimised'))[OUTPUT] as Tensor;
}

/** An encoder with outlier channels after every normalisation, which trained ones have. */
function withOutliers(encoder: Encoder): Encoder {
  const louder = (gamma: Float32Array): Float32Array => gamma.with(3, 30).with(17, 12);
  const quieter = (weight: Float32Array, outputs: number): Float32Array =>
    weight.map((value, at) => (Math.floor(at / outputs) === 3 ? value / 30 : Math.floor(at / outputs) === 17 ? value / 12 : value));
  return {
    ...encoder,
    embeddingNorm: { ...encoder.embeddingNorm, gamma: louder(encoder.embeddingNorm.gamma) },
    layers: encoder.layers.map((layer) => ({
      ...layer,
      query: { ...layer.query, weight: quieter(layer.query.weight, encoder.hidden) },
      key: { ...layer.key, weight: quieter(layer.key.weight, encoder.hidden) },
      value: { ...layer.value, weight: quieter(layer.value.weight, encoder.hidden) },
      up: { ...layer.up, weight: quieter(layer.up.weight, encoder.inner) },
      attentionNorm: { ...layer.outputNorm, ...layer.attentionNorm, gamma: louder((layer.attentionNorm ?? layer.outputNorm).gamma) },
      outputNorm: { ...layer.outputNorm, gamma: louder(layer.outputNorm.gamma) },
    })),
  };
}

const encoder = withOutliers(randomEncoder({ layers: 2 }));
const SEEN = [randomBatch(encoder, 12, 9, 1), randomBatch(encoder, 6, 20, 2)];
const UNSEEN = randomBatch(encoder, 8, 14, 3);

/** Names of int8 matrices, the word table aside. */
function integersOf(model: ModelProto): string[] {
  const isMatrix = (one: { dataType?: number | null; dims?: unknown[] | null }): boolean =>
    one.dataType === DATA_TYPE.INT8 && one.dims?.length === 2;
  const names = model.graph?.initializer?.filter(isMatrix).map(({ name }) => String(name)) ?? [];
  return names.filter((name) => name !== 'embedding.table');
}

describe.each([
  ['cls', 'cls', 'none'],
  ['mean', 'hidden', 'mean'],
] as const)('encoderPath, %s pooling', (pooling, output, left) => {
  let quantized: QuantizedModel;
  let expected: Tensor;

  beforeAll(async () => {
    quantized = await quantizeOn(encoder, pooling, SEEN);
    expected = await outputOf(full(encoder, output), UNSEEN);
  });

  it('says what the graph takes and gives, and what pooling is left to do', () => {
    expect(quantized.ports).toEqual({ inputs: [IDS], output: OUTPUT, pooling: left });
    expect(quantized.opset).toBe(OPSET);
    for (const format of ['fused', 'qdq'] as const) {
      const { graph, opsetImport } = quantized.emit(NONE, format);
      expect(graph?.input?.map(({ name }) => name)).toEqual([IDS]);
      expect(graph?.output?.map(({ name }) => name)).toEqual([OUTPUT]);
      expect(opsetImport?.[0]).toEqual({ domain: '', version: OPSET });
    }
  });

  it('has a choice for every site, in their order, none worse than no pre-scaling', () => {
    expect([...quantized.choices.keys()]).toEqual(sitesOf(encoder).map(siteName));
    for (const { errorBefore, errorAfter } of quantized.choices.values()) expect(errorAfter).toBeLessThanOrEqual(errorBefore);
  });

  it.each(['fused', 'qdq'] as const)('stays near full precision on unseen texts: %s', async (format) => {
    const found = await outputOf(quantized.emit(NONE, format), UNSEEN);
    expect(found.dims).toEqual(expected.dims);
    expect(leastCosine(found, expected, 32)).toBeGreaterThan(0.99);
  });

  it('gives the same vectors in both formats', async () => {
    const [fused, qdq] = [await outputOf(quantized.emit(NONE, 'fused'), UNSEEN), await outputOf(quantized.emit(NONE, 'qdq'), UNSEEN)];
    expect(leastCosine(fused, qdq, 32)).toBeGreaterThan(0.9999);
  });

  it.each(['fused', 'qdq'] as const)('cannot saturate: %s', async (format) => {
    const path = join(temporaryFolder(), 'model.onnx');
    await writeGraph(quantized.emit(NONE, format), path);
    expect(await proveSaturation(path)).toMatchObject({ matrices: 12, unsafe: [] });
  });

  it.each(['fused', 'qdq'] as const)('computes a kept site in fp32 and every other as before: %s', (format) => {
    const all = integersOf(quantized.emit(NONE, format));
    expect(all).toHaveLength(12);
    const without = (keep: string): string[] => {
      const left = integersOf(quantized.emit(new Set([keep]), format));
      return all.filter((name) => !left.includes(name)).map((name) => name.replace(/\.weight.*$/, ''));
    };
    expect(without('layer1.down')).toEqual(['layer1.down']);
    expect(without('layer0.context')).toEqual(['layer0.output']);
    expect(without('layer0.attention')).toEqual(['layer0.query', 'layer0.key', 'layer0.value']);
  });

  it.each(['fused', 'qdq'] as const)('is full precision, but for the words, with every site kept: %s', async (format) => {
    const kept = quantized.emit(new Set(quantized.choices.keys()), format);
    expect(integersOf(kept)).toEqual([]);
    // Words that int8 holds exactly leave nothing else to differ.
    const exact = {
      ...encoder,
      words: { ...encoder.words, data: encoder.words.data.map((value, at) => (at % 32 === 0 ? 1.27 : Math.round(value * 100) / 100)) },
    };
    const own = await quantizeOn(exact, pooling, SEEN);
    const found = await outputOf(own.emit(new Set(own.choices.keys()), format), UNSEEN);
    expectAlike(found, await outputOf(full(exact, output), UNSEEN), 1e-3);
  });

  it('emits the same bytes each time, from the same observations', async () => {
    const again = await quantizeOn(encoder, pooling, SEEN);
    const bytes = (of: QuantizedModel): Uint8Array => ModelProto.encode(of.emit(NONE, 'fused')).finish();
    expect(Buffer.compare(bytes(quantized), bytes(quantized))).toBe(0);
    expect(Buffer.compare(bytes(again), bytes(quantized))).toBe(0);
  });
});

describe('encoderPath', () => {
  it('lets go of what may not stay in fp32, and emits the same with the most sensitive sites kept', async () => {
    const all = await quantizeOn(encoder, 'cls', SEEN);
    const few = await quantizeOn(encoder, 'cls', SEEN, { ...OPTIONS, keepable: 2 });
    const bytes = (of: QuantizedModel, kept: number): Uint8Array =>
      ModelProto.encode(of.emit(new Set(bySensitivity(of.choices).slice(0, kept)), 'fused')).finish();
    for (const kept of [0, 1, 2]) expect(Buffer.compare(bytes(few, kept), bytes(all, kept))).toBe(0);
    expect(bytes(few, 3).length).toBeLessThan(bytes(all, 3).length);
  });

  it('needs its pre-scaling for outlier channels', async () => {
    const plain = await quantizeOn(encoder, 'cls', SEEN, { ...OPTIONS, preScale: false });
    expect([...plain.choices.values()].every(({ name }) => name === 'none')).toBe(true);
    const scaled = await quantizeOn(encoder, 'cls', SEEN);
    const expected = await outputOf(full(encoder, 'cls'), UNSEEN);
    const lost = async (of: QuantizedModel): Promise<number> =>
      1 - leastCosine(await outputOf(of.emit(NONE, 'fused'), UNSEEN), expected, 32);
    expect(await lost(scaled)).toBeLessThan((await lost(plain)) / 2);
  });

  it('never multiplies the context: its divisor lies in the maps around it', async () => {
    // The same encoder, but for one channel of the context forty times as loud.
    const loud = foldContextDivisor(encoder, 0, new Float32Array(32).fill(1).with(9, 1 / 40));
    const quantized = await quantizeOn(loud, 'mean', SEEN);
    expect(quantized.choices.get('layer0.context')?.input.divisor).toBeDefined();
    const nodes = quantized.emit(NONE, 'fused').graph?.node?.map(({ name }) => name) ?? [];
    expect(nodes.filter((name) => name?.endsWith('.context.prescaled'))).toEqual([]);
    expect(nodes.some((name) => name?.endsWith('.prescaled'))).toBe(true);
    const found = await outputOf(quantized.emit(NONE, 'fused'), UNSEEN);
    expect(leastCosine(found, await outputOf(full(loud, 'hidden'), UNSEEN), 32)).toBeGreaterThan(0.99);
  });

  it('tells of each site when it is scaled, and when it is quantized', async () => {
    const told: string[] = [];
    await quantizeOn(encoder, 'cls', SEEN, { ...OPTIONS, onSite: (done, total) => told.push(`${done}/${total}`) });
    expect(told).toEqual(Array.from({ length: 16 }, (_, at) => `${at + 1}/16`));
  });

  it('gives outlier channels copies where the inner width is a real one, and computes the same', async () => {
    const wide = randomEncoder({ layers: 1, hidden: 16, heads: 2, inner: 800 });
    const batches = [randomBatch(wide, 4, 6, 9)];
    const quantized = await quantizeOn(wide, 'mean', batches);
    const down = quantized.emit(NONE, 'fused').graph?.initializer?.find(({ name }) => name === 'layer0.down.weight');
    const inner = Number(down?.dims?.[0]);
    expect(inner).toBeGreaterThanOrEqual(800);
    const fp32 = await outputOf(full(wide, 'hidden'), batches[0] as IdBatch);
    for (const format of ['fused', 'qdq'] as const) {
      expect(leastCosine(await outputOf(quantized.emit(NONE, format), batches[0] as IdBatch), fp32, 16)).toBeGreaterThan(0.99);
    }
  });
});
