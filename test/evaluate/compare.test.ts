// Two models on the same set: what is said of their scores, their agreement and where the first falls; and the page of it.
import { describe, expect, it } from 'vitest';
import type { ClassificationSet } from '#src/evaluate/classification-set.js';
import { agreementRows, scoreRows } from '#src/evaluate/compare.js';
import type { RetrievalSet, StsSet } from '#src/evaluate/labelled-set.js';
import { type ClassificationMeasured, HITS, type RetrievalMeasured, type StsMeasured, type TextsMeasured } from '#src/evaluate/measured.js';
import { regressionsOf } from '#src/evaluate/regressions.js';
import { evaluationHtml } from '#src/evaluate/report-html.js';
import { reportOf } from '#src/evaluate/report-of.js';
import { documentsOf } from '#src/evaluate/retrieval-set.js';
import type { TextSet } from '#src/evaluate/text-set.js';
import { markupFault } from '../page/well-formed.js';

const EVIL = '<script>alert(1)</script>\u202e';

const STS: StsSet = { kind: 'sts', name: 'p', a: ['one', EVIL, 'three'], b: ['x', 'y', 'z'], scores: Float64Array.of(1, 2, 3) };
const sts = (cosines: number[], value: number): StsMeasured => ({
  kind: 'sts',
  set: STS,
  cosines: Float64Array.from(cosines),
  values: { sts: value },
  count: 3,
});

const RETRIEVAL: RetrievalSet = {
  kind: 'retrieval',
  name: 'r',
  queries: { ids: ['q1', 'q2'], texts: ['first', 'second'] },
  documents: documentsOf(['d0', 'd1', 'd2'], ['', '', '']),
  judgements: [new Map([[0, 1]]), new Map([[1, 1]])],
};
function retrieval(first: number[], second: number[], ndcg: number[]): RetrievalMeasured {
  const ranking = new Int32Array(2 * HITS).fill(-1);
  ranking.set(first);
  ranking.set(second, HITS);
  const prompts = [{ prompt: 'own', text: 'q: ', ndcg: 0.5 } as const, { prompt: 'none', text: '', ndcg: 0.4 } as const];
  return {
    kind: 'retrieval',
    set: RETRIEVAL,
    ranking,
    ndcg: Float64Array.from(ndcg),
    prompts,
    storages: [],
    values: { ndcg: 0.5 },
    count: 2,
  };
}

const TEXTS: TextSet = { kind: 'texts', name: 't', texts: ['a', 'b', 'c'], pairs: Int32Array.of(0, 1, 1, 2), rows: 9, used: 3 };
const texts = (rows: number[][]): TextsMeasured => ({
  kind: 'texts',
  set: TEXTS,
  vectors: { rows: 3, dim: rows[0]?.length ?? 0, data: Float32Array.from(rows.flat()) },
  values: {},
  count: 3,
});
const NARROW = texts([
  [1, 0],
  [0.8, 0.6],
  [0, 1],
]);
const OTHER = texts([
  [1, 0],
  [0.6, 0.8],
  [0, 1],
]);
const WIDE = texts([
  [1, 0, 0],
  [0.8, 0.6, 0],
  [0, 1, 0],
]);

const CLASSES: ClassificationSet = {
  kind: 'classification',
  name: 'c',
  texts: ['w', 'x', 'y', 'z'],
  classes: ['no', 'yes'],
  labels: Int32Array.of(0, 1, 0, 1),
  learnt: Int32Array.of(0, 1),
  tested: Int32Array.of(2, 3),
};
const classified = (predicted: number[]): ClassificationMeasured => ({
  kind: 'classification',
  set: CLASSES,
  tested: CLASSES.tested,
  predicted: Int32Array.from(predicted),
  values: { accuracy: 0.5 },
  count: 2,
});

describe('scores', () => {
  it('stand side by side, the change relative to the other model', () => {
    const row = { set: 'p', task: 'sts', metric: 'sts', count: 3, value: 0.75, against: 0.8, change: 0.75 / 0.8 - 1 };
    expect(scoreRows(sts([], 0.75), sts([], 0.8))).toEqual([row]);
    expect(scoreRows(sts([], 0.75), undefined)[0]).not.toHaveProperty('change');
    expect(scoreRows(sts([], 0.75), sts([], -0.1))[0]?.change).toBeNaN();
  });
});

