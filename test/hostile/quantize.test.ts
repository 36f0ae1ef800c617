// `quantize` with wrong flags, wrong paths and files that are not what they are called: one sentence, the right exit code, nothing left.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportModel } from '#src/model/export.js';
import { floatTensor } from '../onnx/tiny.js';
import { DIM, INNER, productsModel } from '../quantize/products-model.js';
import { writeSource, writeText } from '../quantize/tiny-source.js';
import { runCli, temporaryFolder } from '../run.js';

let made: string;

/** A model folder, its source, and what is wrong with others. */
beforeAll(async () => {
  made = mkdtempSync(join(tmpdir(), 'embedkit-test-'));
  writeSource(join(made, 'source'), productsModel());
  await exportModel(join(made, 'source'), join(made, 'model'), { dtype: 'fp16', pooling: 'mean', overwrite: true });
  writeText(made);
  writeFileSync(join(made, 'a.jsonl'), '{"text":"a line"}\n');
  mkdirSync(join(made, 'junk'), { recursive: true });
  writeFileSync(join(made, 'junk', 'model.onnx'), 'this is no ONNX file');
  cpSync(join(made, 'source', 'tokenizer.json'), join(made, 'junk', 'tokenizer.json'));
  mkdirSync(join(made, 'empty'), { recursive: true });
  mkdirSync(join(made, 'pickled'), { recursive: true });
  writeFileSync(join(made, 'pickled', 'pytorch_model.bin'), 'a pickle');
  mkdirSync(join(made, 'bare'), { recursive: true });
  cpSync(join(made, 'source', 'model.onnx'), join(made, 'bare', 'model.onnx'));
  writeFileSync(join(made, 'set.tsv'), 'not\ta set\n');
  writeSource(join(made, 'nan'), notNumbers());
});
afterAll(() => rmSync(made, { recursive: true, force: true }));

/** A model with a weight that is no number. */
function notNumbers() {
  return productsModel({
    edit: (graph) => {
      const weight = new Float32Array(DIM * INNER).fill(0.5);
      weight[5] = Number.NaN;
      graph.initializer = (graph.initializer ?? []).map((tensor) =>
        tensor.name === 'right' ? floatTensor('right', [DIM, INNER], weight) : tensor,
      );
    },
  });
}

