// quantizeModel on every fixture, by the path that it should take, and what is refused.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { openModel } from '#src/embedder/open.js';
import { exportModel } from '#src/model/export.js';
import { readManifest } from '#src/model/folder.js';
import { type QuantizeOutcome, quantizeModel } from '#src/quantize/run.js';
import { proveSaturation } from '#src/quantize/saturation.js';
import { cosine, rowOf } from '#src/vectors/matrix.js';
import type { Pooling } from '#src/vectors/pool.js';
import { temporaryFolder } from '../run.js';
import { halfArithmetic, odderScores } from './odd-graphs.js';
import { encoderFolder, LOOSE, texts, writeTexts } from './tiny-encoder.js';

// Three seconds a model, and not what these tests are about: test/cli/quantize.test.ts measures for real.
vi.mock('#src/quantize/speed.js', () => ({
  measureSpeed: async () => ({ tokensPerText: 1, rows: 1, threads: 1, full: [1], int8: [1], ratio: 1 }),
}));

const FIXTURES = readdirSync(fileURLToPath(new URL('../encoder/fixtures/', import.meta.url)))
  .filter((name) => name.endsWith('.onnx'))
  .map((name) => name.replace('.onnx', ''));
/** Those with fixed shapes inside, which no export can free. */
const REFUSED: Record<string, RegExp> = {
  'not-prenorm': /does not run on probe texts: node "" \(Reshape\)/,
  'script-17-fixed': /works only at its fixed input shape/,
};
const PORTABLE: Record<string, RegExp> = { 'not-transformer': /was not recognised at node "[^"]+" \(\w+\)/ };
/** A pooled fixture -> what the encoder that is read from it is pooled by. */
const POOLED: Record<string, Pooling> = { 'pooled-mean': 'mean', 'pooled-mean-dynamo': 'mean', 'pooled-cls': 'none' };

const table: string[] = [];
afterAll(() => console.log(['fixture, method, mean cosine to full precision', ...table].join('\n')));

type Edit = Parameters<typeof encoderFolder>[2];

async function quantized(name: string, edit?: Edit, pooling: Pooling | undefined = name.startsWith('pooled') ? undefined : 'mean') {
  const folder = temporaryFolder();
  const model = await encoderFolder(join(folder, 'model'), name, edit);
  const out = join(folder, 'out');
  const calibration = { paths: [writeTexts(folder)] };
  const outcome = await quantizeModel({ model, pooling, calibration, out, threads: 1, thresholds: LOOSE });
  return { folder, model, out, outcome };
}

function note(name: string, { report }: QuantizeOutcome): void {
  table.push([name.padEnd(26), report.method.padEnd(9), report.gate.cosine.mean.toFixed(6)].join(' '));
}

async function vectorsOf(folder: string, given: readonly string[]) {
  const model = await openModel(folder, { threads: 1 });
  try {
    return await model.embed(given);
  } finally {
    await model.close();
  }
}

/** Least cosine of the vectors that the installed model gives to those of its source, on texts that the calibration had no part in. */
async function leastCosine({ folder, model, out }: { folder: string; model: string; out: string }, pooling: Pooling | undefined) {
  await exportModel(model, join(folder, 'full'), { dtype: 'fp32', pooling });
  const unseen = texts(20, 99);
  const full = await vectorsOf(join(folder, 'full'), unseen);
  const int8 = await vectorsOf(out, unseen);
  return Math.min(...unseen.map((_, row) => cosine(rowOf(full, row), rowOf(int8, row))));
}

