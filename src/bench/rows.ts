// A result as rows of text: what the terminal and the page both show. Pure.
import { count, duration } from '../format.js';
import type { FigureName, Figures } from './figures.js';
import type { BenchResult } from './result.js';
import { relativeWidth, type Spread } from './statistics.js';

export interface Row {
  readonly title: string;
  /** One a column, as in `columnsOf`. */
  readonly cells: readonly string[];
}

interface Format {
  readonly title: (result: BenchResult) => string;
  readonly name: FigureName;
  readonly shown: (value: number) => string;
  /** What stands there instead when the figure is absent though its column was measured. */
  readonly absent?: string;
  /** Only where one of the columns has it. */
  readonly optional?: boolean;
}

const NOT_MEASURED = 'not measured';
const milliseconds = (value: number): string => (value < 100 ? value.toPrecision(3) : count(value));
const mebi = (value: number): string => count(value / 2 ** 20);
const share = (value: number): string => `${(100 * value).toFixed(0)}%`;

const WHAT = { one: () => 'one text', batch: (size: number) => `a batch of ${count(size)}`, served: () => 'one text from a server here' };

const latency = (what: 'one' | 'batch' | 'served', p: 'p50' | 'p95' | 'p99'): Format => ({
  title: ({ options }) => `${p.toUpperCase()} of ${WHAT[what](options.batch)}, ms`,
  name: `${what}_${p}_ms`,
  shown: milliseconds,
  absent: 'too few calls',
});

const FORMATS: readonly Format[] = [
  latency('one', 'p50'),
  latency('one', 'p95'),
  latency('one', 'p99'),
  latency('batch', 'p50'),
  latency('batch', 'p95'),
  latency('batch', 'p99'),
  { ...latency('served', 'p50'), optional: true },
  { ...latency('served', 'p99'), optional: true },
  { title: () => 'embeddings/s, batch after batch', name: 'batch_texts_per_second', shown: count },
  { title: () => 'embeddings/s, many texts at hand', name: 'texts_per_second', shown: count },
  { title: () => 'tokens/s', name: 'tokens_per_second', shown: count },
  { title: () => 'corpus: embeddings/s as embed works', name: 'corpus_whole_texts_per_second', shown: count, optional: true },
  {
    title: ({ options }) => `corpus: in batches of ${count(options.batch)} as they come`,
    name: 'corpus_slices_texts_per_second',
    shown: count,
    optional: true,
  },
  { title: () => 'corpus: the same, padded to the longest', name: 'corpus_padded_texts_per_second', shown: count, optional: true },
  { title: () => 'corpus: tokens/s as embed works', name: 'corpus_tokens_per_second', shown: count, optional: true },
  { title: () => 'peak memory of the process, MiB', name: 'peak_bytes', shown: mebi },
];

const START: Format = { title: () => 'start to first vector, ms', name: 'start_ms', shown: count };
const ROOF: Format = { title: () => "share of the machine's roof", name: 'roof_share', shown: share };

/** Heads of the columns. */
export function columnsOf({ variants, baseline }: BenchResult): string[] {
  return [baseline === null ? 'API' : `API: ${baseline.model}`, ...variants.map(({ label }) => label)];
}

export function rowsOf(result: BenchResult): Row[] {
  const sizes = result.variants.map(({ bytes }) => (bytes / 1e6).toFixed(1));
  return [
    ...figureRows(result, FORMATS),
    { title: 'model file, MB', cells: [result.baseline === null ? NOT_MEASURED : '-', ...sizes] },
    ...figureRows(result, [START]),
    ...priceRows(result),
    ...figureRows(result, [ROOF]),
  ];
}

function figureRows(result: BenchResult, formats: readonly Format[]): Row[] {
  const columns: (Figures | undefined)[] = [result.baseline?.figures, ...result.variants.map(({ figures }) => figures)];
  return formats
    .filter(({ optional, name }) => !optional || columns.some((figures) => figures?.[name] !== undefined))
    .map((format) => ({
      title: format.title(result),
      cells: columns.map((figures, at) => {
        if (figures === undefined) return NOT_MEASURED;
        const spread = figures[format.name];
        return spread === undefined ? (at === 0 ? '-' : (format.absent ?? '-')) : spreadOf(spread, format.shown);
      }),
    }));
}

const HOURS_A_MONTH = 730;

function priceRows(result: BenchResult): Row[] {
  const { price_per_hour: hour } = result.options;
  const titles = [`cost a month, kept up ${HOURS_A_MONTH} hours`, 'cost of a million tokens, always busy'] as const;
  const api = result.baseline === null ? NOT_MEASURED : 'see embedkit cost';
  if (hour === null) return titles.map((title) => ({ title, cells: [api, ...result.variants.map(() => 'needs --price-per-hour')] }));
  const prices = result.variants.map(({ figures: { price_per_million_tokens: price } }) => (price ? spreadOf(price, threeDigits) : '-'));
  return [
    { title: titles[0], cells: [api, ...result.variants.map(() => (hour * HOURS_A_MONTH).toFixed(2))] },
    { title: titles[1], cells: [api, ...prices] },
  ];
}

/** "0.00412", "8.9", "1230". */
export function threeDigits(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** "12.3 (12.1-12.6)"; the value alone where nothing more is known. */
export function spreadOf({ value, low, high, samples }: Spread, shown: (value: number) => string): string {
  return samples < 2 ? shown(value) : `${shown(value)} (${shown(low)}-${shown(high)})`;
}

/** The first line: whether to trust what follows. */
export function verdictOf({ noise, variants, before, after }: BenchResult): string {
  if (noise.length > 0) return `NOISY RUN: ${noise.join('; ')}`;
  const widths = variants.map(({ figures }) => (figures.texts_per_second === undefined ? 0 : relativeWidth(figures.texts_per_second)));
  const rounds = variants[0]?.turns.length ?? 0;
  const seconds = (Date.parse(after.date) - Date.parse(before.date)) / 1000;
  return `quiet run: ${rounds} rounds in ${duration(seconds)}, speeds known to ±${(100 * Math.max(...widths)).toFixed(1)}%`;
}
