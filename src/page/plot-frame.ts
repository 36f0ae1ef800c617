// What all plots of a report share: size, letters, colours, axes. Colours suit white and black grounds; text takes the page's.
import type { TopLevelSpec } from 'vega-lite';

/** Units of the SVG: a plot is as wide as a phone's screen and grows with the page. */
const WIDTH = 360;
const HEIGHT = 220;

/** Orange and blue are told apart by all common kinds of colour vision; shapes differ as well. */
export const COLOURS = { before: '#d2761a', after: '#2f80d8', text: 'currentColor' } as const;

/** Several things in one plot: told apart by colour and dash. */
export const SERIES = [
  { colour: '#2f80d8', dash: [1, 0] },
  { colour: '#d2761a', dash: [6, 3] },
  { colour: '#3d9a5f', dash: [2, 2] },
  { colour: '#a05cc2', dash: [8, 3, 2, 3] },
  { colour: '#8a8f98', dash: [4, 4] },
] as const;

/** The look of the n-th series; beyond the last one they begin anew. */
export function seriesAt(at: number): (typeof SERIES)[number] {
  return SERIES[at % SERIES.length] as (typeof SERIES)[number];
}

export type Layers = Extract<TopLevelSpec, { layer: unknown }>['layer'];
export type Rows = Readonly<Record<string, string | number>>[];

export function framed(data: Rows, layer: Layers): TopLevelSpec {
  const lines = {
    domainColor: COLOURS.text,
    tickColor: COLOURS.text,
    gridColor: COLOURS.text,
    gridOpacity: 0.15,
    domainOpacity: 0.5,
    tickOpacity: 0.5,
  };
  const letters = {
    labelColor: COLOURS.text,
    titleColor: COLOURS.text,
    labelFontSize: 11,
    titleFontSize: 11,
    titleFontWeight: 'normal' as const,
  };
  return {
    width: WIDTH,
    height: HEIGHT,
    autosize: { type: 'fit', contains: 'padding' },
    padding: 4,
    data: { values: data },
    layer,
    config: {
      // The picture has one text alternative; a label for each of its marks would be read out one by one.
      aria: false,
      background: 'transparent',
      font: 'system-ui, sans-serif',
      view: { stroke: null },
      axis: { ...lines, ...letters, labelFlush: false },
    },
  };
}

export interface Decades {
  readonly low: number;
  readonly high: number;
  /** Every power of ten in between. */
  readonly ticks: readonly number[];
}

const MOST_DECADES = 8;

/** Whole decades around the positive finite values, at most the upper MOST_DECADES: smaller values are drawn at the lower edge. */
export function decadesOf(values: readonly number[]): Decades {
  const exponents = values.filter((value) => value > 0 && Number.isFinite(value)).map(Math.log10);
  const last = exponents.length === 0 ? 0 : Math.ceil(exponents.reduce((a, b) => Math.max(a, b)));
  const least = exponents.length === 0 ? -1 : Math.floor(exponents.reduce((a, b) => Math.min(a, b)));
  const first = Math.max(Math.min(least, last - 1), last - MOST_DECADES);
  const ticks = Array.from({ length: last - first + 1 }, (_, at) => Number(`1e${first + at}`));
  return { low: ticks[0] as number, high: ticks.at(-1) as number, ticks };
}

/** The value, or the edge of the plot that it lies beyond. */
export function within({ low, high }: Decades, value: number): number {
  return Math.min(high, Math.max(low, value));
}

export function logAxis({ low, high, ticks }: Decades, title: string) {
  return {
    type: 'quantitative' as const,
    title,
    scale: { type: 'log' as const, domain: [low, high], nice: false },
    axis: { values: [...ticks], format: '~g', grid: true },
  };
}

/** Whole numbers from `first` to `last`, with half a step of air. */
export function stepAxis(first: number, last: number, title: string) {
  return {
    field: 'at',
    type: 'quantitative' as const,
    title,
    scale: { domain: [first - 0.5, last + 0.5], nice: false, zero: false },
    axis: { grid: false, tickMinStep: 1, tickCount: Math.min(12, last - first + 1), format: 'd' },
  };
}
