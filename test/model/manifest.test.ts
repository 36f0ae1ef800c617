// The part of embedkit.json that is about INT8: what it says, that it is checked, and that its probes are.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openModel } from '#src/embedder/open.js';
import { exportModel } from '#src/model/export.js';
import { fileFacts, openFolder } from '#src/model/folder.js';
import { type Int8Section, type Manifest, manifestAt, parseManifest } from '#src/model/manifest.js';
import { decodeProbe, encodeProbe } from '#src/model/probe-vectors.js';
import { fingerprint } from '#src/model/settings.js';
import { quantizeModel } from '#src/quantize/run.js';
import { cosine, rowOf } from '#src/vectors/matrix.js';
import { writeSource, writeText } from '../quantize/tiny-source.js';
import { runCli, temporaryFolder } from '../run.js';

vi.mock('#src/quantize/speed.js', () => ({
  measureSpeed: async () => ({ tokensPerText: 2, rows: 1, threads: 1, full: [1], int8: [2], ratio: 2 }),
}));

const kept = mkdtempSync(join(tmpdir(), 'embedkit-test-'));
afterAll(() => rmSync(kept, { recursive: true, force: true }));

// CLS pooling, which the INT8 graph does itself: its pooling and inputs are not those of full precision.
const quantized: Promise<string> = (async () => {
  const model = join(kept, 'model');
  await exportModel(writeSource(join(kept, 'source'), 'script-17'), model, { dtype: 'fp16', pooling: 'cls' });
  await quantizeModel({ model, calibration: { paths: [writeText(kept)] }, out: model, threads: 1 });
  return model;
})();

let model: string;

beforeEach(async () => {
  model = join(temporaryFolder(), 'model');
  cpSync(await quantized, model, { recursive: true });
});

const manifestPath = (): string => join(model, 'embedkit.json');
const read = (): Manifest & { int8: Int8Section } => JSON.parse(readFileSync(manifestPath(), 'utf8'));

function edit(change: (manifest: Manifest & { int8: Int8Section }) => void): void {
  const manifest = read();
  change(manifest);
  writeFileSync(manifestPath(), JSON.stringify(manifest));
}

