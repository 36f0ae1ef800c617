// The table of README out of an evaluation's JSON. usage: node benchmarks/evaluate-table.mjs EVALUATE.json
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { METRICS } from '../dist/evaluate/measured.js';
import { agreementCells, changeText, promptCells } from '../dist/evaluate/report-words.js';

const row = (cells) => `| ${cells.join(' | ')} |`;
const table = (head, rows) => [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');

/** Scores, agreement and prompts as Markdown. */
export function evaluateMarkdown({ model, against, scores, agreement, prompts }) {
  const named = ({ name, precision }) => `${name}, ${precision}`;
  const scored = scores.map(({ set, metric, count, value, against: other, change }) => [
    set,
    METRICS[metric],
    count.toLocaleString('en-US'),
    value.toFixed(4),
    other.toFixed(4),
    changeText(change),
  ]);
  return `${[
    `${named(model)}, held against ${named(against)}:`,
    table(['set', 'metric', 'count', model.precision, against.precision, 'change'], scored),
    table(['set', 'agreement', 'count', 'value'], agreement.map(agreementCells)),
    `What the query prompt is worth to ${named(model)}:`,
    table(['set', 'query prompt', 'text', 'nDCG@10', 'against none'], prompts.flatMap(promptCells)),
  ].join('\n\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(evaluateMarkdown(JSON.parse(readFileSync(process.argv[2], 'utf8'))));
}
