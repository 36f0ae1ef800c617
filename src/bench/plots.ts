// The plots of a benchmark. Specifications only.
import { quantileSorted } from 'simple-statistics';
import { COLOURS, framed, type Layers, seriesAt } from '../page/plot-frame.js';
import type { Drawing } from '../page/svg.js';
import type { BenchResult, Curve } from './result.js';
import { median } from './statistics.js';

export interface Panel extends Drawing {
  readonly title: string;
}

interface Named {
  readonly name: string;
  readonly values: readonly number[];
}

/** Columns with latencies, in the order of the legend. */
function latenciesOf(result: BenchResult, what: 'one' | 'batch'): Named[] {
  const variants = result.variants.map(({ label, turns }) => ({ name: label, values: turns.flatMap((turn) => turn[what].milliseconds) }));
  const api = result.baseline === null ? [] : [{ name: 'API', values: result.baseline.turns.flatMap((turn) => turn[what].milliseconds) }];
  return [...variants, ...api].filter(({ values }) => values.length > 0);
}

const SHARES = Array.from({ length: 101 }, (_, at) => at / 100);

/** Share of the calls that took no longer, one line a column. */
export function latencyPanels(result: BenchResult): Panel[] {
  return (['one', 'batch'] as const).map((what) => {
    const columns = latenciesOf(result, what);
    const rows = columns.flatMap(({ values }, series) => {
      const sorted = [...values].sort((a, b) => a - b);
      return SHARES.map((share) => ({ series, share, ms: quantileSorted(sorted, share) }));
    });
    const title = what === 'one' ? 'one text a call' : `${result.options.batch} texts a call`;
    const spoken = columns.map(({ name, values }) => `${name} half within ${median(values).toPrecision(3)} ms, ${values.length} calls`);
    return {
      name: `latency-${what}`,
      title,
      alternative: `Share of calls by latency, ${title}: ${spoken.join('; ')}.`,
      spec: framed(rows, linesOf(columns.length, { field: 'ms', title: 'milliseconds' }, { field: 'share', title: 'share of calls' })),
    };
  });
}

interface Axis {
  readonly field: string;
  readonly title: string;
  /** Places of the ticks on a scale of powers of two. */
  readonly powers?: readonly number[];
}

function axisOf({ field, title, powers }: Axis) {
  const axis = { field, type: 'quantitative' as const, title };
  if (powers === undefined) return { ...axis, scale: { zero: field !== 'ms' }, axis: { grid: true, tickCount: 6 } };
  return { ...axis, scale: { type: 'log' as const, base: 2 }, axis: { grid: false, values: [...powers], format: 'd' } };
}

function linesOf(count: number, x: Axis, y: Axis): Layers {
  return Array.from({ length: count }, (_, series) => {
    const { colour, dash } = seriesAt(series);
    return {
      transform: [{ filter: { field: 'series', equal: series } }],
      mark: { type: 'line' as const, color: colour, strokeDash: [...dash], strokeWidth: 2 },
      encoding: { x: axisOf(x), y: axisOf(y) },
    };
  });
}

/** The share of the roof with its interval, a bar a variant; 100% is the best plain product. */
export function roofPanel({ variants }: BenchResult): Panel {
  const rows = variants.flatMap(({ label, figures: { roof_share: share } }) =>
    share === undefined ? [] : [{ label, share: 100 * share.value, low: 100 * share.low, high: 100 * share.high }],
  );
  const scale = { domain: [0, Math.max(100, ...rows.map(({ high }) => high))] };
  const x = { field: 'share', type: 'quantitative' as const, title: "% of the machine's best plain product", scale, axis: { grid: true } };
  const y = { field: 'label', type: 'nominal' as const, title: null, sort: null };
  const layers: Layers = [
    { mark: { type: 'bar', color: COLOURS.after, opacity: 0.8, height: { band: 0.6 } }, encoding: { x, y } },
    { mark: { type: 'rule', color: COLOURS.text, strokeWidth: 2 }, encoding: { x: { ...x, field: 'low' }, x2: { field: 'high' }, y } },
  ];
  const spoken = rows.map(({ label, share, low, high }) => `${label} ${share.toFixed(0)}% (${low.toFixed(0)} to ${high.toFixed(0)})`);
  return { name: 'roof', title: 'share of the roof', alternative: `Share of the roof: ${spoken.join('; ')}.`, spec: framed(rows, layers) };
}

const SHOWN_OPERATORS = 8;

