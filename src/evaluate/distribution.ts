// Mean, 1st percentile and least of some values. Pure.

export interface Distribution {
  readonly mean: number;
  /** 1st percentile. */
  readonly p1: number;
  readonly minimum: number;
}

/** The 1st percentile is the nearest rank: of n values, the ceil(n/100)-th least. */
export function distributionOf(values: readonly number[]): Distribution {
  const sorted = [...values].sort(rising);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, p1: sorted[Math.ceil(sorted.length / 100) - 1] as number, minimum: sorted[0] as number };
}

/** NaN first, for nothing is worse; plain differences would leave it, and its neighbours, anywhere. */
export function rising(a: number, b: number): number {
  return Number(Number.isNaN(b)) - Number(Number.isNaN(a)) || a - b;
}
