// What a load is made of, and the default of every limit. Types, constants and their check.
import { EmbedkitError } from '../errors.js';
import { MIXES, type MixName } from './mixes.js';

export interface LoadOptions {
  /** The server: the place before /embed. */
  readonly url: string;
  /** Requests a second, each rate for a while of its own; none: rates are sought until the knee is found. */
  readonly rates?: readonly number[] | undefined;
  /** What is measured at each rate, after the warm-up. */
  readonly seconds?: number | undefined;
  readonly warmUpSeconds?: number | undefined;
  readonly mix?: MixName | undefined;
  readonly textsPerRequest?: number | undefined;
  /** A request that is not answered whole by then counts as hung. */
  readonly timeoutMs?: number | undefined;
  /** A rate whose P99 is above this counts as not kept up. */
  readonly maxP99Ms?: number | undefined;
  /** Multiples of the knee to run after it was found, as [2]. */
  readonly beyond?: readonly number[] | undefined;
  readonly seed?: number | undefined;
  readonly model?: string | undefined;
  readonly apiKey?: string | undefined;
}

export interface LoadSettings {
  readonly rates: readonly number[] | undefined;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly mix: MixName;
  readonly textsPerRequest: number;
  readonly timeoutMs: number;
  readonly maxP99Ms: number | null;
  readonly beyond: readonly number[];
  readonly seed: number;
  readonly model: string | undefined;
}

/** More arrivals than this in one step would be more than this generator can send on time. */
const MOST_REQUESTS = 2_000_000;

/** Throws `usage`. */
export function settle(options: LoadOptions): LoadSettings {
  const { rates, model, maxP99Ms = null, seconds = 10, warmUpSeconds = 2, mix = 'fixed' } = options;
  const { textsPerRequest = 1, timeoutMs = 10_000, beyond = [], seed = 1 } = options;
  if (!(mix in MIXES)) refuse(`--mix ${mix}`, `choose one of ${Object.keys(MIXES).join(', ')}`);
  requireWithin('--seconds', seconds, 0.1, 86_400);
  requireWithin('--warm-up', warmUpSeconds, 0, 3600);
  requireWithin('--timeout-ms', timeoutMs, 1, 120_000);
  requireWithin('--texts-per-request', textsPerRequest, 1, 2048);
  requireWithin('--seed', seed, 0, 2 ** 32 - 1);
  for (const factor of beyond) requireWithin('--beyond', factor, 0.01, 100);
  for (const rate of rates ?? []) requireWithin('--rates', rate, 0.01, MOST_REQUESTS / (seconds + warmUpSeconds));
  if (rates !== undefined && rates.length === 0) refuse('--rates is empty', 'name requests per second, like 10,20,40, or leave it out');
  if (!URL.canParse(options.url) || !/^https?:$/.test(new URL(options.url).protocol))
    refuse(`"${options.url}" is no address`, 'write it like http://127.0.0.1:8000');
  return { rates, seconds, warmUpSeconds, mix, textsPerRequest, timeoutMs, maxP99Ms, beyond, seed, model };
}

function requireWithin(name: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return;
  refuse(`${name} ${value}`, `choose a number from ${least} to ${Math.floor(most)}`);
}

function refuse(found: string, hint: string): never {
  throw new EmbedkitError('usage', found, { hint });
}
