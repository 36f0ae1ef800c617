// Faults from within: a model that the runtime refuses, an engine that fails in mid-run, an input that never goes on.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runJob } from '#src/index.js';
import { BIN, temporaryFolder } from '../run.js';

const MODEL = fileURLToPath(new URL('../../models/bge-small-en-v1.5', import.meta.url));
const ROW = '{"id": "a", "text": "a short text"}\n';

interface Manifest {
  readonly files: Record<string, { bytes: number; sha256: string }>;
  readonly dim: number;
}

/** The shipped model in full precision alone, with another manifest and, if given, other bytes for a model; its hashes hold. */
function modelWith(folder: string, changes: Partial<Manifest>, bytes?: Buffer): string {
  const manifest = JSON.parse(readFileSync(join(MODEL, 'embedkit.json'), 'utf8')) as Manifest;
  const model = join(folder, 'model');
  mkdirSync(model);
  symlinkSync(join(MODEL, 'tokenizer.json'), join(model, 'tokenizer.json'));
  if (bytes === undefined) symlinkSync(join(MODEL, 'model.fp16.onnx'), join(model, 'model.fp16.onnx'));
  else writeFileSync(join(model, 'model.fp16.onnx'), bytes);
  const file = bytes && { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  const files = { ...manifest.files, ...(file && { 'model.fp16.onnx': file }) };
  writeFileSync(join(model, 'embedkit.json'), JSON.stringify({ ...manifest, int8: undefined, files, ...changes }));
  return model;
}

/** Runs over an input that gives one row and then neither more nor its end. */
async function runOverIdleInput(folder: string, model: string): Promise<unknown> {
  const stdin = new PassThrough();
  stdin.write(ROW);
  const output = { path: join(folder, 'out.parquet') };
  const running = runJob({ input: { paths: ['-'], stdin }, output, model: { model, threads: 2 }, window: { rows: 1 } });
  const error = await running.catch((thrown: unknown) => thrown);
  expect(stdin.destroyed).toBe(true);
  expect(readdirSync(folder)).toEqual(['model']);
  return error;
}

describe('a run ends with the cause, without waiting for its input', () => {
  it('when the runtime cannot load the model', async () => {
    const folder = temporaryFolder();
    const error = await runOverIdleInput(folder, modelWith(folder, {}, Buffer.from('not a model at all')));
    expect(error).toMatchObject({ code: 'engine-failed', message: expect.stringMatching(/model\.fp16\.onnx: the runtime cannot load it/) });
  });

  it('when the model gives something else than its manifest says', async () => {
    const folder = temporaryFolder();
    const error = await runOverIdleInput(folder, modelWith(folder, { dim: 383 }));
    expect(error).toMatchObject({
      code: 'engine-failed',
      message: expect.stringMatching(/the model gave 1 x \d+ x 384 values for 1 texts/),
    });
  });
});

describe('an interrupt while the input says nothing', () => {
  it.each([
    ['SIGINT', 130, []],
    ['SIGTERM', 143, []],
    ['SIGINT', 130, ['--dry-run']],
  ] as const)('%s exits %i (%j)', async (signal, code, flags) => {
    const folder = temporaryFolder();
    const child = spawn(process.execPath, [BIN, 'embed', '-', '-o', join(folder, 'out.parquet'), ...flags]);
    child.stdin.on('error', () => undefined);
    const ended = new Promise((resolve) => child.on('close', (exit, by) => resolve([exit, by])));
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    // Blank lines, which are not rows, and more of them than a pipe holds: once written, the program is reading.
    await new Promise((resolve) => child.stdin.write(ROW + '\n'.repeat(2 ** 20), resolve));
    child.kill(signal);
    expect(await ended).toEqual([code, null]);
    expect(said).toMatch(new RegExp(`^embedkit: \\w+ by ${signal}; nothing was put in place\\n$`));
    expect(readdirSync(folder)).toEqual([]);
  });
});
