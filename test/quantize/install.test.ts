// Where a finished model goes: whole or not at all, nothing of the user's lost, and a sentence for whatever is in the way.
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { openFolder } from '#src/model/folder.js';
import type { QuantizeOptions } from '#src/quantize/options.js';
import { runCli } from '../run.js';
import { contentsOf, scene } from './scene.js';

vi.mock('#src/quantize/speed.js', () => ({
  measureSpeed: async () => ({ tokensPerText: 2, rows: 1, threads: 1, full: [1], int8: [2], ratio: 2 }),
}));

const MADE = ['embedkit.json', 'model.int8.onnx', 'tokenizer.json'];

describe('install', () => {
  it('makes a new folder of three files, which opens in INT8 and says what it lacks', async () => {
    const { folder, out, run } = await scene();
    const before = readdirSync(folder).sort();
    expect(await run()).toMatchObject({ folder: out, installed: true });
    expect(readdirSync(out).sort()).toEqual(MADE);
    expect(readdirSync(folder).sort()).toEqual([...before, 'out'].sort());
    expect((await openFolder(out)).precision).toBe('int8');
    await expect(openFolder(out, 'fp32')).rejects.toMatchObject({
      code: 'usage',
      message: `${out} holds no full-precision model.fp16.onnx`,
      hint: expect.stringContaining('leave --precision out'),
    });
  });

  it('adds to the folder of its source, which opens in both precisions', async () => {
    const { model, run } = await scene();
    const before = contentsOf(model);
    await run({ out: model });
    const after = contentsOf(model);
    expect(Object.keys(after).sort()).toEqual([...MADE, 'model.fp16.onnx'].sort());
    for (const name of ['model.fp16.onnx', 'tokenizer.json']) expect(after[name]).toBe(before[name]);
    expect([(await openFolder(model)).precision, (await openFolder(model, 'fp32')).precision]).toEqual(['int8', 'fp32']);
  });

  it('knows its source by another name', async () => {
    const { folder, model, run } = await scene();
    symlinkSync(model, join(folder, 'link'));
    await run({ out: join(folder, 'link') });
    expect(readdirSync(model)).toContain('model.int8.onnx');
    await expect(run({ out: join(folder, 'link') })).rejects.toMatchObject({ code: 'usage', message: /holds an INT8 model already/ });
  });

  it('gives the same bytes for the same inputs, and replaces only when told to', async () => {
    const { out, model, run } = await scene();
    await run();
    const first = contentsOf(out);
    await expect(run()).rejects.toMatchObject({ code: 'usage', message: `${out} exists`, hint: expect.stringContaining('--overwrite') });
    expect(contentsOf(out)).toEqual(first);
    await run({ overwrite: true });
    expect(contentsOf(out)).toEqual(first);
    await run({ out: model });
    expect(contentsOf(model)['model.int8.onnx']).toBe(first['model.int8.onnx']);
    expect(contentsOf(model)['embedkit.json']).toBe(first['embedkit.json']);
    await run({ out: model, overwrite: true, format: 'qdq' });
    expect(contentsOf(model)['model.int8.onnx']).not.toBe(first['model.int8.onnx']);
    expect((await openFolder(model)).manifest.int8?.quantization.recipe.format).toBe('qdq');
  });

  it('takes an empty folder for a new one', async () => {
    const { out, run } = await scene();
    mkdirSync(out);
    await run();
    expect(readdirSync(out).sort()).toEqual(MADE);
  });
});

