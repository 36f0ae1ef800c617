// The report of an evaluation as one HTML page that needs nothing else: no script, no reference. Writes no file.
import { duration } from '../format.js';
import { documentOf } from '../page/document.js';
import { type Column, facts, html, type Markup, quoted, table, trusted } from '../page/html.js';
import type { EvaluationReport, Regression } from './report.js';
import { agreementCells, promptCells, scoreCells, storageCells, verdictOf } from './report-words.js';

const prose = (title: string): Column => ({ title, kind: 'prose' });
const number = (title: string): Column => ({ title, kind: 'number' });

/** The page, from `<!doctype html>` to its last line feed. The same report gives the same bytes. */
export function evaluationHtml(report: EvaluationReport): string {
  const { gate } = report;
  const body = html`<h1>Evaluation of ${quoted(report.model.name)}</h1>
<p class="verdict ${gate.failures.length === 0 ? 'met' : 'missed'}">${quoted(verdictOf(report))}</p>
${gate.failures.length === 0 ? '' : html`<ul>${gate.failures.map((failure) => html`<li>${quoted(failure)}</li>`)}</ul>`}
${scoresSection(report)}
${agreementSection(report)}
${promptsSection(report)}
${storagesSection(report)}
${worstSection(report.worst)}
${runSection(report)}`;
  return documentOf(`Evaluation of ${report.model.name}`, [body]);
}

/** A table under its heading; nothing where there are no rows. */
function section(title: string, said: string, columns: readonly Column[], rows: readonly (readonly string[])[]): Markup {
  if (rows.length === 0) return trusted('');
  const cells = rows.map((row) => row.map((cell, at) => (columns[at]?.kind === 'prose' ? quoted(cell) : cell)));
  return html`<h2>${title}</h2>
<p class="quiet">${said}</p>
${table(columns, cells)}`;
}

function scoresSection({ scores, against }: EvaluationReport): Markup {
  const beside = against === null ? [] : [number('against'), number('change')];
  const columns = [prose('set'), prose('metric'), number('count'), number('score'), ...beside];
  return section('Scores', 'Higher is better; a change is relative to the other model.', columns, scores.map(scoreCells));
}

function agreementSection({ agreement }: EvaluationReport): Markup {
  const columns = [prose('set'), prose('agreement'), number('count'), number('value')];
  return section('Agreement', 'How far both models give the same, whatever is right.', columns, agreement.map(agreementCells));
}

function promptsSection({ prompts }: EvaluationReport): Markup {
  const columns = [prose('set'), prose('query prompt'), prose('text'), number('nDCG@10'), number('worth')];
  const said = 'The same queries with other words before them; the documents stay as they are. Worth is relative to bare queries.';
  return section('What the prompt is worth', said, columns, prompts.flatMap(promptCells));
}

function storagesSection({ storages }: EvaluationReport): Markup {
  const columns = [prose('set'), prose('stored as'), prose('compared'), number('bytes a vector'), number('nDCG@10'), number('change')];
  const said = 'The same documents stored as other types (embed --dtype); the change is relative to float32.';
  return section('What the type of the vectors costs', said, columns, storages.map(storageCells));
}

function worstSection(worst: readonly Regression[]): Markup {
  const columns = [prose('set'), prose('id'), prose('text'), prose('measure'), number('now'), number('before'), prose('what became of it')];
  const rows = worst.map(({ set, id, text, measure, value, against, detail }) => [
    set,
    id,
    text,
    measure,
    value.toFixed(4),
    against.toFixed(4),
    detail,
  ]);
  return section('Worst regressions', 'At most ten of each set, the worst first; at most 160 characters of each text.', columns, rows);
}

function runSection({ model, against, machine, seconds, notes }: EvaluationReport): Markup {
  const other = against === null ? [] : [['held against', html`<code>${against.fingerprint}</code>`] as const];
  return html`<h2>Run</h2>
${notes.length === 0 ? '' : html`<ul>${notes.map((note) => html`<li>${quoted(note)}</li>`)}</ul>`}
${facts([
  ['model', html`<code>${model.fingerprint}</code>`],
  ...other,
  ['processor', quoted(machine.cpu)],
  ['flags', html`<code>${machine.flags.join(' ')}</code>`],
  ['Node.js', machine.node],
  ['ONNX Runtime', machine.runtime],
  ['time', duration(seconds)],
])}`;
}
