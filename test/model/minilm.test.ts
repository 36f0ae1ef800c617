// The real all-MiniLM-L6-v2 from safetensors against sentence-transformers (golden/minilm.py). Needs TEST_MINILM, its folder.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openModel } from '#src/embedder/open.js';
import { exportModel } from '#src/model/export.js';
import { rowOf } from '#src/vectors/matrix.js';
import { GOLDEN_TEXTS } from '../golden/texts.js';
import { temporaryFolder } from '../run.js';
import { largest } from './families.js';

const FOLDER = process.env['TEST_MINILM'] ?? '';
const golden = (name: string): Buffer => readFileSync(new URL(`../golden/${name}`, import.meta.url));
const TEXTS = GOLDEN_TEXTS.filter((_, at) => at % 5 === 0);

describe.runIf(FOLDER !== '')('all-MiniLM-L6-v2 (skipped without TEST_MINILM)', () => {
  it('exported from safetensors gives the vectors of sentence-transformers, to 1e-4, alone and among others the same bits', async () => {
    const facts: { rows: number; dim: number; weights_sha256: string } = JSON.parse(golden('minilm.json').toString('utf8'));
    expect(
      createHash('sha256')
        .update(readFileSync(join(FOLDER, 'model.safetensors')))
        .digest('hex'),
    ).toBe(facts.weights_sha256);
    const { folder, manifest } = await exportModel(FOLDER, join(temporaryFolder(), 'minilm'), {});
    expect(manifest).toMatchObject({ dim: 384, pooling: 'mean', normalize: true, max_tokens: 256, weights: { dtype: 'float32' } });
    const values = new Float32Array(new Uint8Array(golden('minilm.f32')).buffer);
    const model = await openModel(folder, { threads: 1 });
    try {
      const vectors = await model.embed(TEXTS);
      expect([vectors.rows, vectors.dim]).toEqual([facts.rows, facts.dim]);
      expect(largest([...vectors.data], (value, at) => Math.abs(value - (values[at] as number)))).toBeLessThanOrEqual(1e-4);
      for (const row of [0, 7, 20]) expect(rowOf(await model.embed([TEXTS[row] as string]), 0)).toEqual(rowOf(vectors, row));
    } finally {
      await model.close();
    }
  }, 120_000);
});