describe('what is in the way', () => {
  const cases: [string, (here: Awaited<ReturnType<typeof scene>>) => Partial<QuantizeOptions>, string, RegExp][] = [
    ['a file', ({ text }) => ({ out: text }), 'usage', /calibration\.txt is a file$/],
    ['a folder of something else', ({ folder }) => ({ out: join(folder, 'other'), overwrite: true }), 'usage', /is no model folder/],
    ['a folder of something else, unasked', ({ folder }) => ({ out: join(folder, 'other') }), 'usage', /other exists$/],
    [
      'the source itself',
      ({ source }) => ({ model: source, pooling: 'mean', out: source, overwrite: true }),
      'usage',
      /source, which is read$/,
    ],
    [
      'the folder with the file that is quantized',
      ({ model }) => ({ model: join(model, 'model.fp16.onnx'), pooling: 'mean', out: model, overwrite: true }),
      'usage',
      /holds [^\n]+model\.fp16\.onnx, which is read$/,
    ],
    [
      'a file where a folder should be',
      ({ text }) => ({ out: join(text, 'deep', 'out') }),
      'output-unwritable',
      /cannot be written: not a directory/,
    ],
    [
      'a place where nothing can be made',
      () => ({ out: '/sys/embedkit-out' }),
      'output-unwritable',
      /embedkit-out: cannot be written: [a-z]/,
    ],
  ];
  it.each(cases)('%s', async (_, options, code, message) => {
    const here = await scene();
    mkdirSync(join(here.folder, 'other'));
    writeFileSync(join(here.folder, 'other', 'mine.txt'), 'mine');
    const before = readdirSync(here.folder, { recursive: true }).sort();
    await expect(here.run(options(here))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
      hint: expect.stringMatching(/^\S.*\S$/),
    });
    expect(readdirSync(here.folder, { recursive: true }).sort()).toEqual(before);
  });

  it('a folder without its source in full precision: what the npm package looks like', async () => {
    const { folder, out, run } = await scene();
    await run();
    const copy = join(folder, 'package');
    cpSync(out, copy, { recursive: true });
    await expect(run({ model: copy, out: join(folder, 'again') })).rejects.toMatchObject({
      code: 'usage',
      message: `${copy} holds no full-precision model.fp16.onnx`,
      hint: 'quantize from a clone of the repository, which has it, or name the ONNX file to quantize',
    });
    expect(existsSync(join(folder, 'again'))).toBe(false);
  });
});

describe('what is missing', () => {
  it.each<[string, (folder: string) => string[], number, RegExp]>([
    [
      'calibration text',
      (folder) => ['--calib', join(folder, 'gone.txt')],
      1,
      /no file, folder or match for "[^"]+gone\.txt"; check the path/,
    ],
    [
      'text in it',
      (folder) => ['--calib', join(folder, 'empty.txt')],
      1,
      /empty\.txt: no rows to calibrate with; name an input that holds texts\n$/,
    ],
    [
      'text in its field',
      (folder) => ['--calib', join(folder, 'a.jsonl')],
      1,
      /no text in any of 1 rows to calibrate with; the first: [^\n]+\n$/,
    ],
    [
      'enough text',
      (folder) => ['--calib', join(folder, 'one.txt')],
      2,
      /1 calibration texts: too few to hold any out for the gate; give at least 5/,
    ],
  ])('%s', async (_, args, code, sentence) => {
    const { folder, model, out } = await scene();
    writeFileSync(join(folder, 'empty.txt'), '\n \n');
    writeFileSync(join(folder, 'a.jsonl'), '{"body":"x"}\n');
    writeFileSync(join(folder, 'one.txt'), 'a line\n');
    const before = readdirSync(folder).sort();
    const ran = await runCli(['quantize', model, '-o', out, '--quiet', ...args(folder)]);
    expect([ran.code, ran.stdout.length]).toEqual([code, 0]);
    expect(ran.stderr).toMatch(/^embedkit: [^\n]+; [^\n]+\n$/);
    expect(ran.stderr).toMatch(sentence);
    expect(readdirSync(folder).sort()).toEqual(before);
  });

  it('the file in full precision where there is no INT8 one either', async () => {
    const { model, run } = await scene();
    expect(statSync(join(model, 'model.fp16.onnx')).size).toBeGreaterThan(0);
    rmSync(join(model, 'model.fp16.onnx'));
    await expect(run()).rejects.toMatchObject({ code: 'model-invalid', message: expect.stringContaining('model.fp16.onnx') });
  });
});
