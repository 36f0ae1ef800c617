// What page and terminal say of a quantization in the same words: verdict, figures against thresholds, size, speed. Text only, unescaped.

import type { Comparison } from '../evaluate/score.js';
import { count, mebibytes } from '../format.js';
import type { GateFigures, GateThresholds, QuantizeReport, SpeedReport } from './report.js';

/** One figure that a threshold is set for. */
export interface Check {
  readonly what: string;
  readonly found: string;
  readonly least: string;
  readonly met: boolean;
}

/** Checks on held-out texts and on control text: cosines to the full-precision vectors, and neighbours. */
export function checksOf({ gate }: QuantizeReport): Check[] {
  const control = gate.control === undefined ? [] : checksOn(gate.control, gate.thresholds);
  return [...checksOn(gate, gate.thresholds), ...control.map((check) => ({ ...check, what: `${check.what}, control text` }))];
}

function checksOn({ cosine, overlap }: Pick<GateFigures, 'cosine' | 'overlap'>, thresholds: GateThresholds): Check[] {
  const cosines: [string, number, number][] = [
    ['mean cosine', cosine.mean, thresholds.mean],
    ['1st percentile of the cosines', cosine.p1, thresholds.p1],
    ['least cosine', cosine.minimum, thresholds.minimum],
  ];
  const checks = cosines.map(([what, found, least]) => ({ what, found: found.toFixed(5), least: String(least), met: found >= least }));
  const neighbours = { what: 'ten nearest neighbours kept', found: percent(overlap), least: limit(thresholds.overlap) };
  return [...checks, { ...neighbours, met: overlap >= thresholds.overlap }];
}

/** The columns of a labelled set: name, metric, full precision, INT8, share kept, least share. */
export interface EvaluatedRow extends Check {
  readonly metric: Comparison['metric'];
  readonly full: string;
  readonly int8: string;
  /** Retrieval: share of the nearest ten documents in common. */
  readonly overlap: string | undefined;
}

export function evaluatedRows({ gate }: QuantizeReport): EvaluatedRow[] {
  return gate.evaluated.map(({ set, metric, full, quantized, kept, overlap }) => ({
    what: set,
    metric,
    full: full.toFixed(5),
    int8: quantized.toFixed(5),
    overlap: overlap === undefined ? undefined : percent(overlap),
    found: percent(kept),
    least: limit(gate.thresholds.kept),
    met: kept >= gate.thresholds.kept,
  }));
}

/** The verdict in one line, without its figures. */
export function verdictOf(report: QuantizeReport): string {
  const checks = [...checksOf(report), ...evaluatedRows(report)];
  const { failures, passed } = report.gate;
  if (passed && failures.length === 0) return `Passed: all ${checks.length} thresholds are met`;
  return `${passed ? 'Passed, but' : 'Not passed:'} ${failures.length} of ${checks.length} thresholds ${failures.length === 1 ? 'is' : 'are'} not met`;
}

/** `127 MiB -> 34 MiB`, and the share that is left. */
export function sizeOf({ size }: QuantizeReport): { full: string; int8: string; share: string } {
  return { full: mebibytes(size.fullBytes), int8: mebibytes(size.int8Bytes), share: percent(size.int8Bytes / size.fullBytes) };
}

export interface SpeedFigures {
  /** Median tokens a second. */
  readonly full: string;
  readonly int8: string;
  readonly ratio: string;
  /** Of the rounds' ratios. */
  readonly slowest: string;
  readonly fastest: string;
  readonly rounds: number;
  readonly conditions: string;
}

export function speedOf({ speed }: QuantizeReport): SpeedFigures {
  const ratios = roundRatios(speed);
  const { rows, tokensPerText, threads } = speed;
  return {
    full: `${count(medianOf(speed.full))} tokens/s`,
    int8: `${count(medianOf(speed.int8))} tokens/s`,
    ratio: times(speed.ratio),
    slowest: times(Math.min(...ratios)),
    fastest: times(Math.max(...ratios)),
    rounds: ratios.length,
    conditions: `${rows} texts of ${tokensPerText} tokens, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
  };
}

/** A plain warning where INT8 is not faster; undefined where it is. */
export function speedWarning(report: QuantizeReport): string | undefined {
  // Not `ratio < 1`: a NaN must warn.
  if (report.speed.ratio >= 1) return undefined;
  const { ratio } = speedOf(report);
  return `INT8 is not faster on this machine: it runs at ${ratio} the speed of full precision. It saves memory and disk here, not time.`;
}

function roundRatios({ full, int8 }: SpeedReport): number[] {
  return int8.map((speed, round) => speed / (full[round] as number));
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

function times(ratio: number): string {
  return `${ratio.toFixed(2)}x`;
}

/** A share as `99.52%`. */
function percent(share: number): string {
  return `${(share * 100).toFixed(2)}%`;
}

/** A threshold as it was given: `90%`, `99.5%`. */
function limit(share: number): string {
  return `${Number((share * 100).toFixed(4))}%`;
}
