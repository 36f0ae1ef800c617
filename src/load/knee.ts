// Which rate comes next, and where the knee is: the highest rate that the server keeps up with. Pure.

export interface Tried {
  readonly rate: number;
  readonly kept_up: boolean;
}

const FIRST_RATE = 4;
/** The knee is told to within this factor. */
const NARROW = 1.08;
const MOST_STEPS = 20;

/** The next of the given rates, lowest first, until one is too much; without given rates, doubling and then halving the gap. */
export function nextRate(rates: readonly number[] | undefined, tried: readonly Tried[], mostRate: number): number | undefined {
  const best = kneeOf(tried);
  const tooMuch = leastTooMuch(tried);
  if (rates !== undefined) return Number.isFinite(tooMuch) ? undefined : [...rates].sort((a, b) => a - b)[tried.length];
  if (tried.length >= MOST_STEPS) return undefined;
  if (!Number.isFinite(tooMuch)) {
    const next = best === undefined ? FIRST_RATE : best * 2;
    return next <= mostRate ? next : undefined;
  }
  // Even the first rate was too much: seek downwards.
  if (best === undefined) return tooMuch > FIRST_RATE / 64 ? tooMuch / 2 : undefined;
  return tooMuch / best > NARROW ? Math.sqrt(best * tooMuch) : undefined;
}

/** The highest rate below which all were kept up with; undefined where none was. */
export function kneeOf(tried: readonly Tried[]): number | undefined {
  const tooMuch = leastTooMuch(tried);
  const kept = tried.filter(({ rate, kept_up }) => kept_up && rate < tooMuch).map(({ rate }) => rate);
  return kept.length === 0 ? undefined : Math.max(...kept);
}

function leastTooMuch(tried: readonly Tried[]): number {
  return Math.min(...tried.filter(({ kept_up }) => !kept_up).map(({ rate }) => rate));
}
