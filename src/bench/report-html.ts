// A benchmark as one HTML page that needs nothing else: no script, no reference, plots as inline SVG. Writes no file.
import { documentOf } from '../page/document.js';
import { html, type Markup, table } from '../page/html.js';
import { seriesAt } from '../page/plot-frame.js';
import { renderSvg } from '../page/svg.js';
import { notesOf } from './notes.js';
import { curvePanels, latencyPanels, operatorPanels, type Panel, roofPanel } from './plots.js';
import type { BenchResult } from './result.js';
import { columnsOf, rowsOf, verdictOf } from './rows.js';

/** The page, from `<!doctype html>` to its last line feed. The same result gives the same bytes. */
export async function reportHtml(result: BenchResult): Promise<string> {
  const sections = [verdictSection(result), tableSection(result), await figure(LATENCY, latencyPanels(result), legendOf(result))];
  const curves = curvePanels(result);
  if (curves.length > 0) sections.push(await figure(SCALING, curves, legendOf(result)));
  sections.push(await figure(ROOF, [roofPanel(result)]), await figure(OPERATORS, operatorPanels(result)), notesSection(result));
  return documentOf(`embedkit bench: ${result.variants.map(({ label }) => label).join(', ')}`, sections);
}

interface Caption {
  readonly head: string;
  readonly text: string;
}

const LATENCY: Caption = {
  head: 'Latency: the further left and the steeper, the better',
  text: 'Share of all calls that took no longer, from text to vector, tokenizing included.',
};
const SCALING: Caption = {
  head: 'Scaling',
  text: 'Medians; the rule at a point reaches from the slowest to the fastest repetition. The lower axes are in powers of two.',
};
const ROOF: Caption = {
  head: 'Share of the roof: what is left is the room for faster software on this machine',
  text: 'The products by weights that were executed, at the rate of the best plain product of their type in the same round; the rule is the 95% interval.',
};
const OPERATORS: Caption = {
  head: 'Where the time goes, by operator',
  text: 'One profiled pass of one thread, all panels in one scale. A profiled pass is slower than another.',
};

function verdictSection(result: BenchResult): Markup {
  const { noise, machine, options, after } = result;
  const state = noise.length === 0 ? 'met' : 'missed';
  return html`<h1>embedkit bench</h1>
<p class="verdict ${state}">${verdictOf(result)}</p>
<p class="quiet">${machine.cpu}, ${options.threads} of ${machine.cpus} CPUs, ${after.date.slice(0, 10)}</p>`;
}

function tableSection(result: BenchResult): Markup {
  const columns = columnsOf(result).map((title) => ({ title, kind: 'number' as const }));
  return table(
    [{ title: '', kind: 'text' }, ...columns],
    rowsOf(result).map(({ title, cells }) => [title, ...cells]),
  );
}

async function figure({ head, text }: Caption, panels: readonly Panel[], legend: Markup = html``): Promise<Markup> {
  const drawn: Markup[] = [];
  for (const panel of panels) drawn.push(html`<div><h3>${panel.title}</h3>${await renderSvg(panel)}</div>`);
  return html`<h2>${head}</h2>
<figure><figcaption>${text}${legend}</figcaption>
<div class="panels">${drawn}</div></figure>`;
}

/** Names beside a stroke as the plots draw it. */
function legendOf({ variants, baseline }: BenchResult): Markup {
  const names = [...variants.map(({ label }) => label), ...(baseline === null ? [] : ['API'])];
  const items = names.map((name, at) => {
    const { colour, dash } = seriesAt(at);
    const look = 'display:inline;width:24px;height:8px';
    const stroke = html`<svg viewBox="0 0 24 8" style="${look}" aria-hidden="true"><path d="M0 4H24" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash.join(' ')}"/></svg>`;
    return html`<li>${stroke} ${name}</li>`;
  });
  return html`<ul class="legend">${items}</ul>`;
}

function notesSection(result: BenchResult): Markup {
  return html`<h2>How it was measured, and on what</h2>
<ul>${notesOf(result).map((note) => html`<li>${note}</li>`)}</ul>`;
}
