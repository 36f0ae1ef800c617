// Whether a quantized model may be shipped: its vectors held against full precision, and the thresholds. Pure.

import { distributionOf, rising } from '../evaluate/distribution.js';
import { nearestOthers, overlap } from '../evaluate/neighbours.js';
import type { Comparison } from '../evaluate/score.js';
import { NEIGHBOURS } from '../evaluate/score.js';
import { cosine, type Matrix, rowOf } from '../vectors/matrix.js';
import type { GateFigures, GateThresholds, WorstText } from './report.js';

export const DEFAULT_THRESHOLDS: GateThresholds = { mean: 0.998, p1: 0.995, minimum: 0.98, overlap: 0.9, kept: 0.99 };

/** A text that was held out of calibration. */
export interface HeldOutText {
  readonly text: string;
  readonly tokens: number;
}

const WORST_TEXTS = 10;
const QUOTED_CHARACTERS = 160;

/**
 * Figures and verdict.
 * @param full texts.length x dim vectors in full precision
 * @param int8 the same texts' vectors from the quantized model
 */
export function judge(
  texts: readonly HeldOutText[],
  full: Matrix,
  int8: Matrix,
  evaluated: readonly Comparison[],
  thresholds: GateThresholds,
): GateFigures {
  const cosines = texts.map((_, row) => cosine(rowOf(full, row), rowOf(int8, row)));
  const figures = {
    cosine: distributionOf(cosines),
    overlap: neighbourOverlap(full, int8),
    cosines,
    worst: worstTexts(texts, cosines),
    evaluated,
  };
  return { ...figures, failures: failuresOf(figures, thresholds) };
}

/** Mean share of each text's nearest ten others that both precisions agree on; 1 where there is a single text. */
function neighbourOverlap(full: Matrix, int8: Matrix): number {
  const count = Math.min(NEIGHBOURS, full.rows - 1);
  if (count < 1) return 1;
  return overlap(nearestOthers(full, count), nearestOthers(int8, count), count);
}

function worstTexts(texts: readonly HeldOutText[], cosines: readonly number[]): WorstText[] {
  const order = texts.map((_, row) => row).sort((a, b) => rising(cosines[a] as number, cosines[b] as number));
  return order.slice(0, WORST_TEXTS).map((row) => {
    const { text, tokens } = texts[row] as HeldOutText;
    return { text: text.slice(0, QUOTED_CHARACTERS), tokens, cosine: cosines[row] as number };
  });
}

function failuresOf(figures: Pick<GateFigures, 'cosine' | 'overlap' | 'evaluated'>, thresholds: GateThresholds): string[] {
  const checks: [string, number, number][] = [
    ['mean cosine', figures.cosine.mean, thresholds.mean],
    ['1st percentile of the cosines', figures.cosine.p1, thresholds.p1],
    ['least cosine', figures.cosine.minimum, thresholds.minimum],
    ['share of nearest neighbours kept', figures.overlap, thresholds.overlap],
    ...figures.evaluated.map(({ set, metric, kept }): [string, number, number] => [
      `share of ${metric} kept on ${set}`,
      kept,
      thresholds.kept,
    ]),
  ];
  // Not `found < least`: a NaN must fail.
  return checks
    .filter(([, found, least]) => !(found >= least))
    .map(([what, found, least]) => `${what} ${found.toFixed(5)} is below ${least}`);
}
