// Which rows of an output are embedded again: spread evenly, and the same ones every time.

/** Rows taken where nothing else is asked for: about a minute's work on two CPUs. */
export const DEFAULT_SAMPLE = 1000;

/** Whether a row is in an even sample of `size` out of `rows`; a size of 0 takes all. */
export function isSampled(row: number, rows: number, size: number): boolean {
  if (size === 0 || size >= rows) return true;
  return Math.floor(((row + 1) * size) / rows) > Math.floor((row * size) / rows);
}
