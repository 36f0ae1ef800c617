// What a terminal shows of an evaluation: scores side by side, agreement, prompts, and what fell most. Plain text.
import type { EvaluationReport, Regression } from '../evaluate/report.js';
import { agreementCells, promptCells, scoreCells, storageCells, verdictOf } from '../evaluate/report-words.js';
import { printable } from '../format.js';
import { alignedRows } from './columns-of-text.js';

/** Of each set; the page has ten. */
const SHOWN = 3;

/** Lines without a line feed at the end. */
export function evaluationTable(report: EvaluationReport): string {
  const { scores, agreement, prompts, storages, gate, notes, against } = report;
  const beside = against === null ? [] : ['against', 'change'];
  const lines = [
    [printable(verdictOf(report)), ...gate.failures.map((failure) => `  - ${printable(failure)}`)],
    table(['set', 'metric', 'count', 'score', ...beside], scores.map(scoreCells), 2),
    table(['set', 'agreement', 'count', 'value'], agreement.map(agreementCells), 2),
    table(['set', 'query prompt', 'text', 'nDCG@10', 'worth'], prompts.flatMap(promptCells), 3),
    table(['set', 'stored as', 'compared', 'bytes a vector', 'nDCG@10', 'change'], storages.map(storageCells), 3),
    worstLines(report.worst),
    notes.map(printable),
  ];
  return lines
    .filter((part) => part.length > 0)
    .map((part) => part.join('\n'))
    .join('\n\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[], words: number): string[] {
  return rows.length === 0 ? [] : alignedRows([head, ...rows], words);
}

function worstLines(worst: readonly Regression[]): string[] {
  const rows = [...grouped(worst).values()].flatMap((some) => some.slice(0, SHOWN));
  const cells = rows.map(({ set, id, measure, value, against, text }) => [set, id, text, measure, value.toFixed(4), against.toFixed(4)]);
  return table(['fell most on', 'id', 'text', 'measure', 'now', 'before'], cells, 4);
}

function grouped(worst: readonly Regression[]): Map<string, Regression[]> {
  const groups = new Map<string, Regression[]>();
  for (const one of worst) groups.set(`${one.task} ${one.set}`, [...(groups.get(`${one.task} ${one.set}`) ?? []), one]);
  return groups;
}
