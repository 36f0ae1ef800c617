// Families of pre-scaling divisors: candidates for what each input channel is divided by before it is quantized. Pure.
import { magnitudesOf, type Observation } from './observation.js';

export interface Candidate {
  /** What a report calls it. */
  readonly name: string;
  /** One a channel; undefined: no pre-scaling. */
  readonly divisor: Float32Array | undefined;
}

const CAPS = [0.5, 0.35, 0.25, 0.18, 0.125, 0.09, 0.0625];
const POWERS = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
// Channels that hardly move would be blown up without end.
const LEAST_SHARE = 1e-3;

/**
 * Candidates for a site. cap f: channels whose largest magnitude is above f times the top one are brought down to that.
 * power a: magnitude^a / weight^(1-a), normalised to the largest. Source of the second family: Xiao et al. 2022, SmoothQuant.
 * @param weightRows one a channel: largest magnitude of the weights that the channel meets
 */
export function divisorCandidates(observation: Observation, weightRows: Float32Array): Candidate[] {
  const magnitudes = magnitudesOf(observation);
  // An input of zeros has no largest: any would do but 0, which makes NaN.
  const top = magnitudes.reduce((a, b) => Math.max(a, b), 0) || 1;
  const caps = CAPS.map((share) => ({ name: `cap ${share}`, divisor: magnitudes.map((value) => Math.max(1, value / (share * top))) }));
  const powers = POWERS.map((power) => ({ name: `power ${power}`, divisor: powerDivisor(magnitudes, weightRows, power) }));
  return [{ name: 'none', divisor: undefined }, ...caps, ...powers];
}

function powerDivisor(magnitudes: Float32Array, weightRows: Float32Array, power: number): Float32Array {
  const top = magnitudes.reduce((a, b) => Math.max(a, b), 0) || 1;
  const topWeight = weightRows.reduce((a, b) => Math.max(a, b), 0) || 1;
  const raw = magnitudes.map((value, at) => {
    const share = Math.max(value / top, LEAST_SHARE);
    const weight = Math.max((weightRows[at] as number) / topWeight, LEAST_SHARE);
    return share ** power / weight ** (1 - power);
  });
  const largest = raw.reduce((a, b) => Math.max(a, b), 0);
  return raw.map((value) => value / largest);
}

// What the neighbourhood of the best is made of: its cap or power moved a little, and a second family laid over it in part.
const FINER = [0.7, 0.84, 1.2, 1.43];
const BLENDS = [0.25, 0.5];

/** Candidates around the best of `ranked`: each channel's exponent stretched, and the runner-up of another family mixed in. */
export function refinedCandidates(ranked: readonly { readonly candidate: Candidate }[]): Candidate[] {
  const best = ranked[0]?.candidate;
  if (best?.divisor === undefined) return [];
  const divisor = best.divisor;
  const stretched = FINER.map((power) => ({ name: `${best.name} ^${power}`, divisor: divisor.map((value) => value ** power) }));
  const family = best.name.split(' ')[0];
  const other = ranked.find(({ candidate }) => candidate.divisor !== undefined && candidate.name.split(' ')[0] !== family)?.candidate;
  if (other?.divisor === undefined) return stretched;
  const mixed = BLENDS.map((share) => ({
    name: `${best.name} x ${other.name} ^${share}`,
    divisor: blend(divisor, other.divisor as Float32Array, share),
  }));
  return [...stretched, ...mixed];
}

/** Geometric mean, weighted. */
function blend(a: Float32Array, b: Float32Array, share: number): Float32Array {
  return a.map((value, at) => value ** (1 - share) * (b[at] as number) ** share);
}
