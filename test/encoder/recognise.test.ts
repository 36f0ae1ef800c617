// Encoders found in graphs as exporters and optimizers leave them: every array against the seeded one.
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Encoder, Table } from '#src/encoder/encoder.js';
import { recognise } from '#src/encoder/recognise.js';
import { storeAsHalf } from '#src/onnx/half.js';
import type { GraphProto } from '#src/onnx/proto.js';
import { readOnnx } from '#src/onnx/read.js';
import { describeShared, sharedPath } from '../shared.js';
import { expectGolden, fixture, GOLDEN, goldenArray } from './golden.js';
import * as rewrites from './rewrites.js';

const HIDDEN = 'last_hidden_state';
const POOLED = 'sentence_embedding';

/** Fixtures that give rows x width x hidden with the exact GELU. */
const EXPORTS = `script-11 script-17 script-11-unfolded script-17-unfolded script-14-sdpa script-14-ids-only dynamo-18 dynamo-18-sdpa
  dynamo-23-sdpa dynamo-18-ids-only optimum-14 optimum-18 ort-basic ort-extended ort-extended-sdpa ort-extended-dynamo ort-offline
  ort-offline-heads pooler distilbert-script-14 distilbert-dynamo-18 roberta-script-14 roberta-dynamo-18`.split(/\s+/);
const POOLING = ['pooled-mean', 'pooled-cls', 'pooled-mean-dynamo'];
const ACTIVATIONS = { 'gelu-tanh': 'gelu-tanh', 'gelu-tanh-dynamo': 'gelu-tanh', relu: 'relu' } as const;
const OTHERS = ['script-17-fixed', 'not-prenorm', 'not-transformer'];

describe('recognise', () => {
  it('has a case for every fixture', () => {
    const folder = fileURLToPath(new URL('./fixtures/', import.meta.url));
    const files = readdirSync(folder).filter((name) => name.endsWith('.onnx'));
    expect(files.sort()).toEqual([...EXPORTS, ...POOLING, ...Object.keys(ACTIVATIONS), ...OTHERS].map((name) => `${name}.onnx`).sort());
  });

  it.each(EXPORTS)('reads %s', async (name) => {
    const { encoder, head } = await recognise(await fixture(name), HIDDEN);
    expect(head).toBe('hidden');
    expectGolden(encoder);
  });

  it.each(POOLING)('reads %s and says that it pools', async (name) => {
    const { encoder, head } = await recognise(await fixture(name), POOLED);
    expect(head).toBe('pooled');
    expectGolden(encoder);
  });

  it.each(Object.entries(ACTIVATIONS))('reads the activation of %s', async (name, activation) => {
    expectGolden((await recognise(await fixture(name), HIDDEN)).encoder, { activation });
  });

  it('looks below the output that it is asked for', async () => {
    expect((await recognise(await fixture('pooler'), 'pooler_output')).head).toBe('pooled');
  });

  it('reads the positions that a graph of fixed width holds', async () => {
    const { encoder } = await recognise(await fixture('script-17-fixed'), HIDDEN);
    expect(encoder.positions).toMatchObject({ rows: 6, dim: GOLDEN.hidden });
    const found = encoder.positions as Table;
    const positions = { ...found, rows: 40, data: goldenArray('positions') };
    const furthest = found.data.reduce((most, value, at) => Math.max(most, Math.abs(value - (positions.data[at] as number))), 0);
    expect(furthest).toBeLessThanOrEqual(1e-6);
    expectGolden({ ...encoder, positions });
  });

  it.each(['not-prenorm', 'not-transformer'])('says of %s what it is not', async (name) => {
    await expect(recognise(await fixture(name), HIDDEN)).rejects.toMatchObject({
      code: 'model-unsupported',
      message: expect.stringMatching(/^[^\n]+ was not recognised at node "[^"]+" \(\w+\)$/),
      hint: expect.stringContaining('BERT-family'),
    });
  });
});

