// `embedkit load`: reads the arguments, drives the server, prints a line a rate and then the table or one JSON object.
import { readFile } from 'node:fs/promises';
import { wrapError } from '../errors.js';
import { count } from '../format.js';
import { type LoadResult, runLoad } from '../load/run.js';
import type { Step } from '../load/step.js';
import { aligned } from './aligned.js';
import { asksForJson } from './inspect.js';
import type { LoadArguments } from './load-flags.js';
import { abortOnSignals } from './signals.js';

/** Runs `load`; throws EmbedkitError. */
export async function load(url: string, given: LoadArguments): Promise<void> {
  const signals = abortOnSignals();
  try {
    const { warmUp, limitMs, apiKeyFile, quiet, json: _, logFormat: __, ...rest } = given;
    const result = await runLoad({
      ...rest,
      url,
      warmUpSeconds: warmUp,
      maxP99Ms: limitMs,
      apiKey: await keyIn(apiKeyFile),
      signal: signals.signal,
      onStep: (step) => {
        if (!quiet) process.stderr.write(`${stepLine(step)}\n`);
      },
    });
    process.stdout.write(`${asksForJson(given) ? JSON.stringify(result) : loadText(result)}\n`);
  } finally {
    signals.release();
  }
}

export async function keyIn(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    throw wrapError(error, 'input-unreadable', `--api-key-file ${path} cannot be read`, 'check the path');
  }
}

export function stepLine({ rate, good_per_second, latency_ms, behind }: Step): string {
  const found = `${rounded(good_per_second)} good answers/s, P50 ${milliseconds(latency_ms.p50)} ms`;
  return `${rounded(rate)} requests/s: ${found}${behind && ` (behind: ${behind})`}`;
}

const HEADING = [
  'requests/s',
  'good/s',
  'tokens/s',
  'P50 ms',
  'P95',
  'P99',
  'max',
  'failed',
  'refused in, P99 ms',
  'generator late, P99 ms',
  '',
];

export function loadText(result: LoadResult): string {
  const { settings, knee, knee_is_bounded, steps, beyond } = result;
  const rows = [...steps.map((step) => rowOf(step, '')), ...beyond.map((step) => rowOf(step, `${step.times_knee} x the knee; `))];
  return [kneeLine(knee, knee_is_bounded), '', ...aligned([HEADING, ...rows], 0), '', footLine(settings)].join('\n');
}

function kneeLine(knee: number | null, isBounded: boolean): string {
  if (knee === null) return 'no rate was kept up with: there is no knee';
  return `knee: ${rounded(knee)} requests/s${isBounded ? '' : ' or more: every rate was kept up with'}`;
}

function rowOf(
  { rate, good_per_second, tokens_per_second, latency_ms, refusal_ms, lateness_ms, outcomes, behind }: Step,
  note: string,
): string[] {
  const failed = Object.entries(outcomes).reduce((sum, [outcome, requests]) => (outcome === 'ok' ? sum : sum + requests), 0);
  const { p50, p95, p99, max } = latency_ms;
  return [
    rounded(rate),
    rounded(good_per_second),
    count(tokens_per_second),
    ...[p50, p95, p99, max].map(milliseconds),
    count(failed),
    milliseconds(refusal_ms.p99),
    milliseconds(lateness_ms.p99),
    `${note}${behind === '' ? 'kept up' : `behind: ${behind}`}`,
  ];
}

function footLine({ seconds, warmUpSeconds, mix, textsPerRequest, seed }: LoadResult['settings']): string {
  return `open loop, Poisson arrivals, ${seconds} s a rate after ${warmUpSeconds} s of warm-up, mix ${mix}, ${textsPerRequest} text(s) a request, seed ${seed}; latencies from when a request was due`;
}

function rounded(value: number): string {
  return value < 100 ? value.toFixed(1) : count(value);
}

/** A dash where there are too few samples to tell. */
function milliseconds(value: number | null): string {
  if (value === null) return '-';
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : count(value);
}