describe('agreement', () => {
  it('of rankings is what the first ten have in common', () => {
    const rows = agreementRows(retrieval([0, 1], [1], [1, 1]), retrieval([1, 2], [1], [1, 1]));
    expect(rows).toEqual([{ set: 'r', task: 'retrieval', measure: 'overlap', value: 0.75, count: 2 }]);
  });

  it('of texts is cosines, neighbours and the order of pairs', () => {
    const found = Object.fromEntries(agreementRows(NARROW, OTHER).map(({ measure, value }) => [measure, value]));
    expect(found).toEqual({
      cosine: expect.closeTo((1 + 0.96 + 1) / 3, 6),
      'cosine-p1': expect.closeTo(0.96, 6),
      'cosine-min': expect.closeTo(0.96, 6),
      overlap: 1,
      'pair-order': expect.closeTo(-1, 12),
    });
  });

  it('of vectors of different lengths is their neighbours alone', () => {
    expect(agreementRows(WIDE, NARROW).map(({ measure }) => measure)).toEqual(['overlap', 'pair-order']);
    expect(regressionsOf(WIDE, NARROW)).toEqual([]);
  });

  it('of different sets is a mistake', () => {
    expect(() => agreementRows(sts([], 1), retrieval([], [], []))).toThrow(RangeError);
    expect(() => regressionsOf(sts([], 1), retrieval([], [], []))).toThrow(RangeError);
  });
});

describe('regressions', () => {
  it('name the query, its scores and where its first relevant document went', () => {
    const falls = regressionsOf(retrieval([2, 0], [2], [0.63, 0]), retrieval([0], [1], [1, 1]));
    expect(falls.map(({ id, value, against }) => [id, value, against])).toEqual([
      ['q2', 0, 1],
      ['q1', 0.63, 1],
    ]);
    expect(falls[0]?.detail).toBe('first relevant document at place beyond 100, before 1; finds document d2 first');
    expect(regressionsOf(retrieval([0], [1], [1, 1]), retrieval([2, 0], [2], [0.63, 0]))).toEqual([]);
  });

  it('name the pair that stands furthest from its place', () => {
    const [fall, ...others] = regressionsOf(sts([0.9, 0.5, 0.6], 0.1), sts([0.1, 0.5, 0.9], 1));
    expect([fall?.id, fall?.text, fall?.value, others.length]).toEqual(['0', 'one | x', 0.9, 2]);
    expect(fall?.detail).toBe('2 places of 3 off where its score of 1 puts it, before 0');
  });

  it('name the text that is not told any more', () => {
    const fall = { set: 'c', task: 'classification', id: '2', text: 'y', value: 0, against: 1, measure: 'right' };
    expect(regressionsOf(classified([1, 1]), classified([0, 1]))).toEqual([{ ...fall, detail: 'taken for yes, and is no' }]);
  });
});

describe('the page', () => {
  const model = { name: `m ${EVIL}`, precision: 'int8', fingerprint: 'f' } as const;
  const a = { model, measured: [sts([0.9, 0.5, 0.6], 0.1), retrieval([2], [1], [0, 1])] };
  const b = { model, measured: [sts([0.1, 0.5, 0.9], 1), retrieval([0], [1], [1, 1])] };
  const terms = [{ name: 'sts', of: 'value', least: 0.5, text: 'sts>=0.5' } as const];

  it('is well-formed, runs nothing and fetches nothing, whatever texts say', () => {
    const page = evaluationHtml(reportOf(a, b, { terms, seconds: 1 }));
    expect(markupFault(page.slice(page.indexOf('<body>'), page.indexOf('</html>')).trim())).toBeUndefined();
    expect(page).not.toMatch(/<script|https?:\/\/|\u202e/);
    expect(page).toContain('NOT passed sts&gt;=0.5');
    expect(page).toContain('Worst regressions');
    expect(page).toContain('+25.000%');
  });

  it('has only what there is', () => {
    const page = evaluationHtml(reportOf({ model, measured: [sts([1, 2, 3], 1)] }, undefined, { terms: [], seconds: 1 }));
    expect(page).not.toContain('Worst regressions');
    expect(page).not.toContain('What the prompt is worth');
  });
});
