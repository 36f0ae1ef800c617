// The arithmetic of repeated measurements: medians with their intervals, percentiles, ratios of two samples. Pure, and without chance.
import { medianSorted, quantileSorted } from 'simple-statistics';

/** A figure with its uncertainty. */
export interface Spread {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** How many measurements it rests on. */
  readonly samples: number;
  /** Chance that low..high holds the true value, were all like the measured ones: at least CONFIDENCE unless there are too few of them. */
  readonly confidence: number;
}

export const CONFIDENCE = 0.95;
/** What ratioOf may be asked for -> the quantile of the normal distribution on either side. */
const NORMAL_QUANTILES = { 0.95: 1.96, 0.99: 2.576 } as const;
const NORMAL_QUANTILE = NORMAL_QUANTILES[CONFIDENCE];

export type Confidence = keyof typeof NORMAL_QUANTILES;

/** From here on the normal distribution stands for the binomial one. */
const LARGE = 200;
/** Sizes up to which the rank distribution of two samples is counted out. */
const EXACT_RANKS = 30;

const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

export function median(values: readonly number[]): number {
  return medianSorted(ascending(values));
}

/**
 * The median of at least one value and its distribution-free interval between two of the values.
 * Source: Hahn and Meeker, Statistical Intervals, 5.2 (order statistics). Below six values they do not reach CONFIDENCE: then low and high are least and greatest.
 */
export function summarise(values: readonly number[]): Spread {
  const sorted = ascending(values);
  const { rank, confidence } = medianRank(sorted.length);
  const [low, high] = [sorted[rank - 1] as number, sorted[sorted.length - rank] as number];
  return { value: medianSorted(sorted), low, high, samples: sorted.length, confidence };
}

/** The greatest k such that the k-th value from either end encloses the median with CONFIDENCE; 1 where none does. */
function medianRank(count: number): { rank: number; confidence: number } {
  if (count > LARGE) {
    const rank = Math.floor(count / 2 - (NORMAL_QUANTILE * Math.sqrt(count)) / 2);
    return { rank, confidence: CONFIDENCE };
  }
  let [below, term] = [0, 0.5 ** count];
  for (let rank = 0; ; rank++) {
    // `below` is the chance that at most rank - 1 of the values lie under the median.
    const next = below + term;
    if (rank > 0 && 1 - 2 * next < CONFIDENCE) return { rank, confidence: Math.max(0, 1 - 2 * below) };
    below = next;
    term *= (count - rank) / (rank + 1);
  }
}

/** A share of the values, 0.99 say, lies at or below it; undefined where there are too few values to have one beyond it. */
export function percentile(values: readonly number[], share: number): Spread | undefined {
  // Rounded: 100 x (1 - 0.99) is a little more than 1.
  if (Math.round(values.length * (1 - share) * 1e6) < 1e6) return undefined;
  const sorted = ascending(values);
  const middle = sorted.length * share;
  const reach = NORMAL_QUANTILE * Math.sqrt(middle * (1 - share));
  const at = (rank: number): number => sorted[Math.min(sorted.length - 1, Math.max(0, rank))] as number;
  const [low, high] = [at(Math.floor(middle - reach) - 1), at(Math.ceil(middle + reach))];
  return { value: quantileSorted(sorted, share), low, high, samples: sorted.length, confidence: CONFIDENCE };
}

/**
 * How many times `a` is of `b`, two independent samples of positive values: the median of all ratios of one of `a` to one of `b`, with the interval that the
 * rank-sum test would not reject. Source: Hodges and Lehmann (1963) on logarithms; Hollander and Wolfe, Nonparametric Statistical Methods, 4.3.
 */
export function ratioOf(a: readonly number[], b: readonly number[], wanted: Confidence = CONFIDENCE): Spread {
  const ratios = ascending(a.flatMap((one) => b.map((other) => one / other)));
  const { rank, confidence } = ratioRank(a.length, b.length, wanted);
  const [low, high] = [ratios[rank - 1] as number, ratios[ratios.length - rank] as number];
  return { value: medianSorted(ratios), low, high, samples: Math.min(a.length, b.length), confidence };
}

function ratioRank(m: number, n: number, wanted: Confidence): { rank: number; confidence: number } {
  if (Math.max(m, n) > EXACT_RANKS) {
    const rank = Math.floor((m * n) / 2 - NORMAL_QUANTILES[wanted] * Math.sqrt((m * n * (m + n + 1)) / 12));
    return { rank: Math.max(1, rank), confidence: rank < 1 ? 0 : wanted };
  }
  const ways = rankSumWays(m, n);
  const all = ways.reduce((sum, one) => sum + one, 0);
  let below = (ways[0] as number) / all;
  if (1 - 2 * below < wanted) return { rank: 1, confidence: Math.max(0, 1 - 2 * below) };
  for (let rank = 1; ; rank++) {
    const next = below + (ways[rank] ?? 0) / all;
    if (1 - 2 * next < wanted) return { rank, confidence: 1 - 2 * below };
    below = next;
  }
}

/** How many of the orders of m and n values have 0, 1, 2 ... pairs in which the second sample's comes first: the Mann-Whitney distribution. */
function rankSumWays(m: number, n: number): number[] {
  // A partition into at most m parts of at most n each: the coefficients of the Gaussian binomial, factor by factor.
  let ways = [1];
  for (let part = 1; part <= m; part++) ways = divided(multiplied(ways, n + part), part);
  return ways.slice(0, m * n + 1);
}

/** Times (1 - q^step). */
function multiplied(series: readonly number[], step: number): number[] {
  return Array.from({ length: series.length + step }, (_, at) => (series[at] ?? 0) - (series[at - step] ?? 0));
}

/** By (1 - q^step), exactly. */
function divided(series: readonly number[], step: number): number[] {
  const quotient: number[] = [];
  for (let at = 0; at < series.length; at++) quotient.push((series[at] as number) + (quotient[at - step] ?? 0));
  return quotient.slice(0, series.length - step);
}

/** Half the interval over the value: 0.02 reads as ±2%. Infinite where the interval does not reach CONFIDENCE. */
export function relativeWidth({ value, low, high, confidence }: Spread): number {
  return confidence < CONFIDENCE ? Number.POSITIVE_INFINITY : (high - low) / 2 / value;
}
