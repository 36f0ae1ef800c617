// The library against Python, and against itself: whole vectors, every bit.
import { describe, expect, it } from 'vitest';
import { type EmbeddingModel, openModel } from '#src/embedder/open.js';
import { PRECISIONS, type Precision } from '#src/model/names.js';
import { cosine, rowOf } from '#src/vectors/matrix.js';
import { GOLDEN_TEXTS, goldenVectors } from '../golden/texts.js';

async function withModel<T>(
  threads: number,
  batchTokens: number,
  use: (model: EmbeddingModel) => Promise<T>,
  precision?: Precision,
): Promise<T> {
  const model = await openModel(undefined, { threads, batchTokens, precision });
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((largest, value, at) => Math.max(largest, Math.abs(value - (b[at] as number))), 0);
}

describe('openModel', () => {
  it('gives 200 texts of mixed length the vectors of the source in Python, to 2e-5', async () => {
    const { data, rows, dim } = await withModel(2, 1024, (model) => model.embed(GOLDEN_TEXTS), 'fp32');
    expect([rows, dim]).toEqual([200, 384]);
    expect(largestDifference(data, goldenVectors())).toBeLessThan(2e-5);
  });

  it('gives the same texts INT8 vectors close to those, by default', async () => {
    const int8 = await withModel(2, 1024, (model) => model.embed(GOLDEN_TEXTS));
    const golden = goldenVectors();
    const cosines = GOLDEN_TEXTS.map((_, row) => cosine(rowOf(int8, row), golden.subarray(row * 384, (row + 1) * 384)));
    expect(cosines.reduce((sum, value) => sum + value, 0) / cosines.length).toBeGreaterThan(0.999);
    expect(Math.min(...cosines)).toBeGreaterThan(0.99);
    expect(Math.max(...cosines)).toBeLessThan(1);
  });

  it.each(PRECISIONS)('gives a text the same bits in %s alone and among others, whatever threads and batches', async (precision) => {
    const texts = GOLDEN_TEXTS.filter((_, i) => i % 5 === 0);
    const together = await withModel(2, 4096, (model) => model.embed(texts), precision);
    const alone = await withModel(1, 1, (model) => model.embed(texts), precision);
    expect(Buffer.from(together.data.buffer).equals(Buffer.from(alone.data.buffer))).toBe(true);
    const backwards = await withModel(2, 300, (model) => model.embed(texts.toReversed()), precision);
    const unreversed = texts.map((_, row) => rowOf(backwards, texts.length - 1 - row));
    unreversed.forEach((vector, row) => {
      expect(vector).toEqual(rowOf(together, row));
    });
  });

  it.each(PRECISIONS)('gives the same bits in %s by one session of two threads', async (precision) => {
    const texts = GOLDEN_TEXTS.filter((_, i) => i % 10 === 0);
    const byWorkers = await withModel(2, 1024, (model) => model.embed(texts), precision);
    const model = await openModel(undefined, { threads: 1, threadsPerWorker: 2, precision });
    const bySession = await model.embed(texts).finally(() => model.close());
    expect(Buffer.from(bySession.data.buffer).equals(Buffer.from(byWorkers.data.buffer))).toBe(true);
  });

  it('refuses a session of no threads', async () => {
    await expect(openModel(undefined, { threads: 1, threadsPerWorker: 0 })).rejects.toThrow('--threads-per-worker 0');
  });

  it('puts the prompt before the text, and knows those of the manifest', async () => {
    await withModel(1, 1024, async (model) => {
      const query = 'Represent this sentence for searching relevant passages: ';
      const [named, literal, spelled, bare, document] = await Promise.all([
        model.embed(['tea'], { prompt: 'query' }),
        model.embed(['tea'], { prompt: query }),
        model.embed([`${query}tea`], { prompt: 'none' }),
        model.embed(['tea'], { prompt: 'none' }),
        model.embed(['tea']),
      ]);
      expect(named.data).toEqual(spelled.data);
      expect(literal.data).toEqual(spelled.data);
      expect(document.data).toEqual(bare.data);
      expect(cosine(named.data, bare.data)).toBeLessThan(0.99);
    });
  });

  it('takes no texts, and refuses what the model lacks', async () => {
    await withModel(1, 1024, async (model) => {
      expect(await model.embed([])).toEqual({ rows: 0, dim: 384, data: new Float32Array(0) });
      await expect(model.embed(['a'], { dims: 100 })).rejects.toThrow(/--dims 100.*gives vectors of 384/);
      await expect(model.embed(['a', null as unknown as string])).rejects.toThrow(/text 1 is null, not a string/);
    });
    await expect(openModel(undefined, { maxTokens: 513 })).rejects.toThrow(/--max-tokens 513/);
    await expect(openModel('no-such-model')).rejects.toThrow(/no model "no-such-model"/);
    await expect(openModel(undefined, { threads: 0 })).rejects.toThrow(/--threads 0/);
  });
});
