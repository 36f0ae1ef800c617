// The report of a quantization as one HTML page that needs nothing else: no script, no reference, plots as inline SVG. Writes no file.

import { documentOf } from '../page/document.js';
import { html, type Markup } from '../page/html.js';
import { renderSvg } from '../page/svg.js';
import { cosinePlot } from './cosine-plot.js';
import type { QuantizeReport } from './report.js';
import {
  calibrationSection,
  recipeSection,
  runSection,
  sitesSection,
  summarySection,
  verdictSection,
  worstSection,
} from './report-tables.js';
import { errorPanels, type Panel, rangePanels } from './site-plots.js';

/** The page, from `<!doctype html>` to its last line feed. The same report gives the same bytes. */
export async function reportHtml(report: QuantizeReport): Promise<string> {
  const { gate, sites } = report;
  const errors = await panelsOf(errorPanels(sites));
  const ranges = await panelsOf(rangePanels(sites));
  const cosines = await renderSvg(cosinePlot(gate, gate.thresholds));
  return documentOf(`INT8 quantization of ${report.name}`, [
    verdictSection(report),
    summarySection(report),
    errorFigure(errors),
    rangeFigure(ranges),
    cosineFigure(cosines),
    worstSection(report),
    sitesSection(report),
    calibrationSection(report),
    recipeSection(report),
    runSection(report),
  ]);
}

async function panelsOf(panels: readonly Panel[]): Promise<Markup> {
  const drawn: Markup[] = [];
  for (const panel of panels) drawn.push(html`<div><h3>${panel.title}</h3>${await renderSvg(panel)}</div>`);
  return html`<div class="panels">${drawn}</div>`;
}

function errorFigure(panels: Markup): Markup {
  return html`<h2>Error by site: the further a blue dot lies below its orange ring, the more pre-scaling helped</h2>
<figure><figcaption>Squared error of the products that read a site over their energy, on sampled calibration rows; logarithmic, one scale for all
panels. Where ring and dot coincide, pre-scaling changed nothing.
<ul class="legend"><li><span class="before">○</span> without pre-scaling</li><li><span class="after">●</span> with pre-scaling</li>
<li>◇ with pre-scaling, but kept in fp32</li></ul></figcaption>
${panels}</figure>`;
}

function rangeFigure(panels: Markup): Markup {
  return html`<h2>Channel ranges: a ring far above its band is an outlier; a blue bar near the band says that pre-scaling tamed it</h2>
<figure><figcaption>Largest magnitude of each channel over all calibration tokens, before pre-scaling; logarithmic, one scale for all panels. One
step serves all channels, so a few large ones make it coarse for the rest. After pre-scaling the 256 integers reach as far as the blue bar.
<ul class="legend"><li><span class="before">▮</span> 5th to 95th percentile of the channels, median marked</li>
<li><span class="before">○</span> largest channel</li><li><span class="after">━</span> reach of the integers after pre-scaling; none where kept in fp32</li></ul></figcaption>
${panels}</figure>`;
}

function cosineFigure(plot: Markup): Markup {
  return html`<h2>Held-out cosines: the further right the bars, the closer INT8 is to full precision</h2>
<figure><figcaption>Cosine of each held-out text's INT8 vector to its full-precision one. The square-root scale keeps single texts visible.
<ul class="legend"><li><span class="before">┆</span> thresholds of the mean, the 1st percentile and the least, where they lie among the
cosines</li></ul></figcaption>
<div class="panels"><div>${plot}</div></div></figure>`;
}
