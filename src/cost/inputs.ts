// What a cost is computed from: volume, prices with their date, and machines with their speed. Plain data, checked once.
import { EmbedkitError } from '../errors.js';

/** Hours in the mean month of a year of 365 days: what clouds bill by. */
export const HOURS_PER_MONTH = 730;
export const HOURS_PER_NIGHT_AND_DAY = 24;

/** `up`: paid for every hour of the month. `job`: paid for only while the texts are embedded. */
export const INSTANCE_USES = ['up', 'job'] as const;
export type InstanceUse = (typeof INSTANCE_USES)[number];

/** One way to embed on one's own machine. */
export interface Machine {
  readonly name: string;
  /** Of one machine, measured or claimed. */
  readonly tokensPerSecond: number;
}

export interface CostInputs {
  readonly machines: readonly Machine[];
  /** Where the speeds come from, for the reader: a file's name or a flag. */
  readonly source: string;
  readonly textsPerMonth: number;
  readonly tokensPerText: number;
  /** Dollars for a machine's hour. */
  readonly pricePerHour: number;
  /** Dollars for a million tokens by API. */
  readonly apiPricePerMillion: number;
  /** The day on which the prices were looked up, as 2026-11-25. */
  readonly priceDate: string;
  readonly instance: InstanceUse;
  /** Texts a second at the busiest moment, which the machines must keep up with. */
  readonly peakRate?: number | undefined;
  /** Hours of each night in which a night's share of the month must be done. */
  readonly windowHours?: number | undefined;
  /** Share of the speed that is counted on, in (0, 1]. */
  readonly utilization: number;
}

/** Throws `usage` for a number that makes no sense, and for a peak on machines that are not kept up. */
export function checkInputs(inputs: CostInputs): CostInputs {
  const { textsPerMonth, tokensPerText, pricePerHour, apiPricePerMillion, peakRate, windowHours, utilization } = inputs;
  requireAbove(0, { '--texts-per-month': textsPerMonth, '--tokens-per-text': tokensPerText });
  requireAbove(0, { '--price-per-hour': pricePerHour, '--api-price-per-million': apiPricePerMillion });
  requireAbove(0, { '--peak-rate': peakRate, '--window-hours': windowHours, '--utilization': utilization });
  for (const { name, tokensPerSecond } of inputs.machines) requireAbove(0, { [`tokens/s of ${name}`]: tokensPerSecond });
  if (utilization > 1) refuse(`--utilization ${utilization}`, 'it is a share of at most 100%');
  if (windowHours !== undefined && windowHours > HOURS_PER_NIGHT_AND_DAY)
    refuse(`--window-hours ${windowHours}`, 'a day has 24 hours; leave it out where the whole day will do');
  if (peakRate !== undefined && inputs.instance === 'job')
    refuse('--peak-rate with --instance job', 'who serves a peak keeps machines up: say --instance up, or leave out --peak-rate');
  requireDate(inputs.priceDate);
  return inputs;
}

function requireAbove(least: number, values: Readonly<Record<string, number | undefined>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    if (!Number.isFinite(value) || value <= least) refuse(`${name} ${value}`, `give a number above ${least}`);
  }
}

function requireDate(text: string): void {
  const time = Date.parse(`${text}T00:00:00Z`);
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text) && Number.isFinite(time) && new Date(time).toISOString().startsWith(text);
  if (!isDay) refuse(`--price-date ${text}`, 'give the day on which you looked the prices up, like 2026-11-25');
}

function refuse(found: string, hint: string): never {
  throw new EmbedkitError('usage', found, { hint });
}
