// A cost as one HTML page that needs nothing else: verdicts, table, both curves as inline SVG. Writes no file.
import { documentOf } from '../page/document.js';
import { html, type Markup, table } from '../page/html.js';
import { renderSvg } from '../page/svg.js';
import type { CostReport } from './cost.js';
import { costPlot } from './plot.js';
import { askedLine, costRows } from './table.js';
import { notesOf, verdictOf } from './words.js';

const MARKS = ['whole', 'dashed', 'dotted', 'dashed and dotted'];

/** The page, from `<!doctype html>` to its last line feed. The same report gives the same bytes. */
export async function costHtml(report: CostReport): Promise<string> {
  const [heading = [], ...rows] = costRows(report);
  const columns = heading.map((title, at) => ({ title, kind: at === 0 ? ('text' as const) : ('number' as const) }));
  const body = html`<h1>Cost of embeddings: API or own machine</h1>
${report.machines.map((cost) => html`<p class="verdict">${verdictOf(cost, report)}</p>`)}
<p>${askedLine(report)}.</p>
${table(columns, rows)}
<h2>Cost a month by texts a month</h2>
<figure><figcaption>${caption(report)}</figcaption>
<div class="panels"><div>${await renderSvg(costPlot(report))}</div></div></figure>
<h2>What the figures rest on</h2>
<ul>${notesOf(report).map((note) => html`<li>${note}</li>`)}</ul>`;
  return documentOf('Cost of embeddings: API or own machine', [body]);
}

function caption({ machines }: CostReport): Markup {
  const lines = machines.map(
    ({ name }, at) => html`<li><span class="after">━</span> ${name} (${MARKS[at % MARKS.length] as string} line)</li>`,
  );
  return html`The dot is where the curves cross; the upright line is the volume asked for.
<ul class="legend"><li><span class="before">━</span> API</li>${lines}</ul>`;
}
