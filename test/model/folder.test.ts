// A model folder is taken as its manifest describes it, or refused in one sentence; and what its settings allow.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exportModel } from '#src/model/export.js';
import { openFolder } from '#src/model/folder.js';
import { type Manifest, parseManifest } from '#src/model/manifest.js';
import { contentHash, dimsFor, fingerprint, maxTokensFor, promptFor } from '#src/model/settings.js';
import { tinyModel, writeTiny } from '../onnx/tiny.js';
import { temporaryFolder } from '../run.js';

async function tinyFolder(): Promise<string> {
  const folder = temporaryFolder();
  await exportModel(writeTiny(join(folder, 'source'), tinyModel()), join(folder, 'model'), {
    dtype: 'fp16',
    pooling: 'mean',
    queryPrompt: 'ask: ',
  });
  return join(folder, 'model');
}

async function edited(edit: (manifest: Record<string, unknown>) => void): Promise<string> {
  const folder = await tinyFolder();
  const path = join(folder, 'embedkit.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  edit(manifest);
  writeFileSync(path, JSON.stringify(manifest));
  return folder;
}

describe('openFolder', () => {
  it('opens what export wrote, wherever it is moved', async () => {
    const moved = join(temporaryFolder(), 'elsewhere');
    cpSync(await tinyFolder(), moved, { recursive: true });
    expect((await openFolder(moved)).manifest).toMatchObject({ pooling: 'mean', dim: 4, prompts: { query: 'ask: ' } });
  });

  it.each([
    ['dim', (m: Record<string, unknown>) => Object.assign(m, { dim: 'many' }), /embedkit\.json: dim: /],
    ['pooling', (m: Record<string, unknown>) => Object.assign(m, { pooling: 'median' }), /embedkit\.json: pooling: /],
    ['a missing field', (m: Record<string, unknown>) => delete m['max_tokens'], /embedkit\.json: max_tokens: /],
    ['a format of the future', (m: Record<string, unknown>) => Object.assign(m, { format: 2 }), /embedkit\.json: format: /],
    ['a model that is not among the files', (m: Record<string, unknown>) => Object.assign(m, { model: 'other.onnx' }), /lack the model/],
    [
      'a file outside',
      (m: Record<string, unknown>) => Object.assign(m['files'] as object, { '../x': { bytes: 0, sha256: '0'.repeat(64) } }),
      /leaves the folder/,
    ],
  ])('refuses a manifest with a wrong %s', async (_, edit, sentence) => {
    await expect(openFolder(await edited(edit))).rejects.toThrow(sentence);
  });

  it('refuses altered, cut and missing files', async () => {
    const folder = await tinyFolder();
    const path = join(folder, 'model.fp16.onnx');
    const bytes = readFileSync(path);
    const flipped = Buffer.from(bytes);
    flipped[60] = (flipped[60] as number) ^ 1;
    writeFileSync(path, flipped);
    await expect(openFolder(folder)).rejects.toThrow(/model\.fp16\.onnx: its SHA-256 is not what embedkit\.json says/);
    writeFileSync(path, bytes.subarray(1));
    await expect(openFolder(folder)).rejects.toThrow(/its size \(\d+ bytes, not \d+\)/);
    cpSync(join(folder, 'tokenizer.json'), path);
    await expect(openFolder(join(folder, 'nothing'))).rejects.toThrow(/no model/);
  });

  it('refuses text that is not JSON', () => {
    expect(() => parseManifest('{', 'embedkit.json')).toThrow(/embedkit\.json: not JSON/);
  });
});

describe('settings', () => {
  const manifest = {
    name: 'm',
    dim: 8,
    dimensions: [2, 4],
    max_tokens: 16,
    prompts: { query: 'ask: ' },
    files: {},
    architecture: { output: 'o', positions: 32 },
    pooling: 'cls',
    normalize: true,
  } as unknown as Manifest;

  it('prompts', () => {
    expect([undefined, 'none', 'query', 'say: '].map((asked) => promptFor(manifest, asked))).toEqual(['', '', 'ask: ', 'say: ']);
    expect(() => promptFor(manifest, 'document')).toThrow(/no such prompt/);
  });

  it('dims and lengths', () => {
    expect([undefined, 2, 4, 8].map((asked) => dimsFor(manifest, asked))).toEqual([8, 2, 4, 8]);
    expect(() => dimsFor(manifest, 3)).toThrow(/vectors of 2, 4, 8/);
    expect([undefined, 32].map((asked) => maxTokensFor(manifest, asked))).toEqual([16, 32]);
    expect(() => maxTokensFor(manifest, 33)).toThrow(/takes 3 to 32 tokens/);
  });

  it('a fingerprint changes with all that decides a vector, and content hashes with it and the text', () => {
    const variants = [manifest, { ...manifest, pooling: 'mean' as const }, { ...manifest, normalize: false }, { ...manifest, prompts: {} }];
    const prints = [...variants.map((variant) => fingerprint(variant, 16)), fingerprint(manifest, 32)];
    expect(new Set(prints).size).toBe(5);
    const hashes = [contentHash(prints[0] as string, 'a'), contentHash(prints[1] as string, 'a'), contentHash(prints[0] as string, 'b')];
    expect(new Set(hashes).size).toBe(3);
    expect(fingerprint({ ...manifest, name: 'renamed' }, 16)).toBe(prints[0]);
  });
});