describe('quantizeModel, fixtures', () => {
  it.each(FIXTURES.filter((name) => !(name in REFUSED) && !(name in PORTABLE) && !(name in POOLED)))(
    '%s goes through its encoder',
    async (name) => {
      const { out, outcome } = await quantized(name);
      note(name, outcome);
      expect(outcome.report).toMatchObject({ method: 'encoder', gate: { passed: true, keptInFp32: [] } });
      expect(outcome.report.fallback).toBeUndefined();
      expect(outcome.report.sites).toHaveLength(8);
      expect(outcome.report.gate.cosine.minimum).toBeGreaterThan(0.999);
      expect(readdirSync(out).sort()).toEqual(['embedkit.json', 'model.int8.onnx', 'tokenizer.json']);
      expect((await proveSaturation(join(out, 'model.int8.onnx'))).unsafe).toEqual([]);
    },
  );

  it.each(Object.entries(PORTABLE))('%s goes the portable path and says why', async (name, why) => {
    const made = await quantized(name);
    note(name, made.outcome);
    expect(made.outcome).toMatchObject({ installed: true, report: { method: 'portable', fallback: expect.stringMatching(why) } });
    expect(await leastCosine(made, 'mean')).toBeGreaterThan(0.999);
  });

  it.each(Object.entries(REFUSED))('%s is refused in a sentence', async (name, sentence) => {
    table.push(`${name.padEnd(26)} refused`);
    await expect(quantized(name)).rejects.toMatchObject({
      code: 'model-unsupported',
      message: expect.stringMatching(sentence),
      hint: 'export it with dynamic axes',
    });
  });
});

describe('quantizeModel, graphs that pool by themselves', () => {
  it.each(Object.entries(POOLED))('%s keeps its vectors', async (name, pooling) => {
    const made = await quantized(name);
    note(name, made.outcome);
    expect(made.outcome).toMatchObject({ installed: true, report: { method: 'encoder' } });
    const { manifest } = await readManifest(made.out);
    expect(manifest).toMatchObject({ pooling: 'none', int8: { pooling, inputs: ['input_ids'] } });
    expect(await leastCosine(made, undefined)).toBeGreaterThan(0.999);
  });

  it('cls asked for keeps the first token alone', async () => {
    const made = await quantized('script-17', undefined, 'cls');
    expect((await readManifest(made.out)).manifest).toMatchObject({ pooling: 'cls', int8: { pooling: 'none' } });
    expect(await leastCosine(made, 'cls')).toBeGreaterThan(0.999);
  });

  it.each(['max', 'last'] as const)('%s asked for', async (pooling) => {
    const made = await quantized('script-17', undefined, pooling);
    expect((await readManifest(made.out)).manifest).toMatchObject({ pooling, int8: { pooling } });
    expect(await leastCosine(made, pooling)).toBeGreaterThan(0.998);
  });
});

describe('quantizeModel, odd graphs', () => {
  it.each(['script-17', 'dynamo-18'])('attention with more in it than an encoder has, in %s, goes the portable path', async (name) => {
    const made = await quantized(name, odderScores);
    note(`${name}, odd scores`, made.outcome);
    expect(made.outcome).toMatchObject({
      installed: true,
      report: { method: 'portable', fallback: expect.stringMatching(/not recognised at node/) },
    });
    expect(await leastCosine(made, 'mean')).toBeGreaterThan(0.999);
  });

  it('FP16 arithmetic is refused in a sentence', async () => {
    await expect(quantized('not-transformer', halfArithmetic)).rejects.toMatchObject({
      code: 'model-unsupported',
      message: expect.stringMatching(/no product by a constant matrix in it$/),
      hint: 'export the model as ONNX in fp32',
    });
  });

  it.each(['not-transformer', 'script-17'])(
    'weights that lie beside the model, as those of a large one do, are found: %s',
    async (name) => {
      const folder = temporaryFolder();
      const found = await encoderFolder(join(folder, 'found'), name);
      const model = join(folder, 'model');
      await exportModel(found, model, { dtype: 'fp32', pooling: 'mean', inlineLimitBytes: 10 });
      const options = { calibration: { paths: [writeTexts(folder)] }, threads: 1, thresholds: LOOSE };
      const { installed } = await quantizeModel({ ...options, model, out: join(folder, 'out') });
      expect(installed).toBe(true);
      expect(await leastCosine({ folder, model: found, out: join(folder, 'out') }, 'mean')).toBeGreaterThan(0.99);
    },
  );

  it('takes no text for a model, and says where text goes', async () => {
    const folder = temporaryFolder();
    const corpus = writeTexts(folder, 10);
    const options = { model: corpus, calibration: { paths: [corpus] }, out: join(folder, 'out') };
    await expect(quantizeModel(options)).rejects.toMatchObject({ code: 'usage', hint: expect.stringMatching(/--calib/) });
  });
});
