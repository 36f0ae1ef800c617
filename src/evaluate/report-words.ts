// What page and terminal say of an evaluation in the same words. Text only, unescaped.
import { AGREEMENTS, METRICS } from './measured.js';
import type { AgreementRow, EvaluationReport, ModelFacts, PromptRow, ScoreRow, StorageRow } from './report.js';
import { comparisonOf } from './storages.js';

function modelName({ name, precision }: ModelFacts): string {
  return `${name} (${precision})`;
}

export function verdictOf({ gate, model, against }: EvaluationReport): string {
  const what = against === null ? modelName(model) : `${modelName(model)} against ${modelName(against)}`;
  if (gate.terms.length === 0) return what;
  const terms = gate.terms.map(({ text }) => text).join(' ');
  return `${what}: ${gate.failures.length === 0 ? 'passed' : 'NOT passed'} ${terms}`;
}

export function scoreCells({ set, metric, count, value, against, change }: ScoreRow): string[] {
  const own = [set, METRICS[metric], String(count), value.toFixed(5)];
  return against === undefined ? own : [...own, against.toFixed(5), changeText(change)];
}

export function changeText(change: number | undefined): string {
  if (change === undefined || !Number.isFinite(change)) return '-';
  return `${change < 0 ? '' : '+'}${(change * 100).toFixed(3)}%`;
}

export function agreementCells({ set, measure, value, count }: AgreementRow): string[] {
  return [set, AGREEMENTS[measure], String(count), measure === 'overlap' ? `${(value * 100).toFixed(2)}%` : value.toFixed(5)];
}

export function storageCells(row: StorageRow): string[] {
  return [row.set, row.dtype, comparisonOf(row), String(row.bytes), row.ndcg.toFixed(5), changeText(row.change)];
}

const PROMPT_NAMES = { own: "the model's own", none: 'none', wrong: "another model's" } as const;

/** One row a prompt: set, whose it is, its text, nDCG@10, and what it is worth against none. */
export function promptCells({ set, scores }: PromptRow): string[][] {
  const bare = scores.find(({ text }) => text === '')?.ndcg;
  return scores.map(({ prompt, text, ndcg }) => [
    set,
    prompt === 'own' && text === '' ? "the model's own: none" : PROMPT_NAMES[prompt],
    text === '' ? '' : JSON.stringify(text),
    ndcg.toFixed(5),
    bare === undefined || text === '' || !(bare > 0) ? '' : changeText(ndcg / bare - 1),
  ]);
}
