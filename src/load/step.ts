// One rate for a while: what was offered, what was answered in time, how late it was, and whether the server kept up.
import { type Departure, drive } from './drive.js';
import { createLatencies, type Percentiles } from './latencies.js';
import type { LoadSettings } from './options.js';
import type { Requests } from './requests.js';
import { arrivals } from './schedule.js';

export interface Step {
  /** Requests a second that were asked for. */
  readonly rate: number;
  /** The same, as the random arrivals of the measured time came out. */
  readonly offered_per_second: number;
  /** Requests that came due within the measured time, by what became of them. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Good answers that arrived within the measured time, over that time. */
  readonly good_per_second: number;
  readonly tokens_per_second: number;
  /** Good answers, from when they were due: a generator or a server that is behind is not excused. */
  readonly latency_ms: Percentiles;
  /** Good answers, from when they were sent. */
  readonly service_ms: Percentiles;
  /** Refusals for want of room or time (429, 503), from when the request was sent: a server that is asked for too much should say so at once. */
  readonly refusal_ms: Percentiles;
  /** By how much the generator itself was late. */
  readonly lateness_ms: Percentiles;
  /** Of `latency_ms`, in microseconds: HDR, V2, compressed, base64. */
  readonly latency_histogram: string;
  readonly kept_up: boolean;
  /** Why not; empty where it did. */
  readonly behind: string;
}

/** Share of what was offered that must come back good. */
const LEAST_GOOD = 0.95;
/** Requests under way at either end of the measured time: without them a few requests could not tell anything. */
const EDGE_REQUESTS = 3;
const MOST_FAILED = 0.01;
const REFUSED: ReadonlySet<string> = new Set(['status-429', 'status-503']);

/** Runs one rate. Throws the reason of `signal`. */
export async function runStep(rate: number, requests: Requests, settings: LoadSettings, signal?: AbortSignal): Promise<Step> {
  const { seconds, warmUpSeconds, seed } = settings;
  const from = warmUpSeconds * 1000;
  const until = from + seconds * 1000;
  const [latency, service, refusal, lateness] = [createLatencies(), createLatencies(), createLatencies(), createLatencies()];
  const outcomes: Record<string, number> = {};
  const within = { due: 0, good: 0, tokens: 0 };
  const started = performance.now();
  const send = async ({ at, due, sent }: Departure): Promise<void> => {
    const { outcome, tokens } = await requests.send(at);
    const now = performance.now() - started;
    if (outcome === 'ok' && now >= from && now < until) {
      within.good++;
      within.tokens += tokens;
    }
    if (due < from) return;
    within.due++;
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    lateness.record(sent - due);
    if (REFUSED.has(outcome)) refusal.record(now - sent);
    if (outcome !== 'ok') return;
    latency.record(now - due);
    service.record(now - sent);
  };
  await drive(arrivals(rate, warmUpSeconds + seconds, seed), send, signal);
  const behind = whyBehind(within, outcomes, latency.percentiles(), settings.maxP99Ms);
  return {
    rate,
    offered_per_second: within.due / seconds,
    outcomes,
    good_per_second: within.good / seconds,
    tokens_per_second: within.tokens / seconds,
    latency_ms: latency.percentiles(),
    service_ms: service.percentiles(),
    refusal_ms: refusal.percentiles(),
    lateness_ms: lateness.percentiles(),
    latency_histogram: latency.encoded(),
    kept_up: behind === '',
    behind,
  };
}

/** Why the server did not keep up; empty where it did. */
export function whyBehind(
  { due, good }: { readonly due: number; readonly good: number },
  outcomes: Readonly<Record<string, number>>,
  { p99 }: Percentiles,
  maxP99Ms: number | null,
): string {
  const failed = Object.entries(outcomes).filter(([outcome]) => outcome !== 'ok');
  const lost = failed.reduce((sum, [, requests]) => sum + requests, 0);
  if (lost > MOST_FAILED * due) return failed.map(([outcome, requests]) => `${requests} ${outcome}`).join(', ');
  if (good < LEAST_GOOD * due - EDGE_REQUESTS) return `${good} of ${due} answered in the time`;
  if (maxP99Ms !== null && p99 !== null && p99 > maxP99Ms) return `P99 ${p99.toFixed(0)} ms`;
  return '';
}
