// What the gate must refuse: recipes and calibration texts that are known to be bad, on the real model. And figures for one that is merely worse.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { emitEncoder, OUTPUT } from '#src/encoder/emit.js';
import type { Encoder, Linear } from '#src/encoder/encoder.js';
import { FUSED } from '#src/encoder/forms.js';
import { fp32Arithmetic } from '#src/encoder/fp32.js';
import { recognise } from '#src/encoder/recognise.js';
import type { GraphTensor } from '#src/engine/contract.js';
import { openGraph } from '#src/engine/ort.js';
import { FAILURES } from '#src/errors.js';
import { openFolder } from '#src/model/folder.js';
import { type GraphProto, ModelProto } from '#src/onnx/proto.js';
import { readOnnx } from '#src/onnx/read.js';
import { DEFAULT_THRESHOLDS, judge } from '#src/quantize/gate.js';
import { createTokenizer } from '#src/tokens/tokenizer.js';
import type { Matrix } from '#src/vectors/matrix.js';
import { runCli, temporaryFolder } from '../run.js';
import { everyOperatorMinMax, feedsOf } from './all-operators.js';

const CALIBRATION = fileURLToPath(new URL('../../calibration/default.txt', import.meta.url));
const MODEL = fileURLToPath(new URL('../../models/bge-small-en-v1.5/', import.meta.url));

it('a gate that says no ends with exit 5', () => {
  expect(FAILURES['gate-failed'].exit).toBe(5);
});

it('refuses every operator in min-max QDQ, by far', async () => {
  const { tokenizer, manifest } = await openFolder(undefined, 'fp32');
  const encoder = createTokenizer(tokenizer);
  const texts = readFileSync(CALIBRATION, 'utf8').split('\n').filter(Boolean).slice(0, 92);
  const ids = texts.map((text) => Int32Array.from(encoder.encode(text, 64).ids));
  const source = join(MODEL, manifest.model);
  const bad = await everyOperatorMinMax(source, ids.slice(0, 32));
  const heldOut = texts.slice(32).map((text, at) => ({ text, tokens: ids[32 + at]?.length ?? 0 }));
  const full = await clsRows(readFileSync(source), ids.slice(32));
  const int8 = await clsRows(ModelProto.encode(bad).finish(), ids.slice(32));
  const figures = judge(heldOut, full, int8, [], DEFAULT_THRESHOLDS);
  console.log(
    `every operator, min-max: mean cosine ${figures.cosine.mean.toFixed(4)}, least ${figures.cosine.minimum.toFixed(4)}, neighbours ${figures.overlap.toFixed(3)}`,
  );
  expect(figures.failures.length).toBe(4);
  expect(figures.cosine.mean).toBeLessThan(0.9);
  // The control of the control: the source against itself passes.
  expect(judge(heldOut, full, full, [], DEFAULT_THRESHOLDS).failures).toEqual([]);
}, 600_000);

/** The first token's vectors, a text at a time. */
async function clsRows(model: Uint8Array, texts: readonly Int32Array[], idsOnly = false): Promise<Matrix> {
  const runner = await openGraph(model, 2);
  const dim = 384;
  const data = new Float32Array(texts.length * dim);
  for (const [row, ids] of texts.entries()) {
    const { last_hidden_state: hidden } = await runner.run(
      idsOnly ? { input_ids: feedsOf(ids)['input_ids'] as GraphTensor } : feedsOf(ids),
    );
    data.set((hidden as Float32Array).subarray(0, dim), row * dim);
  }
  await runner.close();
  return { rows: texts.length, dim, data };
}

