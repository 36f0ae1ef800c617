// `embedkit quantize` as a user runs it: what it prints where, how it ends, and what can be done with what it made.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { QUANTIZE_FLAGS } from '#src/cli/quantize-flags.js';
import { exportModel } from '#src/model/export.js';
import type { Manifest } from '#src/model/manifest.js';
import { MOST_FP32_SITES, STAGES } from '#src/quantize/options.js';
import type { QuantizeReport } from '#src/quantize/report.js';
import { productsModel } from '../quantize/products-model.js';
import { lines, writeSource, writeText } from '../quantize/tiny-source.js';
import { BIN, type Ran, type RunOptions, runCli, temporaryFolder } from '../run.js';

const env = { EMBEDKIT_THREADS: '1' };
/** Anything passes: for runs in which the figures are not the point, and depend on the processor. */
const ANYTHING = 'mean=-1,p1=-1,min=-1,overlap=-1';

/** A folder with two model folders and calibration text; the runs are made inside it. */
async function scene(): Promise<string> {
  const folder = temporaryFolder();
  await exportModel(writeSource(join(folder, 'source'), productsModel()), join(folder, 'model'), { dtype: 'fp16', pooling: 'mean' });
  writeText(folder);
  return folder;
}

const quantize = (cwd: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> =>
  runCli(['quantize', ...args], { cwd, env, ...options });

const linesOf = (ran: Ran): string[] => ran.stderr.trimEnd().split('\n');
const read = <T>(...path: string[]): T => JSON.parse(readFileSync(join(...path), 'utf8')) as T;

describe('embedkit quantize', () => {
  it('lists every flag in its help, on standard output', async () => {
    const { code, stdout, stderr } = await runCli(['quantize', '--help']);
    expect([code, stderr]).toEqual([0, '']);
    for (const { flags } of QUANTIZE_FLAGS) expect(stdout.toString()).toContain(flags);
  });

  it('prints a line a stage, the figures, and last a command that works in a shell as it stands', async () => {
    const folder = await scene();
    const out = "it's a model";
    const ran = await quantize(folder, ['model', '--calib', 'calibration.txt', '-o', out]);
    expect([ran.code, ran.stdout.length]).toEqual([0, 0]);
    const printed = linesOf(ran);
    // On the clock's own: a line a stage where standard error is no terminal.
    const stages = printed.filter((line) => /^ *[\d.]+ ?\w+ {2}\w+ing /.test(line));
    expect(stages).toHaveLength(STAGES.length);
    expect(printed.at(-2)).toBe(`report: ${out}.report.html`);
    expect(ran.stderr).not.toContain('\u001b');
    writeFileSync(
      join(folder, 'corpus.jsonl'),
      lines(3)
        .map((text) => JSON.stringify({ text }))
        .join('\n'),
    );
    expect(inShell(folder, printed.at(-1) ?? '')).toBe(0);
    expect(readdirSync(folder)).toContain('vectors.parquet');
    expect(readdirSync(folder).filter((name) => name.includes('.tmp-'))).toEqual([]);
  });

  it('logs JSON lines and nothing else, and reports what it made', async () => {
    const folder = await scene();
    const ran = await quantize(folder, ['model', '--calib', 'calibration.txt', '-o', 'out', '--log-format', 'json', '--report', 'r.html']);
    expect([ran.code, ran.stdout.length]).toEqual([0, 0]);
    const events = linesOf(ran).map((line) => JSON.parse(line));
    expect(events.map(({ event, stage }) => stage ?? event)).toEqual([...STAGES, 'quantized']);
    expect(events.at(-1)).toMatchObject({ installed: true, folder: 'out', page: 'r.html' });
    const report = read<QuantizeReport>(folder, 'r.json');
    expect(events.at(-1).report).toEqual(report);
    const { int8 } = read<Manifest>(folder, 'out', 'embedkit.json');
    expect(int8?.quantization.gate.cosine).toEqual(report.gate.cosine);
    expect(report.size.int8Bytes).toBe(readFileSync(join(folder, 'out', 'model.int8.onnx')).length);
    expect(report.size.fullBytes).toBe(readFileSync(join(folder, 'model', 'model.fp16.onnx')).length);
    expect(report.speed.ratio).toBeGreaterThan(0);
    expect(readFileSync(join(folder, 'r.html'), 'utf8')).toMatch(/^<!doctype html>/i);
  });

  it('says nothing if told to, and an error as JSON if told that', async () => {
    const folder = await scene();
    const quiet = await quantize(folder, ['model', '--calib', 'calibration.txt', '-o', 'out', '--control', 'none', '--quiet']);
    expect([quiet.code, quiet.stdout.length, quiet.stderr]).toEqual([0, 0, '']);
    expect(read<Manifest>(folder, 'out', 'embedkit.json').int8?.quantization.recipe.kept_fp32).toEqual([]);
    const ran = await quantize(folder, ['model', '--calib', 'calibration.txt', '-o', 'out', '--log-format', 'json']);
    expect(ran.code).toBe(2);
    expect(linesOf(ran).map((line) => JSON.parse(line))).toEqual([
      { event: 'error', code: 'usage', message: 'out exists', hint: 'name another folder with -o, or say --overwrite' },
    ]);
  });

  it('calibrates on any input that embed reads: the same texts make the same model', async () => {
    const folder = await scene();
    const texts = readFileSync(join(folder, 'calibration.txt'), 'utf8').trimEnd().split('\n');
    writeFileSync(join(folder, 'c.jsonl'), texts.map((body) => JSON.stringify({ body })).join('\n'));
    writeFileSync(join(folder, 'c.csv'), `number,body\n${texts.map((body, at) => `${at},${body}`).join('\n')}\n`);
    const embed = ['embed', 'c.jsonl', '--text-field', 'body', '--keep', 'body', '--model', 'model', '-o', 'c.parquet', '--quiet'];
    expect((await runCli(embed, { cwd: folder, env })).code).toBe(0);
    const inputs: [string, string[], RunOptions][] = [
      ['csv', ['c.csv', '--text-field', 'body'], {}],
      ['parquet', ['c.parquet', '--text-field', 'body'], {}],
      ['stdin', ['-', '--from', 'txt'], { stdin: `${texts.join('\n')}\n` }],
    ];
    const digests: (string | undefined)[] = [];
    for (const [name, calib, options] of inputs) {
      const ran = await quantize(folder, ['model', '-o', name, '--quiet', '--calib', ...calib], options);
      expect([name, ran.code, ran.stderr]).toEqual([name, 0, '']);
      digests.push(read<Manifest>(folder, name, 'embedkit.json').int8?.quantization.calibration.digest);
    }
    expect(new Set(digests).size).toBe(1);
    const models = inputs.map(([name]) => readFileSync(join(folder, name, 'model.int8.onnx'), 'base64'));
    expect(new Set(models).size).toBe(1);
  });

  it('takes an ONNX file and probes at full length what was calibrated short', async () => {
    const folder = await scene();
    const args = ['source/model.onnx', '--pooling', 'cls', '--max-length', '5', '--calib', 'calibration.txt', '-o', 'out', '--quiet'];
    const ran = await quantize(folder, [...args, '--gate', ANYTHING]);
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(read<Manifest>(folder, 'out', 'embedkit.json').int8?.quantization.recipe.max_length).toBe(5);
    const embedded = await runCli(['embed', 'calibration.txt', '--model', './out', '-o', 'v.parquet', '--quiet'], { cwd: folder, env });
    expect([embedded.code, embedded.stderr]).toEqual([0, '']);
  });
});

/** Exit code of a line of shell in which `embedkit` is this one. */
function inShell(cwd: string, line: string): number {
  const bin = join(cwd, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'embedkit'), `#!/bin/sh\nexec "${process.execPath}" "${BIN}" "$@"\n`);
  chmodSync(join(bin, 'embedkit'), 0o755);
  execFileSync('sh', ['-c', line], { cwd, env: { ...process.env, ...env, PATH: `${bin}:${process.env.PATH}` }, stdio: 'pipe' });
  return 0;
}

