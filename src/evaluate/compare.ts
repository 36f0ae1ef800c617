// Two models on the same set: scores side by side, and how far they agree. Pure.
import { cosine, type Matrix, rowOf } from '../vectors/matrix.js';
import { distributionOf } from './distribution.js';
import { type Agreement, HITS, type Measured, type Metric, type TextsMeasured } from './measured.js';
import { nearestOthers, overlap } from './neighbours.js';
import type { AgreementRow, ScoreRow } from './report.js';
import { spearman } from './spearman.js';

/** Neighbours that are compared. */
const NEIGHBOURS = 10;

/** The scores of a model, beside those of the other one on the same set. */
export function scoreRows(measured: Measured, against: Measured | undefined): ScoreRow[] {
  const { set, kind: task, values, count } = measured;
  return (Object.entries(values) as [Metric, number][]).map(([metric, value]) => {
    const row = { set: set.name, task, metric, count, value };
    const other = against?.values[metric];
    return other === undefined ? row : { ...row, against: other, change: other > 0 ? value / other - 1 : Number.NaN };
  });
}

type RowOf = (measure: Agreement, value: number, count: number) => AgreementRow;

/** How far two models agree on a set. Throws RangeError for measurements of different sets. */
export function agreementRows(a: Measured, b: Measured): AgreementRow[] {
  if (a.set.name !== b.set.name) throw new RangeError(`measured on ${a.set.name} and on ${b.set.name}`);
  const row: RowOf = (measure, value, count) => ({ set: a.set.name, task: a.kind, measure, value, count });
  if (a.kind === 'retrieval' && b.kind === 'retrieval') {
    return [row('overlap', overlap(firstOf(a.ranking), firstOf(b.ranking), NEIGHBOURS), a.count)];
  }
  if (a.kind === 'sts' && b.kind === 'sts') return [row('pair-order', orderOf(a.cosines, b.cosines), a.count)];
  return a.kind === 'texts' && b.kind === 'texts' ? textAgreement(a, b, row) : [];
}

function textAgreement(a: TextsMeasured, b: TextsMeasured, row: RowOf): AgreementRow[] {
  const count = a.set.texts.length;
  const nearest = Math.min(NEIGHBOURS, count - 1);
  const common = row('overlap', overlap(nearestOthers(a.vectors, nearest), nearestOthers(b.vectors, nearest), nearest), count);
  const pairs = a.set.pairs.length / 2;
  const order = pairs < 2 ? [] : [row('pair-order', orderOf(pairsOf(a.vectors, a.set.pairs), pairsOf(b.vectors, b.set.pairs)), pairs)];
  const cosines = textCosines(a, b);
  if (cosines === undefined) return [common, ...order];
  const { mean, p1, minimum } = distributionOf(cosines);
  return [row('cosine', mean, count), row('cosine-p1', p1, count), row('cosine-min', minimum, count), common, ...order];
}

/** The cosine of each text's two vectors; undefined for models of different dim, whose vectors share no space. */
export function textCosines(a: TextsMeasured, b: TextsMeasured): number[] | undefined {
  if (a.vectors.dim !== b.vectors.dim) return undefined;
  return a.set.texts.map((_, text) => cosine(rowOf(a.vectors, text), rowOf(b.vectors, text)));
}

function pairsOf(vectors: Matrix, pairs: Int32Array): Float64Array {
  return Float64Array.from({ length: pairs.length / 2 }, (_, pair) =>
    cosine(rowOf(vectors, pairs[pair * 2] as number), rowOf(vectors, pairs[pair * 2 + 1] as number)),
  );
}

/** 0 where one side tells no pair from another. */
function orderOf(a: Float64Array, b: Float64Array): number {
  const rho = spearman(a, b);
  return Number.isNaN(rho) ? 0 : rho;
}

/** queries x HITS rows -> queries x NEIGHBOURS. */
function firstOf(ranking: Int32Array): Int32Array {
  return ranking.filter((_, at) => at % HITS < NEIGHBOURS);
}
