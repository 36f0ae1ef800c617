// What the shipped INT8 model keeps of full precision, on real sets: the figures that README states.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type EmbeddingModel, openModel } from '#src/embedder/open.js';
import { distributionOf } from '#src/evaluate/distribution.js';
import { readLabelledSet } from '#src/evaluate/labelled-set.js';
import { compareScores, scoreSet } from '#src/evaluate/score.js';
import type { Precision } from '#src/model/names.js';
import { cosine, type Matrix, rowOf } from '#src/vectors/matrix.js';
import { describeShared, sharedPath } from '../shared.js';

async function withBoth<T>(use: (full: EmbeddingModel, int8: EmbeddingModel) => Promise<T>): Promise<T> {
  const [full, int8] = await Promise.all((['fp32', 'int8'] as Precision[]).map((precision) => openModel(undefined, { precision })));
  try {
    return await use(full as EmbeddingModel, int8 as EmbeddingModel);
  } finally {
    await Promise.all([full?.close(), int8?.close()]);
  }
}

function cosinesOf(a: Matrix, b: Matrix): number[] {
  return Array.from({ length: a.rows }, (_, row) => cosine(rowOf(a, row), rowOf(b, row)));
}

describeShared('INT8 beside fp32', () => {
  describe('STS-B dev and 300 SciFact documents', () => {
    it('keeps the vectors and the ranking', async () => {
      await withBoth(async (full, int8) => {
        const set = await readLabelledSet(sharedPath('data/stsb/dev.tsv'));
        const vectors: Matrix[] = [];
        const keep = (model: EmbeddingModel) => async (texts: readonly string[]) => {
          const made = await model.embed(texts);
          vectors.push(made);
          return made;
        };
        const { kept } = compareScores(await scoreSet(set, keep(full)), await scoreSet(set, keep(int8)));
        const documents = scifactDocuments();
        const cosines = [
          ...cosinesOf(vectors[0] as Matrix, vectors[1] as Matrix),
          ...cosinesOf(await full.embed(documents), await int8.embed(documents)),
        ];
        const { mean, p1, minimum } = distributionOf(cosines);
        console.log(
          `${cosines.length} texts: mean ${mean.toFixed(6)}, 1st percentile ${p1.toFixed(5)}, least ${minimum.toFixed(5)}; Spearman kept ${kept.toFixed(5)}`,
        );
        expect(mean).toBeGreaterThan(0.999);
        expect(p1).toBeGreaterThan(0.998);
        expect(minimum).toBeGreaterThan(0.99);
        expect(kept).toBeGreaterThan(0.998);
      });
    }, 600_000);
  });
});

/** Every seventeenth document, 300 in all. */
function scifactDocuments(): string[] {
  const lines = readFileSync(sharedPath('data/scifact/corpus.jsonl'), 'utf8').split('\n').filter(Boolean);
  const documents = lines.filter((_, at) => at % 17 === 0).slice(0, 300);
  return documents.map((line) => {
    const { title, text } = JSON.parse(line) as { title: string; text: string };
    return `${title} ${text}`;
  });
}
