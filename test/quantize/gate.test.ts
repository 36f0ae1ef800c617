// The gate's figures on matrices made up so that they can be worked out by hand, and each threshold by itself.
import { describe, expect, it } from 'vitest';
import { distributionOf } from '#src/evaluate/distribution.js';
import type { Comparison } from '#src/evaluate/score.js';
import { DEFAULT_THRESHOLDS, type HeldOutText, judge } from '#src/quantize/gate.js';
import type { GateThresholds } from '#src/quantize/report.js';
import type { Matrix } from '#src/vectors/matrix.js';

const NONE: GateThresholds = { mean: -1, p1: -1, minimum: -1, overlap: 0, kept: 0 };

function matrixOf(rows: readonly (readonly number[])[]): Matrix {
  return { rows: rows.length, dim: rows[0]?.length ?? 0, data: Float32Array.from(rows.flat()) };
}

function textsOf(count: number): HeldOutText[] {
  return Array.from({ length: count }, (_, at) => ({ text: `text ${at}`, tokens: at + 3 }));
}

/** A unit vector at an angle, in degrees. */
function at(degrees: number): [number, number] {
  return [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
}

/** Texts spread over a half circle; the second matrix turned by these angles. */
function turned(angles: readonly number[]): { texts: HeldOutText[]; full: Matrix; int8: Matrix } {
  const places = angles.map((_, row) => (row * 180) / angles.length);
  return {
    texts: textsOf(angles.length),
    full: matrixOf(places.map(at)),
    int8: matrixOf(places.map((place, row) => at(place + (angles[row] as number)))),
  };
}

function compared(kept: number, set = 'sts'): Comparison {
  return { set, metric: 'spearman', full: 0.8, quantized: 0.8 * kept, kept };
}

describe('judge', () => {
  it('takes the cosine of each text, their mean, least and order', () => {
    const { texts, full, int8 } = turned([0, 60, 90, 30]);
    const figures = judge(texts, full, int8, [], NONE);
    const expected = [1, 0.5, 0, Math.sqrt(3) / 2];
    figures.cosines.forEach((value, row) => {
      expect(value).toBeCloseTo(expected[row] as number, 6);
    });
    expect(figures.cosine.mean).toBeCloseTo((1.5 + Math.sqrt(3) / 2) / 4, 6);
    expect(figures.cosine.minimum).toBe(figures.cosines[2]);
    expect(figures.worst.map(({ text, tokens }) => [text, tokens])).toEqual([
      ['text 2', 5],
      ['text 1', 4],
      ['text 3', 6],
      ['text 0', 3],
    ]);
    expect(figures.worst.map(({ cosine }) => cosine)).toEqual([2, 1, 3, 0].map((row) => figures.cosines[row]));
    expect(figures.failures).toEqual([]);
  });

  it('is deaf to length', () => {
    const { texts, full, int8 } = turned([0, 10, 20]);
    const longer = { ...int8, data: int8.data.map((value) => value * 7) };
    judge(texts, full, longer, [], NONE).cosines.forEach((value, row) => {
      expect(value).toBeCloseTo(judge(texts, full, int8, [], NONE).cosines[row] as number, 6);
    });
  });

  it('quotes ten texts and 160 characters at most', () => {
    const { full, int8 } = turned(Array.from({ length: 14 }, (_, row) => row));
    const texts = textsOf(14).map((text) => ({ ...text, text: 'x'.repeat(500) }));
    const { worst } = judge(texts, full, int8, [], NONE);
    expect(worst).toHaveLength(10);
    expect(worst.every(({ text }) => text === 'x'.repeat(160))).toBe(true);
    expect(worst.map(({ tokens }) => tokens)).toEqual([16, 15, 14, 13, 12, 11, 10, 9, 8, 7]);
  });
});

describe('neighbour overlap', () => {
  it.each([1, 2, 5, 10, 11, 12, 40])('is 1 for %d texts whose vectors are the same', (count) => {
    const { texts, full } = turned(new Array(count).fill(0));
    expect(judge(texts, full, full, [], DEFAULT_THRESHOLDS)).toMatchObject({ overlap: 1, failures: [] });
  });

  it('is 1 where fewer than ten others are there to be found, for all of them are', () => {
    const { texts, full, int8 } = turned([50, 0, 120, 70, 3]);
    expect(judge(texts, full, int8, [], NONE).overlap).toBe(1);
  });

  it('counts whom both precisions have among the ten nearest', () => {
    // Twelve texts: each of the first eleven has ten others of its cluster. Then text 11 comes where text 10 was.
    const near = Array.from({ length: 11 }, (_, row) => row);
    const full = matrixOf([...near.map(at), at(90)]);
    const int8 = matrixOf([...near.slice(0, 10).map(at), at(90), at(10)]);
    const { overlap } = judge(textsOf(12), full, int8, [], NONE);
    // Of texts 0 to 9 nine of ten stay. Text 10's ten were 0 to 9; at 90 degrees its nearest are 11 and 9 down to 1, nine of
    // them. Text 11's were 10 and 9 down to 1; at 10 degrees they are 0 to 9, again nine.
    expect(overlap).toBeCloseTo(0.9, 12);
  });

  it('does not count a text as a neighbour of itself, nor of its double', () => {
    const places = [0, 0, 0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50];
    const full = matrixOf(places.map(at));
    expect(judge(textsOf(13), full, full, [], NONE).overlap).toBe(1);
  });
});

describe('distributionOf', () => {
  it.each([
    [1, 0],
    [2, 0],
    [100, 0],
    [101, 1],
    [200, 1],
    [201, 2],
    [1000, 9],
  ])('of %d values takes the one of rank %d, from 0, as the 1st percentile', (count, rank) => {
    // Descending, so that the order given is not the order sorted; and beyond ten, where sorting as text would go wrong.
    const values = Array.from({ length: count }, (_, place) => count - 1 - place);
    expect(distributionOf(values)).toEqual({ mean: (count - 1) / 2, p1: rank, minimum: 0 });
  });

  it('leaves the values in their order', () => {
    const values = [3, 1, 2];
    distributionOf(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('thresholds', () => {
  const { texts, full, int8 } = turned(Array.from({ length: 20 }, (_, row) => row));
  const figures = judge(texts, full, int8, [compared(0.97), compared(0.9, 'other')], NONE);

  it.each([
    ['mean', figures.cosine.mean, 'mean cosine'],
    ['p1', figures.cosine.p1, '1st percentile of the cosines'],
    ['minimum', figures.cosine.minimum, 'least cosine'],
    ['overlap', figures.overlap, 'share of nearest neighbours kept'],
  ] as const)('%s by itself makes its one sentence, and exactly met makes none', (name, found, sentence) => {
    expect(judge(texts, full, int8, [], { ...NONE, [name]: found }).failures).toEqual([]);
    const above = found + 1e-9;
    expect(judge(texts, full, int8, [], { ...NONE, [name]: above }).failures).toEqual([
      `${sentence} ${found.toFixed(5)} is below ${above}`,
    ]);
  });

  it('kept makes one sentence for each set below it', () => {
    const failures = (kept: number) => judge(texts, full, int8, [compared(0.97), compared(0.9, 'other')], { ...NONE, kept }).failures;
    expect(failures(0.9)).toEqual([]);
    expect(failures(0.95)).toEqual(['share of spearman kept on other 0.90000 is below 0.95']);
    expect(failures(0.99)).toEqual([
      'share of spearman kept on sts 0.97000 is below 0.99',
      'share of spearman kept on other 0.90000 is below 0.99',
    ]);
  });

  it('fail together, in one order', () => {
    const all = judge(texts, full, int8, [compared(0.5)], { mean: 2, p1: 2, minimum: 2, overlap: 2, kept: 2 }).failures;
    expect(all.map((one) => one.replace(/ [\d.-]+ is below 2$/, ''))).toEqual([
      'mean cosine',
      '1st percentile of the cosines',
      'least cosine',
      'share of nearest neighbours kept',
      'share of spearman kept on sts',
    ]);
  });

  it.each(['first', 'last'] as const)('a vector of NaN in the %s row fails every cosine', (which) => {
    const broken = { ...int8, data: int8.data.slice() };
    broken.data[which === 'first' ? 0 : broken.data.length - 1] = Number.NaN;
    const { failures } = judge(texts, full, broken, [], { ...NONE, mean: 0.1, p1: 0.1, minimum: 0.1 });
    const found = ['mean cosine', '1st percentile of the cosines', 'least cosine'];
    expect(failures).toEqual(found.map((one) => `${one} NaN is below 0.1`));
  });

  it.each([0, 7, 19])('a vector of NaN in row %d is the worst text, before the others in their order', (row) => {
    const broken = { ...int8, data: int8.data.slice() };
    broken.data[row * 2] = Number.NaN;
    const others = Array.from({ length: 20 }, (_, place) => 19 - place).filter((place) => place !== row);
    const { worst } = judge(texts, full, broken, [], NONE);
    expect(worst.map(({ text }) => text)).toEqual([row, ...others].slice(0, 10).map((place) => `text ${place}`));
  });

  it('a vector of zeros, which has no direction, fails', () => {
    const broken = { ...int8, data: int8.data.slice().fill(0, 4, 6) };
    expect(judge(texts, full, broken, [], { ...NONE, mean: 0 }).failures[0]).toBe('mean cosine NaN is below 0');
  });

  it('a share that is NaN fails', () => {
    expect(judge(texts, full, int8, [compared(Number.NaN)], NONE).failures).toEqual(['share of spearman kept on sts NaN is below 0']);
  });

  it('let nearly equal vectors through by default, and no others', () => {
    expect(judge(texts, full, full, [compared(1)], DEFAULT_THRESHOLDS).failures).toEqual([]);
    expect(judge(texts, full, int8, [compared(0.5)], DEFAULT_THRESHOLDS).failures.length).toBeGreaterThan(2);
  });
});