describe('the int8 section', () => {
  it('says what was made of what', async () => {
    const { int8, files, pooling, architecture } = read();
    expect([pooling, architecture.inputs]).toEqual(['cls', ['input_ids', 'attention_mask', 'token_type_ids']]);
    expect(int8).toMatchObject({ model: 'model.int8.onnx', inputs: ['input_ids'], pooling: 'none' });
    expect(Object.keys(files).sort()).toEqual(['model.fp16.onnx', 'model.int8.onnx', 'tokenizer.json']);
    expect(files['model.int8.onnx']).toEqual(await fileFacts(join(model, 'model.int8.onnx')));
    const { recipe, source_sha256, calibration, gate } = int8.quantization;
    expect(recipe).toEqual({ method: 'encoder', format: 'fused', weights: 'safe', headroom: 0.1, max_length: 40, kept_fp32: [] });
    expect(source_sha256).toBe(files['model.fp16.onnx']?.sha256);
    expect([calibration.observed_texts, calibration.held_out_texts]).toEqual([48, 12]);
    expect(calibration.files).toMatchObject([{ name: 'calibration.txt', rows: 60 }]);
    expect(calibration.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(gate.cosine.minimum).toBeLessThanOrEqual(gate.cosine.p1);
    expect(gate.cosine.mean).toBeGreaterThan(0.998);
  });

  it('holds the vectors of its probe texts, which full precision nearly gives', async () => {
    const { probes } = read().int8;
    expect(probes.length).toBeGreaterThan(1);
    for (const [precision, least] of [
      ['int8', 0.999999],
      ['fp32', 0.99],
    ] as const) {
      const opened = await openModel(model, { precision, threads: 1 });
      const vectors = await opened.embed(
        probes.map(({ text }) => text),
        { prompt: 'none' },
      );
      await opened.close();
      for (const [row, { vector }] of probes.entries()) expect(cosine(decodeProbe(vector), rowOf(vectors, row))).toBeGreaterThan(least);
    }
  });

  it.each<[string, (int8: Int8Section) => void]>([
    ['int8.model', (int8) => Object.assign(int8, { model: '' })],
    ['int8.inputs', (int8) => Object.assign(int8, { inputs: 'input_ids' })],
    ['int8.output', (int8) => Reflect.deleteProperty(int8, 'output')],
    ['int8.opset', (int8) => Object.assign(int8, { opset: 17.5 })],
    ['int8.pooling', (int8) => Object.assign(int8, { pooling: 'median' })],
    ['int8.quantization.recipe.method', (int8) => Object.assign(int8.quantization.recipe, { method: 'magic' })],
    ['int8.quantization.recipe.weights', (int8) => Object.assign(int8.quantization.recipe, { weights: '6bit' })],
    ['int8.quantization.recipe.kept_fp32', (int8) => Reflect.deleteProperty(int8.quantization.recipe, 'kept_fp32')],
    ['int8.quantization.calibration.digest', (int8) => Object.assign(int8.quantization.calibration, { digest: 7 })],
    ['int8.quantization.gate.cosine.mean', (int8) => Object.assign(int8.quantization.gate.cosine, { mean: null })],
    ['int8.probes', (int8) => Reflect.deleteProperty(int8, 'probes')],
    ['int8.probes.0.vector', (int8) => Object.assign(int8.probes[0] ?? {}, { vector: 1 })],
  ])('is checked: a wrong %s is named', (field, change) => {
    const manifest = read();
    expect(parseManifest(JSON.stringify(manifest), 'm')).toEqual(manifest);
    change(manifest.int8);
    expect(() => parseManifest(JSON.stringify(manifest), 'm')).toThrow(
      expect.objectContaining({ code: 'model-invalid', message: expect.stringContaining(`m: ${field}: `) }),
    );
  });
});

describe('precisions', () => {
  it('each see their own files, ports and pooling, and have their own fingerprint', () => {
    const whole = read();
    const [int8, fp32] = [manifestAt(whole, 'int8'), manifestAt(whole, 'fp32')];
    expect(Object.keys(int8.files).sort()).toEqual(['model.int8.onnx', 'tokenizer.json']);
    expect(Object.keys(fp32.files).sort()).toEqual(['model.fp16.onnx', 'tokenizer.json']);
    expect([int8.model, int8.pooling, int8.architecture.inputs]).toEqual(['model.int8.onnx', 'none', ['input_ids']]);
    expect([fp32.model, fp32.pooling, fp32.architecture]).toEqual(['model.fp16.onnx', 'cls', whole.architecture]);
    expect(int8.architecture).toMatchObject({ positions: 40, output: whole.int8.output, opset: whole.int8.opset });
    expect(fingerprint(int8, 40)).not.toBe(fingerprint(fp32, 40));
  });

  it.each([
    ['model.fp16.onnx', 'int8', 'fp32'],
    ['model.int8.onnx', 'fp32', 'int8'],
  ] as const)('an altered %s is no matter at %s, and refused at %s', async (name, unharmed, harmed) => {
    const bytes = readFileSync(join(model, name));
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
    writeFileSync(join(model, name), bytes);
    expect((await openFolder(model, unharmed)).precision).toBe(unharmed);
    await expect(openFolder(model, harmed)).rejects.toMatchObject({
      code: 'model-invalid',
      message: `${join(model, name)}: its SHA-256 is not what embedkit.json says`,
    });
  });

  it('refuses INT8 of a folder that has none', async () => {
    edit((manifest) => Reflect.deleteProperty(manifest, 'int8'));
    await expect(openFolder(model, 'int8')).rejects.toMatchObject({
      code: 'usage',
      message: `--precision int8: ${model} has no INT8 model`,
    });
  });
});

describe('a probe that this machine answers otherwise', () => {
  const embed = (...more: string[]) => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'in.txt'), 'the river\nof stone\n');
    return { cwd, ran: runCli(['embed', 'in.txt', '--model', model, '-o', 'out.jsonl', '--threads', '1', '--quiet', ...more], { cwd }) };
  };

  it.each<[string, (vector: Float32Array) => Float32Array]>([
    ['another vector', (vector) => vector.toReversed()],
    ['a shorter one', (vector) => vector.slice(1)],
    ['no number', (vector) => vector.fill(Number.NaN, 0, 1)],
  ])('ends embed before row one: %s', async (_, tamper) => {
    edit(({ int8 }) => {
      const last = int8.probes.at(-1);
      if (last) last.vector = encodeProbe(tamper(decodeProbe(last.vector)));
    });
    const { cwd, ran } = embed();
    const { code, stdout, stderr } = await ran;
    expect([code, stdout.length]).toEqual([1, 0]);
    expect(stderr).toMatch(
      /^embedkit: [^\n]*gives "How long may bread dough rest[^\n]*another vector[^\n]*; use --precision fp32, or quantize with --weights safe[^\n]*\n$/,
    );
    expect(readdirSync(cwd)).toEqual(['in.txt']);
    const fp32 = embed('--precision', 'fp32');
    expect(await fp32.ran).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(fp32.cwd).sort()).toEqual(['in.txt', 'out.jsonl']);
  });
});
