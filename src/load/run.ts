// The load: step after step of arrivals against a server, up to the knee and, where asked, beyond it. The place to start reading.
import { EmbedkitError } from '../errors.js';
import { VERSION } from '../version.js';
import { kneeOf, nextRate } from './knee.js';
import { type LoadOptions, type LoadSettings, settle } from './options.js';
import { openRequests, type Requests } from './requests.js';
import { runStep, type Step } from './step.js';

export interface LoadRun extends LoadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told after each rate. */
  readonly onStep?: ((step: Step) => void) | undefined;
}

export interface LoadResult {
  readonly kind: 'embedkit-load';
  /** Version of this layout. */
  readonly format: 1;
  readonly url: string;
  readonly started: string;
  readonly embedkit: string;
  readonly node: string;
  readonly settings: LoadSettings;
  /** What the server says of itself at /info; null where it says nothing. */
  readonly server: unknown;
  readonly steps: readonly Step[];
  /** Requests a second of the knee; null where no rate was kept up with. */
  readonly knee: number | null;
  /** False where every rate was kept up with: the knee may lie higher. */
  readonly knee_is_bounded: boolean;
  readonly beyond: readonly (Step & { readonly times_knee: number })[];
}

/** What one generator in one thread can send on time. */
const MOST_RATE = 8192;

/**
 * Sends requests at given or sought rates. Arrivals do not wait for answers, so that a slow server is asked as often as a quick one.
 * @throws EmbedkitError: `usage`; `server-unreachable` where nothing answers; or the reason of `options.signal`
 */
export async function runLoad(options: LoadRun): Promise<LoadResult> {
  const settings = settle(options);
  const { signal, onStep } = options;
  const started = new Date().toISOString();
  const requests = openRequests(options.url, options.apiKey, settings);
  try {
    await requireAnswer(requests, options.url);
    const server = await infoOf(options);
    const run = async (rate: number): Promise<Step> => {
      const step = await runStep(rate, requests, settings, signal);
      onStep?.(step);
      return step;
    };
    const steps = await climb(settings, run);
    const knee = kneeOf(steps) ?? null;
    const beyond: LoadResult['beyond'][number][] = [];
    for (const factor of knee === null ? [] : settings.beyond)
      beyond.push({ times_knee: factor, ...(await run((knee as number) * factor)) });
    const head = { kind: 'embedkit-load', format: 1, url: options.url, started, embedkit: VERSION, node: process.version } as const;
    return { ...head, settings, server, steps, knee, knee_is_bounded: steps.some(({ kept_up }) => !kept_up), beyond };
  } finally {
    requests.close();
  }
}

async function climb(settings: LoadSettings, run: (rate: number) => Promise<Step>): Promise<Step[]> {
  const steps: Step[] = [];
  while (true) {
    const rate = nextRate(settings.rates, steps, MOST_RATE);
    if (rate === undefined) return steps;
    steps.push(await run(rate));
  }
}

/** A wrong address or key should not cost minutes of refused requests. */
async function requireAnswer(requests: Requests, url: string): Promise<void> {
  const { outcome } = await requests.send(0);
  if (outcome === 'ok') return;
  throw new EmbedkitError('server-unreachable', `${url}: the first request came back as ${outcome}`, {
    hint: 'start it with embedkit serve, and check address, model and key',
  });
}

async function infoOf({ url, apiKey }: LoadOptions): Promise<unknown> {
  const headers: Record<string, string> = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  const answer = await fetch(`${url.replace(/\/+$/, '')}/info`, { headers, signal: AbortSignal.timeout(5000) }).catch(() => undefined);
  return answer?.ok ? answer.json().catch(() => null) : null;
}
