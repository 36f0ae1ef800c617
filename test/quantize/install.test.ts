// Where a finished model goes: whole or not at all, nothing of the user's lost, and a sentence for whatever is in the way.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { exportModel } from '#src/model/export.js';
import { openFolder } from '#src/model/folder.js';
import type { QuantizeOptions } from '#src/quantize/options.js';
import { type QuantizeOutcome, quantizeModel } from '#src/quantize/run.js';
import { BIN, runCli, temporaryFolder } from '../run.js';
import { productsModel } from './products-model.js';
import { writeSource, writeText } from './tiny-source.js';

vi.mock('#src/quantize/speed.js', () => ({
  measureSpeed: async () => ({ tokensPerText: 2, rows: 1, threads: 1, full: [1], int8: [2], ratio: 2 }),
}));

const MADE = ['embedkit.json', 'model.int8.onnx', 'tokenizer.json'];

/** A folder with a source, a model folder made of it, and calibration text. */
async function scene() {
  const folder = temporaryFolder();
  const source = writeSource(join(folder, 'source'), productsModel());
  const model = join(folder, 'model');
  await exportModel(source, model, { dtype: 'fp16', pooling: 'mean' });
  const text = writeText(folder);
  const out = join(folder, 'out');
  const run = (options: Partial<QuantizeOptions> = {}): Promise<QuantizeOutcome> =>
    quantizeModel({ model, calibration: { paths: [text] }, out, threads: 1, ...options });
  return { folder, source, model, text, out, run };
}

/** Name -> SHA-256. */
const contentsOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder).map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex'),
    ]),
  );

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
      /cannot be written: ENOTDIR/,
    ],
    ['a place where nothing can be made', () => ({ out: '/sys/embedkit-out' }), 'output-unwritable', /embedkit-out: cannot be written: E/],
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

/** Starts a run in a process of its own and waits until it works. */
async function started(folder: string, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [BIN, 'quantize', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  child.on('error', () => undefined);
  while (!readdirSync(folder).some((name) => name.startsWith('out.tmp-')) && child.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return child;
}

const ended = (child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null; said: string }> =>
  new Promise((resolve) => {
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said += chunk;
    });
    child.on('close', (code, signal) => resolve({ code, signal, said }));
  });

describe('a run that is stopped', () => {
  it('by kill -9 leaves no output, and the next run takes away what it left', async () => {
    const { folder, model, text, out, run } = await scene();
    const child = await started(folder, [model, '--calib', text, '-o', out, '--quiet']);
    const end = ended(child);
    child.kill('SIGKILL');
    expect((await end).signal).toBe('SIGKILL');
    expect(existsSync(out)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.startsWith('out.tmp-'))).toHaveLength(1);
    await run();
    expect(readdirSync(folder).filter((name) => name.startsWith('out'))).toEqual(['out']);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s ends with %i and leaves nothing', async (signal, code) => {
    const { folder, model, text, out } = await scene();
    const before = readdirSync(folder).sort();
    const child = await started(folder, [model, '--calib', text, '-o', out, '--quiet']);
    const end = ended(child);
    child.kill(signal);
    expect(await end).toEqual({
      code,
      signal: null,
      said: expect.stringMatching(new RegExp(`^embedkit: \\w+ by ${signal}; nothing was put in place\\n$`)),
    });
    expect(readdirSync(folder).sort()).toEqual(before);
  });

  it('by a full disk ends with 1 in one sentence, and the old folder is as it was', async () => {
    const { folder, model, text, out, run } = await scene();
    await run();
    const [before, names] = [contentsOf(out), readdirSync(folder).sort()];
    // As in test/faults: a limit on file size stands in for the disk.
    const command = `trap '' XFSZ; ulimit -f 1; exec "$0" "$@"`;
    const args = ['quantize', model, '--calib', text, '-o', out, '--overwrite', '--quiet'];
    const { code, said } = await ended(spawn('bash', ['-c', command, process.execPath, BIN, ...args]));
    expect([code, said]).toEqual([
      1,
      expect.stringMatching(/^embedkit: [^\n]+ cannot be written: EFBIG[^\n]*; check space and permissions\n$/),
    ]);
    expect(contentsOf(out)).toEqual(before);
    expect(readdirSync(folder).sort()).toEqual(names);
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
