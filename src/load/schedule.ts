// When requests are due: a Poisson process, as independent users make it. Pure: the same seed gives the same times.
import { randomFrom } from './random.js';

/**
 * Times from the start in milliseconds, ascending, all before the end. Gaps are exponential: bursts and lulls included, which evenly
 * spaced requests would hide.
 */
export function arrivals(ratePerSecond: number, seconds: number, seed: number): Float64Array {
  const random = randomFrom(seed);
  const times: number[] = [];
  let at = 0;
  while (true) {
    at += (-Math.log(1 - random()) * 1000) / ratePerSecond;
    if (at >= seconds * 1000) return Float64Array.from(times);
    times.push(at);
  }
}
