// What `embedkit quantize` refuses: wrong usage, paths that lead nowhere, models and texts that will not do. One sentence each, nothing left.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportModel } from '#src/model/export.js';
import { encoderFolder, LOOSE_FLAG, writeTexts } from '../quantize/tiny-encoder.js';
import { BIN, runCli, temporaryFolder } from '../run.js';

const shared = mkdtempSync(join(tmpdir(), 'embedkit-test-'));

beforeAll(async () => {
  const raw = await encoderFolder(join(shared, 'raw'), 'script-17');
  await exportModel(raw, join(shared, 'model'), { dtype: 'fp16', pooling: 'mean' });
  writeTexts(shared);
  writeFileSync(join(shared, 'blank.jsonl'), '{"text":""}\n{"text":" "}\n');
  writeFileSync(join(shared, 'three.txt'), 'a\nshort\none\n');
  writeFileSync(join(shared, 'empty.txt'), '');
  writeFileSync(join(shared, 'other.jsonl'), '{"body":"a short one"}\n');
  writeFileSync(join(shared, 'no.onnx'), 'no model');
  // As the npm package would be with another's INT8 model: the manifest, and no file in full precision.
  cpSync(join(shared, 'model'), join(shared, 'bare'), { recursive: true });
});
afterAll(() => rmSync(shared, { recursive: true, force: true }));

/** A copy of all of it, in which runs may leave what they should not. */
function scene(): string {
  const folder = temporaryFolder();
  cpSync(shared, folder, { recursive: true });
  mkdirSync(join(folder, 'notes'));
  writeFileSync(join(folder, 'notes', 'mine.txt'), 'mine');
  return folder;
}

const everything = (folder: string): string[] => readdirSync(folder, { recursive: true }).map(String).sort();

const CALIB = ['--calib', 'texts-1.txt'];
const OUT = ['-o', 'out'];

async function expectRefusal(args: readonly string[], code: number, sentence: RegExp): Promise<void> {
  const cwd = scene();
  const before = everything(cwd);
  const ran = await runCli(['quantize', ...args, '--quiet', '--control', 'none'], { cwd, env: { EMBEDKIT_THREADS: '1' } });
  expect(ran.stderr).toMatch(/^embedkit: [^\n]+; [^\n]+\n$/);
  expect(ran.stderr).toMatch(sentence);
  expect(ran.stderr).not.toMatch(/ at .*\.js:\d|internal error|\.tmp-\d/);
  expect([ran.code, ran.stdout.length]).toEqual([code, 0]);
  expect(everything(cwd)).toEqual(before);
}

describe('wrong usage, exit 2', () => {
  it.each<[readonly string[], RegExp]>([
    [['gone', ...CALIB, ...OUT], /no model "gone"/],
    [['gone.onnx', ...CALIB, ...OUT], /no model "gone\.onnx"/],
    [['raw', ...CALIB, ...OUT], /says how its token vectors are pooled; say --pooling/],
    [['model', ...CALIB, '-o', 'three.txt'], /-o three\.txt is a file; name a folder/],
    [['model', ...CALIB, '-o', 'notes'], /notes exists; name another folder with -o, or say --overwrite/],
    [['model', ...CALIB, '-o', 'notes', '--overwrite'], /notes is no model folder/],
    [['model/model.fp16.onnx', ...CALIB, '--pooling', 'mean', '-o', 'model', '--overwrite'], /model\b.*(holds|read)/],
    [['model', '--calib', 'three.txt', ...OUT], /3 calibration texts: too few to hold any out/],
    [['model', ...CALIB, ...OUT, '--samples', '0'], /0\b.*calibration texts/],
    [['model', ...CALIB, ...OUT, '--samples', 'many'], /"many" is not a whole number/],
    [['model', ...CALIB, ...OUT, '--max-length', '2'], /--max-length 2: \S+ takes 3 to 40 tokens/],
    [['model', ...CALIB, ...OUT, '--max-length', '41'], /--max-length 41/],
    [['model', ...CALIB, ...OUT, '--threads', '0'], /--threads 0/],
    [['model', ...CALIB, ...OUT, '--weights', '6bit'], /Allowed choices are safe, vnni, 7bit/],
    [['model', ...CALIB, ...OUT, '--format', 'dynamic'], /Allowed choices are fused, qdq/],
    [
      ['model', ...CALIB, ...OUT, '--gate', 'mean'],
      /"mean" is not a figure of the gate; write mean, p1, min, overlap, kept like mean=\.998/,
    ],
    [['model', ...CALIB, ...OUT, '--gate', 'median=.9'], /"median=\.9" is not a figure of the gate/],
    [['model', ...CALIB, ...OUT, '--gate', 'mean=2'], /"mean=2" is not a figure of the gate/],
    [['model', ...CALIB, ...OUT, '--gate', 'mean=NaN'], /"mean=NaN" is not a figure of the gate/],
    [['model', ...CALIB, ...OUT, '--report', 'gone/page.html'], /--report gone\/page\.html: .*folder/],
    [['model', '--verify-saturation'], /model has no INT8 model; make one with embedkit quantize/],
  ])('%j', async (args, sentence) => {
    await expectRefusal(args, 2, sentence);
  });
});

