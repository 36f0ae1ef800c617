// Every family of encoders from safetensors, against transformers and sentence-transformers (golden/families.py): 1e-4 at most.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openModel } from '#src/embedder/open.js';
import { exportModel } from '#src/model/export.js';
import { openFolder } from '#src/model/folder.js';
import { runModel } from '#src/model/probe.js';
import { FAMILIES, familyFolder, goldenOf, largest, stateDifference } from './families.js';

const TOLERANCE = 1e-4;
const PYTHON = process.env['TEST_PYTHON'] ?? '';
const hasOnnx = PYTHON !== '' && spawnSync(PYTHON, ['-c', 'import onnx']).status === 0;

const root = mkdtempSync(join(tmpdir(), 'embedkit-families-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Exported once a family, as the weights are stored. */
const exported = new Map<string, Promise<string>>();

function exportedFolder(name: string): Promise<string> {
  const folder = exported.get(name) ?? exportModel(familyFolder(name), join(root, name), {}).then((report) => report.folder);
  exported.set(name, folder);
  return folder;
}

describe.each(FAMILIES)('%s', (name) => {
  const golden = goldenOf(name);

  it('has the hidden states of transformers', async () => {
    const { modelPath, manifest } = await openFolder(await exportedFolder(name));
    const inputs = golden.states.map(({ ids }) => ({ ids: Int32Array.from(ids), rows: 1, width: ids.length }));
    const outputs = await runModel(modelPath, manifest.architecture.output, inputs);
    const difference = largest(golden.states, (state, at) => stateDifference(state, golden.values, outputs[at]?.values as Float32Array));
    expect(difference).toBeLessThanOrEqual(TOLERANCE);
  });

  it('gives texts the ids of the Rust tokenizer and the vectors of sentence-transformers', async () => {
    const model = await openModel(await exportedFolder(name), { threads: 1 });
    try {
      expect(model.maxTokens).toBe(160);
      for (const { text, ids } of golden.texts) expect(model.tokenizer.encode(text, 160).ids).toEqual(ids);
      const { data, dim } = await model.embed(
        golden.texts.map(({ text }) => text),
        // Only Nomic's folder names a prompt for texts without any.
        name === 'nomic-bert' ? {} : { prompt: 'none' },
      );
      expect(dim).toBe(golden.texts[0]?.vector.length);
      const difference = largest(golden.texts, ({ vector }, row) =>
        largest(vector, (value, column) => Math.abs(value - (data[row * dim + column] as number))),
      );
      expect(difference).toBeLessThanOrEqual(TOLERANCE);
    } finally {
      await model.close();
    }
  });

  it.skipIf(!hasOnnx)(
    `passes the checker of PyPI's onnx${hasOnnx ? '' : ' (skipped: TEST_PYTHON names no Python with onnx)'}`,
    async () => {
      const { modelPath } = await openFolder(await exportedFolder(name));
      const check = 'import sys, onnx; onnx.checker.check_model(sys.argv[1], full_check=True)';
      expect(spawnSync(PYTHON, ['-c', check, modelPath], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
    },
  );
});

describe('what the folders of sentence-transformers say', () => {
  it.each([
    ['bert', { pooling: 'cls', normalize: true, prompts: { query: 'search: ', document: '' }, dim: 32 }],
    ['roberta', { pooling: 'mean', normalize: true, dim: 12, dense: [{ inputs: 32, outputs: 12, activation: 'tanh', bias: true }] }],
    ['xlm-roberta', { pooling: 'mean', prompts: { query: 'query: ', passage: 'passage: ', document: 'passage: ' }, dim: 32 }],
    ['distilbert', { pooling: 'max', normalize: false, dim: 32, weights: { dtype: 'float32' } }],
    ['mpnet', { pooling: 'mean', dim: 32, weights: { dtype: 'float16', max_difference: 0 } }],
    ['modernbert', { pooling: 'weighted-mean', dim: 32 }],
    ['nomic-bert', { pooling: 'mean', dimensions: [16, 8], prompts: { document: 'search_document: ' } }],
    [
      'gte',
      {
        pooling: 'last',
        dim: 8,
        dense: [
          { outputs: 24, bias: false },
          { outputs: 8, activation: 'relu' },
        ],
      },
    ],
  ])('%s', async (name, expected) => {
    expect((await openFolder(await exportedFolder(name))).manifest).toMatchObject(expected);
  });
});

it('there is a tokenizer of every kind among them', () => {
  const kindOf = (name: string): string => JSON.parse(readFileSync(join(familyFolder(name), 'tokenizer.json'), 'utf8')).model.type;
  expect([...new Set(FAMILIES.map(kindOf))].sort()).toEqual(['BPE', 'Unigram', 'WordPiece']);
});
