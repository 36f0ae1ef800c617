// Which terms of an evaluation's gate do not hold. Pure.
import type { GateTerm } from './gate-terms.js';
import type { AgreementRow, ScoreRow } from './report.js';

/** One sentence for each figure below its term; a figure that is not a number fails. */
export function failuresOf(terms: readonly GateTerm[], scores: readonly ScoreRow[], agreement: readonly AgreementRow[]): string[] {
  return terms.flatMap((term) => {
    const figure = (row: ScoreRow): number | undefined => (term.of === 'change' ? row.change : row.value);
    const rows = [
      ...scores.filter(({ metric }) => metric === term.name).map((row) => ({ set: row.set, found: figure(row) })),
      ...agreement.filter(({ measure }) => measure === term.name).map((row) => ({ set: row.set, found: row.value })),
    ];
    return rows
      .filter(({ found = Number.NaN }) => !(found >= term.least))
      .map(({ set, found = Number.NaN }) => `${term.name} on ${set}: ${shown(found, term.of)}, and ${term.text} was asked for`);
  });
}

function shown(found: number, of: GateTerm['of']): string {
  if (Number.isNaN(found)) return 'no number';
  return of === 'change' ? `${found < 0 ? '' : '+'}${(found * 100).toFixed(3)}%` : found.toFixed(5);
}