/** How else graphs write the same, and in which fixture it is rewritten. */
const REWRITES: readonly (readonly [name: string, base: string, edit: (graph: GraphProto) => void])[] = [
  ['normalisation by a reciprocal', 'script-11', rewrites.reciprocalNorms],
  ['squares by multiplication', 'script-11', rewrites.multipliedSquares],
  ['erf of a product', 'script-11', rewrites.multipliedErf],
  ['operands swapped', 'script-11', rewrites.swappedOperands],
  ['operands swapped, unfolded', 'script-17-unfolded', rewrites.swappedOperands],
  ['Sum for Add', 'script-11', rewrites.sumsForAdds],
  ['idle operators in between', 'script-17', rewrites.idleOperators],
  ['Gemm between reshapes', 'script-17', rewrites.gemms],
  ['FusedMatMul with a factor', 'script-17', rewrites.fusedProducts],
  ['packed query, key and value, split', 'script-17', rewrites.packedProducts('Split')],
  ['packed query, key and value, sliced', 'script-17', rewrites.packedProducts('Slice')],
];

describe('recognise, in other words', () => {
  it.each(REWRITES)('reads %s', async (_, base, edit) => {
    const before = (await fixture(base)).model.graph?.node;
    const file = await fixture(base, edit);
    expect(JSON.stringify(file.model.graph?.node)).not.toBe(JSON.stringify(before));
    expectGolden((await recognise(file, HIDDEN)).encoder);
  });

  it('reads a missing bias as zeros', async () => {
    const { encoder } = await recognise(await fixture('script-17', rewrites.withoutKeyBias), HIDDEN);
    expectGolden(encoder, { arrays: (path, golden) => (path.endsWith('key.bias') ? golden.fill(0) : golden) });
  });

  it('reads FastGelu with its bias inside', async () => {
    const file = await fixture('ort-extended', (graph) => {
      for (const one of graph.node ?? []) if (one.opType === 'BiasGelu') one.opType = 'FastGelu';
    });
    expectGolden((await recognise(file, HIDDEN)).encoder, { activation: 'gelu-tanh' });
  });

  it.each(['script-11', 'dynamo-18-sdpa', 'ort-offline'])('reads weights of %s stored as FP16', async (name) => {
    const file = await fixture(name);
    const put = async (tensor: { rawData?: Uint8Array | null; dataLocation?: number | null }, bytes: Uint8Array): Promise<void> => {
      tensor.rawData = bytes;
      tensor.dataLocation = 0;
    };
    const { exact, total } = await storeAsHalf(file.model.graph as GraphProto, file.path, { put, finish: async () => [] });
    expect(exact).toBeLessThan(total);
    expectGolden((await recognise(file, HIDDEN)).encoder, { tolerance: 1.5e-3 });
  });

  it('reads a scale that is not the usual one as it is', async () => {
    const file = await fixture('ort-offline-heads', (graph) => {
      for (const one of graph.node ?? []) {
        if (one.opType !== 'MultiHeadAttention') continue;
        one.attribute = (one.attribute ?? []).filter((attribute) => attribute.name !== 'scale');
        one.attribute.push({ name: 'scale', type: 1, f: 0.25 });
      }
    });
    expect((await recognise(file, HIDDEN)).encoder.scale).toBe(0.25);
  });
});

function digest(encoder: Encoder): string {
  const hash = createHash('sha256');
  const visit = (part: unknown): void => {
    if (part instanceof Float32Array) hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
    else if (typeof part === 'object' && part !== null) Object.values(part).forEach(visit);
  };
  visit(encoder);
  return hash.digest('hex');
}

describeShared('recognise, the default model', () => {
  it('reads the export and the FP16 source alike', async () => {
    const paths = [
      sharedPath('models/bge-small-en-v1.5/model.onnx'),
      fileURLToPath(new URL('../../models/bge-small-en-v1.5/model.fp16.onnx', import.meta.url)),
    ];
    const digests: string[] = [];
    for (const path of paths) {
      const { encoder, head } = await recognise(await readOnnx(path), HIDDEN);
      expect(head).toBe('hidden');
      expect(encoder).toMatchObject({ hidden: 384, heads: 12, inner: 1536, activation: 'gelu', scale: 1 / Math.sqrt(32) });
      expect([encoder.layers.length, encoder.words.rows, encoder.positions?.rows]).toEqual([12, 30522, 512]);
      expect(encoder.embeddingNorm.epsilon).toBe(Math.fround(1e-12));
      digests.push(digest(encoder));
    }
    expect(digests[1]).toBe(digests[0]);
  });
});
