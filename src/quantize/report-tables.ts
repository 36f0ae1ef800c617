// The parts of the report's page that are words and tables. Markup out of data; plots are elsewhere.
import { count, countOf, duration, mebibytes } from '../format.js';
import { type Column, facts, html, type Markup, quoted, table } from '../page/html.js';
import type { QuantizeReport, SiteReport } from './report.js';
import { type Check, checksOf, type EvaluatedRow, evaluatedRows, sizeOf, speedOf, speedWarning, verdictOf } from './report-figures.js';
import { figureOf } from './site-plots.js';

const text = (title: string): Column => ({ title, kind: 'text' });
const prose = (title: string): Column => ({ title, kind: 'prose' });
const number = (title: string): Column => ({ title, kind: 'number' });

export function verdictSection(report: QuantizeReport): Markup {
  const { failures, passed } = report.gate;
  const [mean, p1, least, overlap] = checksOf(report).map(({ found, least: limit }) => `${found} (at least ${limit})`);
  const sets = evaluatedRows(report).map(({ what, metric, found, least: limit }) => `${found} (at least ${limit}) of ${metric} on ${what}`);
  return html`<h1>INT8 quantization of ${quoted(report.name)}</h1>
<p class="verdict ${passed && failures.length === 0 ? 'met' : 'missed'}">${verdictOf(report)}.</p>
${failures.length === 0 ? '' : html`<ul>${failures.map((failure) => html`<li>${quoted(failure)}</li>`)}</ul>`}
<p>On ${count(report.calibration.heldOutTexts)} held-out texts the cosine of INT8 vectors to full-precision ones is ${mean as string} on average,
${p1 as string} at the 1st percentile and ${least as string} for the worst text; of each text's ten nearest neighbours, ${overlap as string} stay.
${sets.length === 0 ? '' : html`On labelled sets INT8 keeps ${quoted(sets.join(', '))}.`}</p>`;
}

export function summarySection(report: QuantizeReport): Markup {
  const checks = checksOf(report).map((check) => [check.what, check.found, check.least, mark(check)]);
  return html`<h2>Summary</h2>
${table([text('held-out texts'), number('found'), number('at least'), text('')], checks)}
${evaluatedTable(report)}
${costs(report)}`;
}

function mark({ met }: Check): Markup {
  return met ? html`<span class="met">met</span>` : html`<span class="missed">not met</span>`;
}

function evaluatedTable(report: QuantizeReport): Markup {
  const rows = evaluatedRows(report);
  if (rows.length === 0) return html`<p class="quiet">No labelled set was named: the verdict rests on the held-out texts alone.</p>`;
  const columns = [prose('labelled set'), number('full'), number('INT8'), number('kept'), number('at least'), text('')];
  const nameOf = ({ what, metric, overlap }: EvaluatedRow): Markup => {
    const common = overlap === undefined ? '' : `; ${overlap} of the nearest ten in common`;
    return html`${quoted(what)}<br><span class="quiet">${metric}${common}</span>`;
  };
  return table(
    columns,
    rows.map((row) => [nameOf(row), row.full, row.int8, row.found, row.least, mark(row)]),
  );
}

function costs(report: QuantizeReport): Markup {
  const size = sizeOf(report);
  const speed = speedOf(report);
  const warning = speedWarning(report);
  const rows = [
    ['file size', size.full, size.int8, size.share],
    ['speed', speed.full, speed.int8, speed.ratio],
  ];
  return html`${table([text('cost'), number('full'), number('INT8'), number('INT8 / full')], rows)}
<p class="quiet">Speed is the median of ${speed.rounds} alternating rounds, whose ratios spread from ${speed.slowest} to ${speed.fastest};
${speed.conditions}.</p>
${warning === undefined ? '' : html`<p class="warning"><strong>Warning:</strong> ${warning}</p>`}`;
}

export function worstSection({ gate }: QuantizeReport): Markup {
  const rows = gate.worst.map((worst) => [worst.cosine.toFixed(5), count(worst.tokens), quoted(worst.text)]);
  return html`<h2>Worst texts</h2>
<p class="quiet">Held-out texts whose INT8 vectors are furthest from full precision, at most 160 characters of each.</p>
${table([number('cosine'), number('tokens'), prose('text')], rows)}`;
}

export function sitesSection({ gate, sites }: QuantizeReport): Markup {
  const kept = gate.keptInFp32;
  return html`<h2>Sites kept in fp32</h2>
<p>${
    kept.length === 0
      ? `None: every site (${sites.length}) is computed in INT8.`
      : html`${kept.length} of ${sites.length}: ${kept.map((name) => html`<code>${quoted(name)}</code>`)}`
  }</p>
<details><summary>All sites in figures</summary>
${siteTable(sites)}
</details>`;
}

function siteTable(sites: readonly SiteReport[]): Markup {
  const columns = [
    text('site'),
    text('precision'),
    text('pre-scaling'),
    number('error before'),
    number('after'),
    number('range from'),
    number('to'),
  ];
  const rows = sites.map((site) => [
    quoted(site.name),
    site.precision,
    site.preScaling,
    ...[site.errorBefore, site.errorAfter, site.low, site.high].map(figureOf),
  ]);
  return table(columns, rows);
}

export function calibrationSection({ calibration }: QuantizeReport): Markup {
  const { files, digest, observedTexts, observedTokens, heldOutTexts, dropped } = calibration;
  const rows = files.map(({ name, rows: read, sha256 }) => [quoted(name), count(read), html`<code>${sha256}</code>`]);
  return html`<h2>Calibration</h2>
${table([prose('file'), number('rows'), prose('SHA-256')], rows)}
${facts([
  ['digest', html`<code>${digest}</code>`],
  ['observed', `${countOf(observedTexts, 'text')}, ${countOf(observedTokens, 'token')}`],
  ['held out', `${countOf(heldOutTexts, 'text')}`],
  ['dropped', `${count(dropped.blank)} blank, ${count(dropped.notText)} not text`],
])}`;
}

const METHODS = { encoder: 'through the recognised encoder', portable: 'in place, any graph' } as const;
const FORMATS = { fused: 'fused operators of the runtime', qdq: 'QuantizeLinear and DequantizeLinear' } as const;

export function recipeSection({ method, fallback, weights, format, sites }: QuantizeReport): Markup {
  const scaled = sites.filter(({ precision, preScaling }) => precision === 'int8' && preScaling !== 'none').length;
  return html`<h2>Recipe</h2>
${facts([
  ['method', `${method}: ${METHODS[method]}`],
  ...(fallback === undefined ? [] : [['why', quoted(fallback)] as const]),
  ['weights', weights],
  ['format', `${format}: ${FORMATS[format]}`],
  ['pre-scaling', `${scaled} of ${sites.length} sites`],
])}`;
}

export function runSection({ machine, seconds, peakMemoryBytes }: QuantizeReport): Markup {
  const stages = Object.entries(seconds);
  const total = stages.reduce((sum, [, value]) => sum + value, 0);
  const rows = [...stages, ['total', total] as const].map(([stage, value]) => [stage, duration(value)]);
  return html`<h2>Machine</h2>
${facts([
  ['processor', quoted(machine.cpu)],
  ['flags', html`<code>${machine.flags.join(' ')}</code>`],
  ['Node.js', machine.node],
  ['ONNX Runtime', machine.runtime],
])}
<h2>Time and memory</h2>
${table([prose('stage'), number('time')], rows)}
${facts([['peak memory', mebibytes(peakMemoryBytes)]])}`;
}
