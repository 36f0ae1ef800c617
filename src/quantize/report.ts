// The report of a quantization: what was done, what it cost, by which numbers it was let through. Data only; written as JSON.
import type { Distribution } from '../evaluate/distribution.js';
import type { Comparison } from '../evaluate/score.js';
import type { WeightRange } from './weights.js';

export type { Distribution };

export interface SiteReport {
  /** Like `layer3.down`. */
  readonly name: string;
  readonly precision: 'int8' | 'fp32';
  /** Candidate that was chosen for pre-scaling, like `cap 0.25`; `none`. */
  readonly preScaling: string;
  /** Squared error of the site's products over their energy, on sampled rows: without and with pre-scaling. */
  readonly errorBefore: number;
  readonly errorAfter: number;
  /** Range that the 256 integers cover, after pre-scaling. */
  readonly low: number;
  readonly high: number;
  /** One a channel, over all calibration tokens, before pre-scaling. */
  readonly minima: readonly number[];
  readonly maxima: readonly number[];
}

export interface WorstText {
  /** At most 160 characters of it. */
  readonly text: string;
  readonly tokens: number;
  readonly cosine: number;
}

/** What a failure on control text begins with. */
export const ON_CONTROL = 'on control text: ';

export interface GateFigures {
  /** Cosine of each held-out text's INT8 vector to its full-precision one. */
  readonly cosine: Distribution;
  /** Mean share of each text's ten nearest held-out neighbours that stay the same. */
  readonly overlap: number;
  readonly cosines: readonly number[];
  readonly worst: readonly WorstText[];
  /** The same on control text, where there is any: text that the calibration had no part in, so that odd calibration text cannot pass itself. */
  readonly control?: { readonly texts: number; readonly cosine: Distribution; readonly overlap: number };
  /** What labelled sets say, where any were named. */
  readonly evaluated: readonly Comparison[];
  /** One sentence for each threshold that is not met; empty: passed. */
  readonly failures: readonly string[];
}

export interface GateThresholds {
  readonly mean: number;
  readonly p1: number;
  readonly minimum: number;
  readonly overlap: number;
  /** Least share of a metric of an evaluation set that must be kept. */
  readonly kept: number;
}

export interface SpeedReport {
  readonly tokensPerText: number;
  readonly rows: number;
  readonly threads: number;
  /** Tokens a second, one value a round; rounds alternate. */
  readonly full: readonly number[];
  readonly int8: readonly number[];
  /** Median of the rounds' ratios int8 / full. */
  readonly ratio: number;
}

export interface QuantizeReport {
  readonly name: string;
  readonly method: 'encoder' | 'portable';
  /** Why the portable path was taken, where it was. */
  readonly fallback?: string;
  readonly weights: WeightRange;
  readonly format: 'fused' | 'qdq';
  readonly calibration: {
    readonly files: readonly { readonly name: string; readonly sha256: string; readonly rows: number }[];
    readonly digest: string;
    readonly observedTexts: number;
    readonly observedTokens: number;
    readonly heldOutTexts: number;
    readonly dropped: { readonly blank: number; readonly notText: number };
  };
  readonly sites: readonly SiteReport[];
  readonly gate: GateFigures & { readonly thresholds: GateThresholds; readonly passed: boolean; readonly keptInFp32: readonly string[] };
  readonly size: { readonly fullBytes: number; readonly int8Bytes: number };
  readonly speed: SpeedReport;
  /** Stage -> seconds. */
  readonly seconds: Readonly<Record<string, number>>;
  readonly peakMemoryBytes: number;
  readonly machine: { readonly cpu: string; readonly flags: readonly string[]; readonly node: string; readonly runtime: string };
}