// As many texts as are asked for, so that the command does not fill them up with its own.
it('refuses a model calibrated on random words, though the random words held out would let it through', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'random.txt'), randomTexts(50).join('\n'));
  const out = join(folder, 'out');
  const ran = await runCli(['quantize', '--calib', join(folder, 'random.txt'), '--samples', '50', '--max-length', '64', '-o', out]);
  const { gate } = JSON.parse(readFileSync(`${out}.report.json`, 'utf8'));
  console.log(
    `random words: held out ${gate.cosine.mean.toFixed(5)}, control ${gate.control.cosine.mean.toFixed(5)} / ${gate.control.cosine.p1.toFixed(5)}`,
  );
  expect(ran.code).toBe(5);
  expect(ran.stderr).toMatch(/the gate said no, nothing was installed: .*on control text: /);
  expect(existsSync(out)).toBe(false);
}, 600_000);

/** Texts of words drawn evenly from the vocabulary, by a generator with a fixed seed. */
function randomTexts(count: number): string[] {
  const { model } = JSON.parse(readFileSync(join(MODEL, 'tokenizer.json'), 'utf8'));
  const words = Object.keys(model.vocab).filter((word) => !word.startsWith('['));
  let state = 1;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 1;
    return state % limit;
  };
  const text = (): string => Array.from({ length: 5 + below(100) }, () => String(words[below(words.length)]).replace('##', '')).join(' ');
  return Array.from({ length: count }, text);
}

it('reports what one scale a matrix costs beside one a column, weights alone', async () => {
  const { tokenizer, manifest } = await openFolder(undefined, 'fp32');
  const source = join(MODEL, manifest.model);
  const { encoder } = await recognise(await readOnnx(source), manifest.architecture.output);
  const tokens = createTokenizer(tokenizer);
  const texts = readFileSync(CALIBRATION, 'utf8').split('\n').filter(Boolean).slice(0, 40);
  const ids = texts.map((text) => Int32Array.from(tokens.encode(text, 64).ids));
  const full = await clsRows(readFileSync(source), ids);
  const means: number[] = [];
  for (const perColumn of [true, false]) {
    const rounded = await clsRows(fakeWeights(encoder, perColumn), ids, true);
    const { cosine } = judge(
      texts.map((text) => ({ text, tokens: 0 })),
      full,
      rounded,
      [],
      DEFAULT_THRESHOLDS,
    );
    console.log(
      `int8 weights, one scale a ${perColumn ? 'column' : 'matrix'}: mean cosine ${cosine.mean.toFixed(6)}, least ${cosine.minimum.toFixed(6)}`,
    );
    means.push(cosine.mean);
  }
  expect(means[0]).toBeGreaterThan(means[1] as number);
}, 600_000);

const MAPS = ['query', 'key', 'value', 'output', 'up', 'down'] as const;

/** The encoder in fp32 with its weights rounded to int8 and given back. */
function fakeWeights(encoder: Encoder, perColumn: boolean): Uint8Array {
  const round = (linear: Linear): Linear => {
    const tops = new Float32Array(linear.outputs);
    linear.weight.forEach((value, at) => {
      tops[at % linear.outputs] = Math.max(tops[at % linear.outputs] as number, Math.abs(value));
    });
    const whole = tops.reduce((a, b) => Math.max(a, b), 0);
    const step = (at: number): number => (perColumn ? (tops[at % linear.outputs] as number) : whole) / 127;
    return { ...linear, weight: linear.weight.map((value, at) => Math.round(value / step(at)) * step(at)) };
  };
  const layers = encoder.layers.map((layer) => ({ ...layer, ...Object.fromEntries(MAPS.map((name) => [name, round(layer[name])])) }));
  const rounded = { ...encoder, layers };
  const model = emitEncoder(rounded, fp32Arithmetic(rounded), { form: FUSED, output: 'hidden' });
  const { node: nodes, output } = model.graph as GraphProto;
  // clsRows reads the source's output by its name.
  for (const node of nodes ?? []) if (node.output?.[0] === OUTPUT) node.output = ['last_hidden_state'];
  for (const value of output ?? []) value.name = 'last_hidden_state';
  return ModelProto.encode(model).finish();
}
