// A cost as one HTML page that needs nothing else: verdicts, table, both curves as inline SVG. Writes no file.
import { html, type Markup, table, trusted } from '../page/html.js';
import { STYLE } from '../page/style.js';
import { renderSvg } from '../page/svg.js';
import type { CostReport } from './cost.js';
import { costPlot } from './plot.js';
import { askedLine, costRows } from './table.js';
import { notesOf, verdictOf } from './words.js';

/** Nothing is loaded and nothing runs. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";
const MARKS = ['whole', 'dashed', 'dotted', 'dashed and dotted'];

/** The page, from `<!doctype html>` to its last line feed. The same report gives the same bytes. */
export async function costHtml(report: CostReport): Promise<string> {
  const [heading = [], ...rows] = costRows(report);
  const columns = heading.map((title, at) => ({ title, kind: at === 0 ? ('text' as const) : ('number' as const) }));
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>Cost of embeddings: API or own machine</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<h1>Cost of embeddings: API or own machine</h1>
${report.machines.map((cost) => html`<p class="verdict">${verdictOf(cost, report)}</p>`)}
<p>${askedLine(report)}.</p>
${table(columns, rows)}
<h2>Cost a month by texts a month</h2>
<figure><figcaption>${caption(report)}</figcaption>
<div class="panels"><div>${await renderSvg(costPlot(report))}</div></div></figure>
<h2>What the figures rest on</h2>
<ul>${notesOf(report).map((note) => html`<li>${note}</li>`)}</ul>
</body>
</html>
`;
  return page.markup;
}

function caption({ machines }: CostReport): Markup {
  const lines = machines.map(
    ({ name }, at) => html`<li><span class="after">━</span> ${name} (${MARKS[at % MARKS.length] as string} line)</li>`,
  );
  return html`The dot is where the curves cross; the upright line is the volume asked for.
<ul class="legend"><li><span class="before">━</span> API</li>${lines}</ul>`;
}
