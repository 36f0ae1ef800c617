// Histogram of the held-out texts' cosines, with the thresholds that lie among them. Specification only.
import { COLOURS, framed, type Layers } from '../page/plot-frame.js';
import type { Drawing } from '../page/svg.js';
import type { GateFigures, GateThresholds } from './report.js';

const BINS = 40;
/** Cosines closer together than this are one bar: their differences are rounding. */
const LEAST_BIN = 1e-7;

export interface Bin {
  readonly from: number;
  readonly to: number;
  readonly texts: number;
}

/** Bins of equal width from the least to the greatest finite value, both ends included. */
export function binCosines(cosines: readonly number[]): Bin[] {
  const values = cosines.filter(Number.isFinite);
  if (values.length === 0) return [];
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const width = Math.max((high - low) / BINS, LEAST_BIN);
  const counts = new Uint32Array(BINS);
  for (const value of values) {
    const bin = Math.min(BINS - 1, Math.floor((value - low) / width));
    counts[bin] = (counts[bin] as number) + 1;
  }
  return Array.from(counts, (texts, at) => ({ from: low + at * width, to: low + (at + 1) * width, texts }));
}

export function cosinePlot(gate: Pick<GateFigures, 'cosines' | 'cosine'>, thresholds: GateThresholds): Drawing {
  const bins = binCosines(gate.cosines);
  const { mean, p1, minimum } = gate.cosine;
  const figures = `mean ${mean.toFixed(5)}, 1st percentile ${p1.toFixed(5)}, least ${minimum.toFixed(5)}`;
  const limits = `thresholds ${thresholds.mean}, ${thresholds.p1}, ${thresholds.minimum}`;
  const alternative = `Histogram of ${gate.cosines.length} cosines between INT8 and full-precision vectors: ${figures}; ${limits}.`;
  return { name: 'cosines', alternative, spec: framed([...bins.map((bin) => ({ ...bin }))], cosineLayers(bins, thresholds)) };
}

function cosineLayers(bins: readonly Bin[], { mean, p1, minimum }: GateThresholds): Layers {
  const domain = [bins[0]?.from ?? 0, bins.at(-1)?.to ?? 1] as [number, number];
  const scale = { domain, nice: false, zero: false };
  const x = { type: 'quantitative' as const, title: 'cosine', scale, axis: { grid: false, tickCount: 5, labelOverlap: true } };
  const inside = [mean, p1, minimum]
    .filter((value) => value >= domain[0] && value <= domain[1])
    .map((value) => ({ value, label: String(value) }));
  const limits = { data: { values: inside } };
  return [
    {
      mark: { type: 'bar', color: COLOURS.after, binSpacing: 0.5 },
      encoding: {
        x: { ...x, field: 'from', bin: { binned: true } },
        x2: { field: 'to' },
        y: {
          field: 'texts',
          type: 'quantitative',
          title: 'texts (square-root scale)',
          scale: { type: 'sqrt' },
          axis: { grid: true, tickCount: 6 },
        },
      },
    },
    {
      ...limits,
      mark: { type: 'rule', color: COLOURS.before, strokeDash: [5, 3], strokeWidth: 1.5 },
      encoding: { x: { ...x, field: 'value' } },
    },
    {
      ...limits,
      mark: { type: 'text', color: COLOURS.text, align: 'left', dx: 3, y: 6, fontSize: 11 },
      encoding: { x: { ...x, field: 'value' }, text: { field: 'label' } },
    },
  ];
}
