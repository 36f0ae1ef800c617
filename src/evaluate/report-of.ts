// What one or two models got on the same sets becomes the report. Embeds nothing.
import { count, countOf } from '../format.js';
import { machineFacts } from '../machine.js';
import { agreementRows, scoreRows, textCosines } from './compare.js';
import { failuresOf } from './gate.js';
import type { GateTerm } from './gate-terms.js';
import type { Measured } from './measured.js';
import { regressionsOf } from './regressions.js';
import type { EvaluationReport, ModelFacts, StorageRow } from './report.js';

export interface MeasuredModel {
  readonly model: ModelFacts;
  /** One a set. */
  readonly measured: readonly Measured[];
}

/** Throws RangeError where the two were measured on different sets. */
export function reportOf(
  { model, measured }: MeasuredModel,
  other: MeasuredModel | undefined,
  { terms, seconds }: { readonly terms: readonly GateTerm[]; readonly seconds: number },
): EvaluationReport {
  const scores = measured.flatMap((one, at) => scoreRows(one, other?.measured[at]));
  const pairs = other === undefined ? [] : measured.map((one, at) => [one, other.measured[at] as Measured] as const);
  const agreement = pairs.flatMap(([a, b]) => agreementRows(a, b));
  return {
    model,
    against: other?.model ?? null,
    scores,
    agreement,
    prompts: measured.flatMap((one) => (one.kind === 'retrieval' ? [{ set: one.set.name, scores: one.prompts }] : [])),
    storages: measured.flatMap(storageRows),
    worst: pairs.flatMap(([a, b]) => regressionsOf(a, b)),
    gate: { terms, failures: failuresOf(terms, scores, agreement) },
    notes: measured.flatMap((one, at) => notesOf(one, other?.measured[at])),
    machine: machineFacts(),
    seconds,
  };
}

function storageRows(one: Measured): StorageRow[] {
  if (one.kind !== 'retrieval') return [];
  const full = one.values.ndcg ?? 0;
  return one.storages.map((score) => ({ set: one.set.name, ...score, change: full > 0 ? score.ndcg / full - 1 : Number.NaN }));
}

function notesOf(one: Measured, other: Measured | undefined): string[] {
  if (one.kind !== 'texts') return [];
  const { name, rows, used } = one.set;
  const left = rows > used ? [`${name}: ${count(used)} of its ${countOf(rows, 'row')} were used, spread evenly`] : [];
  if (other?.kind !== 'texts' || textCosines(one, other) !== undefined) return left;
  return [...left, `${name}: the models' vectors have ${one.vectors.dim} and ${other.vectors.dim} values, so only neighbours are compared`];
}
