// What each type of stored vectors costs: rankings are those of plain loops over values that went through the type.
import { describe, expect, it } from 'vitest';
import type { EmbedTexts } from '#src/evaluate/distinct.js';
import type { RetrievalSet } from '#src/evaluate/labelled-set.js';
import { measureSet } from '#src/evaluate/measure.js';
import { HITS, type RetrievalMeasured } from '#src/evaluate/measured.js';
import { checkOptions } from '#src/evaluate/options.js';
import { reportOf } from '#src/evaluate/report-of.js';
import { storageCells } from '#src/evaluate/report-words.js';
import { meanOf, measureRanking } from '#src/evaluate/retrieval.js';
import { documentsOf } from '#src/evaluate/retrieval-set.js';
import { storagesOf } from '#src/evaluate/storages.js';
import { storageOf } from '#src/job/storage-plan.js';
import type { ModelFolder } from '#src/model/folder.js';
import { roundToF16 } from '#src/vectors/f16.js';
import { rangesOf } from '#src/vectors/int8.js';

const DIM = 16;
const [DOCUMENTS, QUERIES] = [400, 30];
/** Ids whose order is that of their numbers. */
const idOf = (row: number): string => String(row).padStart(4, '0');

let state = 7;
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) | 0;
  return state / 2 ** 31;
}

function unit(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  return [...Float32Array.from(vector, (value) => value / length)];
}

const documents = Array.from({ length: DOCUMENTS }, () => unit(Array.from({ length: DIM }, random)));
/** Each near to the document of its number. */
const queries = Array.from({ length: QUERIES }, (_, row) => unit((documents[row] as number[]).map((value) => value + random() * 0.2)));
const embed: EmbedTexts = async (texts) => ({
  rows: texts.length,
  dim: DIM,
  data: Float32Array.from(texts.flatMap((text) => JSON.parse(text) as number[])),
});
const SET: RetrievalSet = {
  kind: 'retrieval',
  name: 'made-up',
  queries: { ids: queries.map((_, row) => `q${row}`), texts: queries.map((vector) => JSON.stringify(vector)) },
  documents: documentsOf(
    documents.map((_, row) => idOf(row)),
    documents.map((vector) => JSON.stringify(vector)),
  ),
  judgements: queries.map((_, row) => new Map([[row, 1]])),
};

const ranges = { texts: 1, calibration_digest: 'd', ...rangesOf({ dim: DIM, data: Float32Array.from(documents.flat()) }) };
const folder = {
  path: 'models/made-up',
  manifest: { name: 'made-up', dim: DIM, dimensions: [], vector_ranges: [ranges] },
} as unknown as ModelFolder;

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);
const signs = (vector: readonly number[]): number[] => vector.map((value) => (value > 0 ? 1 : -1));
const half = (vector: readonly number[]): number[] => {
  const values = Float32Array.from(vector);
  roundToF16(values);
  return unit([...values]);
};
/** The nearest of the 256 values of each dimension. */
const nearest = (vector: readonly number[]): number[] =>
  unit(
    vector.map((value, at) => {
      const [least, most] = [ranges.minimum[at] as number, ranges.maximum[at] as number];
      const all = Array.from({ length: 256 }, (_, step) => least + (step * (most - least)) / 255);
      return all.reduce((best, one) => (Math.abs(one - value) < Math.abs(best - value) ? one : best));
    }),
  );

/** nDCG@10 by sorting all documents; equal ones stand by id, the greatest first. */
function ndcgOf(given: (vector: readonly number[]) => number[], asked: (vector: readonly number[]) => number[]): number {
  const stored = documents.map(given);
  const ranking = queries.flatMap((query) => {
    const scores = stored.map((vector) => dot(vector, asked(query)));
    return [...scores.keys()].sort((a, b) => (scores[b] as number) - (scores[a] as number) || b - a).slice(0, HITS);
  });
  return meanOf(measureRanking(SET, Int32Array.from(ranking), HITS).ndcg10);
}

const itself = (vector: readonly number[]): number[] => [...vector];

describe('evaluate --dtypes', () => {
  it('ranks documents that went through each type, and says what that costs', async () => {
    const storages = storagesOf(folder, ['float16', 'int8', 'binary']);
    const measured = (await measureSet(SET, embed, { own: '', wrong: undefined, storages })) as RetrievalMeasured;
    const expected = [
      ['float32', 64, 'float32', ndcgOf(itself, itself)],
      ['float16', 32, 'float32', ndcgOf(half, itself)],
      ['int8', 16, 'float32', ndcgOf(nearest, itself)],
      ['binary', 2, 'binary', ndcgOf(signs, signs)],
      ['binary', 2, 'float32', ndcgOf(signs, itself)],
    ] as const;
    expect(measured.storages).toEqual(
      expected.map(([dtype, bytes, asked, ndcg]) => ({ dtype, bytes, queries: asked, ndcg: expect.closeTo(ndcg, 9) })),
    );
    expect(measured.storages[0]?.ndcg).toBe(measured.values['ndcg']);
    const [full, , , hamming, asymmetric] = expected.map(([, , , ndcg]) => ndcg) as [number, number, number, number, number];
    expect([hamming < asymmetric, asymmetric < full]).toEqual([true, true]);
    const model = { name: 'made-up', precision: 'int8', fingerprint: 'f' } as const;
    const report = reportOf({ model, measured: [measured] }, undefined, { terms: [], seconds: 1 });
    expect(report.storages.map(storageCells)[3]).toEqual([
      'made-up',
      'binary',
      'signs of both, by Hamming distance',
      '2',
      hamming.toFixed(5),
      `${((hamming / full - 1) * 100).toFixed(3)}%`,
    ]);
  });

  it('measures none where none is asked for', async () => {
    expect(storagesOf(folder)).toEqual([]);
    expect(((await measureSet(SET, embed, { own: '', wrong: undefined })) as RetrievalMeasured).storages).toEqual([]);
  });

  it('needs a retrieval set', () => {
    expect(() => checkOptions({ sts: ['a.tsv'], dtypes: ['int8'] })).toThrow(/--dtypes says what storing costs in retrieval/);
  });
});

describe('a type that the model cannot have', () => {
  it('is int8 without ranges of that length, with the command that makes them', () => {
    expect(() => storageOf(folder, 8, 'int8')).toThrow(
      expect.objectContaining({
        code: 'usage',
        sentence: '--dtype int8: made-up has no ranges for vectors of 8 values; make them: embedkit ranges models/made-up',
      }),
    );
  });

  it('is binary of a length that fills no bytes', () => {
    expect(() => storageOf(folder, 12, 'binary')).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringMatching(/multiple of 8/) }),
    );
  });
});
