// The flags of `cost`.
import { InvalidArgumentError } from 'commander';
import { INSTANCE_USES, type InstanceUse } from '../cost/inputs.js';
import { type Flag, percentage } from './flags.js';
import { type InspectArguments, RESULT_FLAGS } from './inspect.js';

export const COST_FLAGS: readonly Flag[] = [
  { flags: '--bench <file>', help: 'JSON of embedkit bench: the measured speed of each variant' },
  { flags: '--rate <n>', help: 'tokens per second of one machine, in place of --bench', parse: amount },
  { flags: '--texts-per-month <n>', help: 'volume', parse: amount },
  { flags: '--tokens-per-text <n>', help: 'mean length of a text', parse: amount },
  { flags: '--price-per-hour <n>', help: 'dollars for an hour of one machine', parse: amount },
  { flags: '--api-price-per-million <n>', help: 'dollars for a million tokens by API', parse: amount },
  { flags: '--price-date <day>', help: 'day on which you looked the prices up, like 2026-11-25' },
  {
    flags: '--instance <use>',
    help: 'up: machines are kept up all month; job: they are paid for only while the job runs',
    fallback: 'up',
    choices: INSTANCE_USES,
  },
  { flags: '--peak-rate <n>', help: 'texts per second that machines kept up must stand', fallback: 'none', parse: amount },
  { flags: '--window-hours <n>', help: "hours of a night for a night's share of the month", fallback: 'the whole day', parse: amount },
  { flags: '--utilization <share>', help: 'share of the speed to count on, like 70%', fallback: '100%', parse: percentage },
  { flags: '--html <file>', help: 'page with the table and a plot of both cost curves', fallback: 'none' },
  ...RESULT_FLAGS,
];

/** The options as commander names them. */
export interface CostArguments extends InspectArguments {
  readonly bench?: string;
  readonly rate?: number;
  readonly textsPerMonth?: number;
  readonly tokensPerText?: number;
  readonly pricePerHour?: number;
  readonly apiPricePerMillion?: number;
  readonly priceDate?: string;
  readonly instance?: InstanceUse;
  readonly peakRate?: number;
  readonly windowHours?: number;
  readonly utilization?: number;
  readonly html?: string;
}

/** A number, as 5750000, 0.02, 12M or 1B. */
function amount(text: string): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([kmgb]?)$/i.exec(text.trim()) ?? [];
  if (digits === undefined) throw new InvalidArgumentError(`"${text}" is not a number like 1000, 0.02, 12M or 1B`);
  return Number(digits) * ({ k: 1e3, m: 1e6, g: 1e9, b: 1e9 }[unit.toLowerCase()] ?? 1);
}
