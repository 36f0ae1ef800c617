// The two cost curves as points, and the crossing: what the plot draws. Arithmetic only.
import { type CostReport, type MachineCost, perMonthAt } from './cost.js';

export interface Point {
  readonly texts: number;
  readonly dollars: number;
}

/** The plot reaches past all that it marks by this factor. */
const AIR = 1.25;
/** More steps than the picture has pixels to show are drawn as a slope. */
const MOST_STEPS = 100;

/** Texts a month at the right edge: past the volume asked for and every crossing. */
export function widthOf({ inputs, machines }: CostReport): number {
  const marked = machines.flatMap(({ breakEven }) => (breakEven === null ? [] : [breakEven.textsPerMonth]));
  return AIR * Math.max(inputs.textsPerMonth, ...marked);
}

export function apiCurve(report: CostReport): Point[] {
  const texts = widthOf(report);
  return [
    { texts: 0, dollars: 0 },
    { texts, dollars: ((texts * report.inputs.tokensPerText) / 1e6) * report.api.perMillionTokens },
  ];
}

/** The corners of a machine's curve from no text to the right edge. */
export function machineCurve(cost: MachineCost, report: CostReport): Point[] {
  const right = widthOf(report);
  const at = (texts: number): Point => ({ texts, dollars: perMonthAt(cost, report.inputs, texts) });
  return [at(0), ...corners(cost, right, at), at(right)];
}

function corners({ stairs }: MachineCost, right: number, at: (texts: number) => Point): Point[] {
  if (stairs === null) return [];
  const { textsPerMachine: step, leastMachines, pricePerMachine } = stairs;
  const last = Math.ceil(right / step) - 1;
  const steps = Math.max(0, last - leastMachines + 1);
  const firstCorner = at(leastMachines * step);
  if (steps > MOST_STEPS) return [firstCorner];
  return Array.from({ length: steps }, (_, index) => at((leastMachines + index) * step)).flatMap((low) => [
    low,
    { texts: low.texts, dollars: low.dollars + pricePerMachine },
  ]);
}

/** Where each machine's curve first meets the API's, from left to right. */
export function crossings({ machines, inputs, api }: CostReport): (Point & { readonly name: string })[] {
  return machines
    .flatMap(({ name, breakEven }) => (breakEven === null ? [] : [{ name, texts: breakEven.textsPerMonth }]))
    .map(({ name, texts }) => ({ name, texts, dollars: ((texts * inputs.tokensPerText) / 1e6) * api.perMillionTokens }))
    .sort((a, b) => a.texts - b.texts);
}
