// Spearman's rank correlation. Pure; knows nothing of texts or vectors.

/**
 * Spearman's rho of n paired values: Pearson's correlation of their ranks, ties sharing the mean of their ranks, as SciPy's
 * spearmanr gives it. NaN where either side is constant, has fewer than two values or holds a NaN.
 * @throws RangeError for sides of different length
 */
export function spearman(a: Float64Array, b: Float64Array): number {
  if (a.length !== b.length) throw new RangeError(`${a.length} values against ${b.length}`);
  if (a.some(Number.isNaN) || b.some(Number.isNaN)) return Number.NaN;
  return correlation(averageRanks(a), averageRanks(b), (a.length + 1) / 2);
}

/** Ranks from 1 for the least; equal values share the mean of the ranks they cover. */
export function averageRanks(values: Float64Array): Float64Array {
  const order = Uint32Array.from(values.keys()).sort((left, right) => (values[left] as number) - (values[right] as number));
  const ranks = new Float64Array(values.length);
  for (let start = 0, end = 0; start < order.length; start = end) {
    const value = values[order[start] as number];
    end = start + 1;
    while (end < order.length && values[order[end] as number] === value) end++;
    const rank = (start + 1 + end) / 2;
    for (let at = start; at < end; at++) ranks[order[at] as number] = rank;
  }
  return ranks;
}

/** Pearson's correlation of two sides with the same mean. */
function correlation(a: Float64Array, b: Float64Array, mean: number): number {
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let index = 0; index < a.length; index++) {
    const x = (a[index] as number) - mean;
    const y = (b[index] as number) - mean;
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return Math.max(-1, Math.min(1, ab / (Math.sqrt(aa) * Math.sqrt(bb))));
}