describe('the gate', () => {
  it('says no with exit 5, installs nothing, keeps the report, and has tried the worst sites in fp32', async () => {
    const folder = temporaryFolder();
    await exportModel(writeSource(join(folder, 'source'), 'script-17'), join(folder, 'model'), { dtype: 'fp16', pooling: 'mean' });
    writeText(folder);
    const before = readdirSync(join(folder, 'model')).sort();
    const ran = await quantize(folder, ['model', '--calib', 'calibration.txt', '-o', 'model', '--gate', 'mean=1']);
    expect([ran.code, ran.stdout.length]).toEqual([5, 0]);
    expect(linesOf(ran).at(-1)).toMatch(
      /^embedkit: the gate said no, nothing was installed: mean cosine 0\.\d+ is below 1; .*see model\.report\.html; .*--gate$/,
    );
    expect(readdirSync(join(folder, 'model')).sort()).toEqual(before);
    expect(readdirSync(folder).sort()).toEqual(['calibration.txt', 'model', 'model.report.html', 'model.report.json', 'source']);
    const { gate, sites } = read<QuantizeReport>(folder, 'model.report.json');
    expect(gate).toMatchObject({ passed: false, thresholds: { mean: 1, p1: 0.995 } });
    expect(gate.keptInFp32).toHaveLength(MOST_FP32_SITES);
    expect(
      sites
        .filter(({ precision }) => precision === 'fp32')
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...gate.keptInFp32].sort());
    const worst = [...sites].sort((a, b) => b.errorAfter - a.errorAfter).map(({ name }) => name);
    expect(gate.keptInFp32).toEqual(worst.slice(0, MOST_FP32_SITES));
    const page = readFileSync(join(folder, 'model.report.html'), 'utf8');
    for (const name of gate.keptInFp32) {
      expect(page).toContain(name);
      expect(ran.stderr).toContain(name);
    }
  });
});

describe('--verify-saturation', () => {
  it.each([
    [
      'safe',
      0,
      /^\S+model\.int8\.onnx: 4 int8 matrices, [\d,]+ adjacent pairs, largest same-sign sum \d+ of 128: no 16-bit sum can saturate\n$/,
    ],
    [
      'vnni',
      5,
      /^embedkit: \S+model\.int8\.onnx: 4 int8 matrices, [^\n]+: [\d,]+ pairs can saturate 16-bit sums; quantize again with --weights safe/,
    ],
  ])('of weights made %s ends with %i', async (weights, code, sentence) => {
    const folder = await scene();
    // Without VNNI the processor saturates, and the vectors are far off: which is what the flag is for.
    const args = ['model', '--calib', 'calibration.txt', '-o', 'out', '--quiet', '--weights', weights, '--gate', ANYTHING];
    expect((await quantize(folder, args)).code).toBe(0);
    for (const named of ['./out', 'out/model.int8.onnx']) {
      const ran = await quantize(folder, [named, '--verify-saturation']);
      expect([ran.code, ran.stdout.length]).toEqual([code, 0]);
      expect(ran.stderr).toMatch(sentence);
      expect(linesOf(ran)).toHaveLength(1);
    }
  });
});