async function expectRefusal(args: readonly string[], code: number, sentence: RegExp, env: Record<string, string> = {}): Promise<void> {
  const cwd = temporaryFolder();
  cpSync(made, cwd, { recursive: true });
  const before = readdirSync(cwd, { recursive: true }).sort();
  const ran = await runCli(['quantize', ...args], { cwd, env: { EMBEDKIT_THREADS: '1', EMBEDKIT_QUIET: '1', ...env } });
  expect(ran.stderr.replace(/^.*\[E:onnxruntime.*\n(?:.*\[m\n)?/gm, '')).toMatch(/^embedkit: [^\n]+; [^\n]+\n$/);
  expect(ran.stderr).toMatch(sentence);
  expect(ran.stderr).not.toMatch(/ at .*\.js:\d|internal error|undefined|\[object/);
  expect([ran.code, ran.stdout.length]).toEqual([code, 0]);
  expect(readdirSync(cwd, { recursive: true }).sort()).toEqual(before);
}

const CALIB = ['--calib', 'calibration.txt', '-o', 'out'];

describe('wrong usage', () => {
  it.each<[readonly string[], RegExp]>([
    [['model', ...CALIB, '--wieghts', 'safe'], /unknown option '--wieghts' \(Did you mean --weights\?\)/],
    [['model', ...CALIB, '--weights', '6bit'], /Allowed choices are safe, vnni, 7bit/],
    [['model', ...CALIB, '--format', 'onnx'], /Allowed choices are fused, qdq/],
    [['model', ...CALIB, '--pooling', 'median'], /Allowed choices are/],
    [['model', ...CALIB, '--gate', 'mean'], /"mean" is not a figure of the gate; write mean, p1, min, overlap, kept like mean=\.998/],
    [['model', ...CALIB, '--gate', 'mean='], /"mean=" is not a figure/],
    [['model', ...CALIB, '--gate', 'mean=NaN'], /"mean=NaN" is not a figure/],
    [['model', ...CALIB, '--gate', 'mean=.9,p1=2'], /"p1=2" is not a figure/],
    [['model', ...CALIB, '--gate', 'median=.9'], /"median=\.9" is not a figure/],
    [['model', ...CALIB, '--gate', 'constructor=.9'], /"constructor=\.9" is not a figure/],
    [['model', ...CALIB, '--gate', 'mean=.9,,p1=.9'], /has an empty name in it/],
    [['model', ...CALIB, '--samples', 'many'], /"many" is not a whole number/],
    [['model', ...CALIB, '--samples', '0'], /0 calibration texts: not a whole number of at least 1/],
    [['model', ...CALIB, '--samples', '1'], /too few to hold any out/],
    [['model', ...CALIB, '--threads', '0'], /--threads 0: not a whole number above 0/],
    [['model', ...CALIB, '--max-length', '2'], /--max-length 2: [^\n]+ takes 3 to 40 tokens/],
    [['model', ...CALIB, '--max-length', '41'], /--max-length 41: [^\n]+ takes 3 to 40 tokens/],
    [['model', ...CALIB, '--report', 'gone/r.html'], /--report gone\/r\.html: there is no folder gone; make it first/],
    [['model', '--calib', 'a.jsonl', '-o', 'out', '--template', '{'], /--template "\{": "\{" stands alone/],
    [['model', '--calib', '-', '--from', 'parquet', '-o', 'out'], /Parquet cannot be read from a pipe/],
    [['gone', ...CALIB], /no model "gone"; name a folder with embedkit\.json in it/],
    [['gone/model.onnx', ...CALIB], /no model "gone\/model\.onnx"/],
    [['source', ...CALIB], /nothing beside source\/model\.onnx says how its token vectors are pooled; say --pooling/],
    [['model', '--verify-saturation'], /model has no INT8 model; make one with embedkit quantize/],
    [['gone', '--verify-saturation'], /no model "gone"/],
    [['model', 'more', ...CALIB], /too many arguments/],
  ])('%j', async (args, sentence) => {
    await expectRefusal(args, 2, sentence);
  });

  it('in a variable', async () => {
    await expectRefusal(['model', ...CALIB], 2, /'EMBEDKIT_GATE'[^\n]*"best" is not a figure/, { EMBEDKIT_GATE: 'best' });
  });
});

describe('files that are not what they are called', () => {
  it.each<[readonly string[], RegExp]>([
    [['junk', '--pooling', 'mean', ...CALIB], /junk\/model\.onnx/],
    [['empty', ...CALIB], /empty: no model\.onnx or .* or model\.safetensors\.index\.json in it; name the ONNX or safetensors file itself/],
    [['pickled', ...CALIB], /in it; its pytorch_model\.bin holds Python code, which embedkit does not run: save the model again/],
    [['bare', ...CALIB], /bare: no tokenizer\.json beside the model; put the tokenizer\.json of the model there/],
    [['nan', '--pooling', 'mean', ...CALIB], /NaN|no numbers|not finite/],
    [['model', ...CALIB, '--eval', 'gone.tsv'], /gone\.tsv/],
    [['model', ...CALIB, '--eval', 'set.tsv'], /set\.tsv/],
    [['model', ...CALIB, '--control', 'gone.txt'], /gone\.txt/],
    [['model', '--calib', 'junk/model.onnx', '--from', 'parquet', '-o', 'out'], /junk\/model\.onnx/],
    [['junk/model.onnx', '--verify-saturation'], /junk\/model\.onnx/],
    [['source/model.onnx', '--verify-saturation'], /source\/model\.onnx: no int8 weight matrix in it; name a model that quantize made/],
  ])('%j', async (args, sentence) => {
    await expectRefusal(args, 1, sentence);
  });
});
