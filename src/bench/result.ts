// What a benchmark found, as it stands in its JSON file: every sample, what it ran on, and the figures made of them.
import type { Precision } from '../model/names.js';
import type { BaselineTurn } from './baseline.js';
import type { ClaimVerdict } from './claim.js';
import type { Figures } from './figures.js';
import type { Load, Machine } from './machine.js';
import type { OperationsByLength, OperatorClasses } from './operations.js';
import type { RoofTurn } from './protocol.js';
import type { Turn } from './turn.js';

export const RESULT_KIND = 'embedkit-bench';

export interface BenchResult {
  readonly kind: typeof RESULT_KIND;
  /** Version of this layout. */
  readonly format: 1;
  readonly options: ResultOptions;
  readonly machine: Machine;
  readonly before: Load;
  readonly after: Load;
  /** CPU time of the benchmark's own processes. */
  readonly own_seconds: number;
  /** What disturbed it; empty for a quiet run. */
  readonly noise: readonly string[];
  /** Why no more rounds were run. */
  readonly ended: 'narrow' | 'time' | 'rounds';
  readonly corpus: CorpusFacts | null;
  readonly variants: readonly VariantResult[];
  /** What the model has not, of what is measured where nothing else is asked for. */
  readonly absent: readonly Precision[];
  readonly baseline: BaselineResult | null;
  /** A turn a round. */
  readonly roof: readonly RoofTurn[];
  readonly claim: ClaimResult | null;
  readonly curves: readonly Curve[];
}

export interface ResultOptions {
  readonly threads: number;
  readonly batch: number;
  readonly tokens: number;
  readonly seconds: number;
  readonly turn_seconds: number;
  readonly within: number;
  readonly price_per_hour: number | null;
}

export interface CorpusFacts {
  readonly path: string;
  readonly rows: number;
  readonly texts: number;
  /** Of the sampled texts. */
  readonly tokens: { readonly total: number; readonly p10: number; readonly p50: number; readonly p90: number; readonly most: number };
}

export interface VariantResult {
  readonly name: string;
  readonly label: string;
  readonly model: string;
  readonly sha256: string;
  readonly bytes: number;
  /** Of one text. */
  readonly operations: OperationsByLength;
  /** One profiled pass of `rows` texts of `width` tokens, in one thread. */
  readonly profile: { readonly rows: number; readonly width: number; readonly classes: OperatorClasses };
  readonly turns: readonly Turn[];
  readonly figures: Figures;
  /** The median, where anything was measured: what `embedkit cost` reads. */
  readonly tokensPerSecond: number | null;
}

export interface BaselineResult {
  readonly url: string;
  readonly model: string;
  readonly turns: readonly BaselineTurn[];
  /** Why it was left out of later rounds. */
  readonly failed: string | null;
  readonly figures: Figures;
}

export interface ClaimResult {
  readonly text: string;
  readonly tokens: number;
  readonly verdicts: readonly (ClaimVerdict & { readonly variant: string })[];
}

/** One line of a plot: a variant's speed as something grows. */
export interface Curve {
  readonly variant: string;
  readonly along: 'threads' | 'tokens' | 'batch';
  readonly points: readonly CurvePoint[];
}

/** One entry a repetition. */
export interface CurvePoint {
  readonly at: number;
  readonly tokens_per_second: readonly number[];
  readonly texts_per_second: readonly number[];
}