describe('what is not there or will not do, exit 1', () => {
  it.each<[readonly string[], RegExp]>([
    [['model', '--calib', 'gone.txt', ...OUT], /no file, folder or match for "gone\.txt"; check the path/],
    [['model', '--calib', 'empty.txt', ...OUT], /empty\.txt: no rows to calibrate with; name an input that holds texts/],
    [['model', '--calib', 'blank.jsonl', ...OUT], /no text in any of 2 rows to calibrate with/],
    [['model', '--calib', 'other.jsonl', ...OUT], /other\.jsonl.*"text"/],
    [['model', ...CALIB, ...OUT, '--eval', 'gone.tsv'], /gone\.tsv/],
    [['no.onnx', ...CALIB, ...OUT, '--pooling', 'mean'], /no\.onnx|tokenizer\.json/],
    [['no.onnx', '--verify-saturation'], /no\.onnx/],
    [['model', ...CALIB, '-o', 'three.txt/out'], /three\.txt\/out: cannot be written/],
  ])('%j', async (args, sentence) => {
    await expectRefusal(args, 1, sentence);
  });
});

describe('a folder without its full precision', () => {
  it('as the npm package has the default model: exit 2, and where to get it', async () => {
    const cwd = scene();
    const gate = ['--gate', LOOSE_FLAG, '--control', 'none', '--threads', '1', '--quiet'];
    expect(await runCli(['quantize', 'bare', ...CALIB, '-o', 'bare', ...gate], { cwd })).toMatchObject({ code: 0, stderr: '' });
    rmSync(join(cwd, 'bare', 'model.fp16.onnx'));
    const ran = await runCli(['quantize', 'bare', ...CALIB, ...OUT, ...gate], { cwd });
    expect(ran).toMatchObject({
      code: 2,
      stderr:
        'embedkit: bare holds no full-precision model.fp16.onnx; quantize from a clone of the repository, which has it, or name the ONNX file to quantize\n',
    });
    // What is left works.
    const embedded = await runCli(['embed', 'texts-1.txt', '-o', 'out.parquet', '--model', './bare', '--quiet', '--threads', '1'], { cwd });
    expect(embedded).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('a full disk', () => {
  it.each([8, 48, 160])('with %i KiB ends in a sentence and leaves nothing', (kib) => {
    const cwd = scene();
    const before = everything(cwd);
    // The limit on file size stands in for the disk; the signal that comes with it is ignored, so that write() fails.
    const command = `trap '' XFSZ; ulimit -f ${kib}; exec "$0" "$@"`;
    const args = ['quantize', 'model', ...CALIB, ...OUT, '--quiet', '--control', 'none', '--threads', '1', '--gate', LOOSE_FLAG];
    const ran = spawnSync('bash', ['-c', command, process.execPath, BIN, ...args], { cwd, encoding: 'utf8' });
    expect(ran.stderr).toMatch(/^embedkit: [^\n]+; [^\n]+\n$/);
    expect(ran.stderr).not.toMatch(/internal error/);
    expect(ran.status).toBe(1);
    expect(everything(cwd)).toEqual(before);
  });
});
