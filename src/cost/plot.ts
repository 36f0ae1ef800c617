// The picture of both cost curves, with their crossings and the volume asked for. Specification only.
import { COLOURS, framed, type Layers, type Rows } from '../page/plot-frame.js';
import type { Drawing } from '../page/svg.js';
import type { CostReport } from './cost.js';
import { apiCurve, crossings, machineCurve, widthOf } from './curves.js';
import { dollars, volume } from './words.js';

/** Machines share a colour; these tell them apart, in the order of the table. */
export const DASHES: readonly (readonly number[])[] = [
  [1, 0],
  [6, 3],
  [2, 2],
  [8, 3, 2, 3],
];

export function costPlot(report: CostReport): Drawing {
  const { inputs, machines, api } = report;
  const marked = crossings(report).map(({ name, texts }) => `it crosses ${name} at ${volume(texts)} texts`);
  const costs = machines.map(({ name, perMonth }) => `${name} ${dollars(perMonth)}`);
  const alternative =
    `Cost a month by texts a month. At ${volume(inputs.textsPerMonth)} texts: API ${dollars(api.perMonth)}, ${costs.join(', ')}. ` +
    `The API's line rises from zero; ${marked.length === 0 ? 'no machine on its curve becomes cheaper or dearer' : marked.join('; ')}.`;
  return { name: 'cost', alternative, spec: framed([], layersOf(report)) };
}

function layersOf(report: CostReport): Layers {
  const x = { field: 'texts', type: 'quantitative' as const, title: 'texts a month', scale: { domain: [0, widthOf(report)], nice: false } };
  const y = { field: 'dollars', type: 'quantitative' as const, title: 'dollars a month', scale: { zero: true } };
  const axes = { x: { ...x, axis: { format: '~s', tickCount: 5, grid: false } }, y: { ...y, axis: { grid: true, tickCount: 6 } } };
  // The order keeps corners of equal volume as they are: a staircase goes up, not slantwise.
  const line = (values: Rows, color: string, dash: readonly number[]): Layers[number] => ({
    data: { values: values.map((point, order) => ({ ...point, order })) },
    mark: { type: 'line', color, strokeDash: [...dash], strokeWidth: 2 },
    encoding: { ...axes, order: { field: 'order', type: 'quantitative' } },
  });
  const crossed = { values: crossings(report).map((at) => ({ ...at, label: `${volume(at.texts)} texts, ${dollars(at.dollars)}` })) };
  return [
    line(rows(apiCurve(report)), COLOURS.before, [1, 0]),
    ...report.machines.map((cost, at) => line(rows(machineCurve(cost, report)), COLOURS.after, DASHES[at % DASHES.length] as number[])),
    {
      data: { values: [{ texts: report.inputs.textsPerMonth }] },
      mark: { type: 'rule', color: COLOURS.text, strokeDash: [2, 3], opacity: 0.6 },
      encoding: { x: axes.x },
    },
    { data: crossed, mark: { type: 'point', color: COLOURS.text, filled: true, size: 60 }, encoding: axes },
    {
      data: crossed,
      mark: { type: 'text', color: COLOURS.text, align: 'right', dx: -7, dy: -7, fontSize: 11 },
      encoding: { ...axes, text: { field: 'label' } },
    },
  ];
}

function rows(points: readonly { readonly texts: number; readonly dollars: number }[]): Rows {
  return points.map((point) => ({ ...point }));
}