/** Milliseconds of one profiled pass by operator, a panel a variant; all panels share one scale. */
export function operatorPanels({ variants }: BenchResult): Panel[] {
  const byVariant = variants.map(({ profile }) => operatorRows(profile.classes));
  const most = Math.max(...byVariant.flat().map(({ ms }) => ms), 0);
  const axis = { type: 'quantitative' as const, title: 'milliseconds a pass', axis: { grid: true, tickCount: 5 } };
  const x = { field: 'ms', scale: { domain: [0, most] }, ...axis };
  const y = { field: 'operator', type: 'nominal' as const, title: null, sort: null };
  return variants.map(({ label, profile }, at) => {
    const rows = byVariant[at] ?? [];
    const total = rows.reduce((sum, { ms }) => sum + ms, 0);
    const spoken = rows.map(({ operator, ms }) => `${operator} ${((100 * ms) / total).toFixed(0)}%`);
    return {
      name: `operators-${at}`,
      title: `${label}: ${profile.rows} texts of ${profile.width} tokens, one thread, ${total.toFixed(1)} ms`,
      alternative: `Time by operator of ${label}: ${spoken.join(', ')}.`,
      spec: framed(rows, [{ mark: { type: 'bar', color: COLOURS.after, height: { band: 0.7 } }, encoding: { x, y } }]),
    };
  });
}

function operatorRows(classes: Readonly<Record<string, { readonly milliseconds: number }>>): { operator: string; ms: number }[] {
  const sorted = Object.entries(classes)
    .map(([operator, { milliseconds }]) => ({ operator, ms: milliseconds }))
    .sort((a, b) => b.ms - a.ms);
  const rest = sorted.slice(SHOWN_OPERATORS);
  const others = rest.reduce((sum, { ms }) => sum + ms, 0);
  return [...sorted.slice(0, SHOWN_OPERATORS), ...(rest.length === 0 ? [] : [{ operator: `${rest.length} others`, ms: others }])];
}

const ALONG = {
  threads: { title: 'as threads are added', axis: 'threads', rate: 'texts_per_second', unit: 'embeddings/s' },
  tokens: { title: 'as texts grow', axis: 'tokens a text', rate: 'tokens_per_second', unit: 'tokens/s' },
  batch: { title: 'as batches grow', axis: 'texts a call', rate: 'texts_per_second', unit: 'embeddings/s' },
} as const;

/** Medians with a rule from the least to the greatest repetition. */
export function curvePanels({ curves, variants }: BenchResult): Panel[] {
  const labelOf = (name: string): string => variants.find((variant) => variant.name === name)?.label ?? name;
  return (['threads', 'tokens', 'batch'] as const).flatMap((along) => {
    const own = curves.filter((curve) => curve.along === along);
    const rows = own.flatMap((curve) =>
      pointRows(
        curve,
        variants.findIndex(({ name }) => name === curve.variant),
      ),
    );
    if (rows.length === 0) return [];
    const { title, axis, unit } = ALONG[along];
    const x = { field: 'at', title: axis, powers: [...new Set(rows.map(({ at }) => at))].sort((a, b) => a - b) };
    const lines = linesOf(variants.length, x, { field: 'rate', title: unit });
    const alternative = `${unit} ${title}: ${own.map((curve) => `${labelOf(curve.variant)} ${spokenCurve(curve)}`).join('; ')}.`;
    const spec = framed(rows, [...lines, ...rangesOf(variants.length, axisOf(x))]);
    return [{ name: `curve-${along}`, title: `${unit} ${title}`, alternative, spec }];
  });
}

function rangesOf(count: number, x: ReturnType<typeof axisOf>): Layers {
  return Array.from({ length: count }, (_, series) => ({
    transform: [{ filter: { field: 'series', equal: series } }],
    mark: { type: 'rule' as const, color: seriesAt(series).colour, strokeWidth: 3, opacity: 0.6 },
    encoding: { x, y: { field: 'low', type: 'quantitative' as const }, y2: { field: 'high' } },
  }));
}

function pointRows({ along, points }: Curve, series: number) {
  return points.map((point) => {
    const rates = point[ALONG[along].rate];
    return { series, at: point.at, rate: median(rates), low: Math.min(...rates), high: Math.max(...rates) };
  });
}

function spokenCurve({ along, points }: Curve): string {
  const ends = [points[0], points.at(-1)].filter((point) => point !== undefined);
  return ends.map((point) => `${median(point[ALONG[along].rate]).toFixed(0)} at ${point.at}`).join(', ');
}
