// One GET over HTTP: proxies, redirects, time-outs, and a token that goes to the hub's own host alone.
import { type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { VERSION } from '../version.js';
import type { HubSettings } from './settings.js';
import { broken, PassingTrouble, refused } from './trouble.js';

type Body = Dispatcher.ResponseData['body'];

export interface Answer {
  /** 200, or 206 where a range was asked for. */
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly body: Body;
  readonly host: string;
}

export interface Asked {
  readonly url: string;
  /** What it is, for messages. */
  readonly what: string;
  /** First byte wanted; 0: all. */
  readonly from?: number;
  readonly signal: AbortSignal;
}

export interface Sender {
  /** Throws PassingTrouble, or EmbedkitError `server-refused` or `server-unreachable` where no further try would help. */
  get(asked: Asked): Promise<Answer>;
  close(): Promise<void>;
}

const MAX_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const PASSING = new Set([408, 425, 429]);
/** Of a body that is not used, so that its connection can be. */
const DUMPED_BYTES = 2 ** 16;

/** Proxies are those of HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in either case. */
export function createSender(settings: HubSettings): Sender {
  const dispatcher = new EnvHttpProxyAgent({ headersTimeout: settings.stallMs, bodyTimeout: settings.stallMs });
  return {
    get: async (asked) => accepted(await follow(asked, settings, dispatcher), asked, settings),
    close: () => dispatcher.destroy(),
  };
}

type Received = Answer & { readonly url: URL };

async function follow(asked: Asked, settings: HubSettings, dispatcher: Dispatcher): Promise<Received> {
  let url = new URL(asked.url);
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const answer = await ask(url, asked, settings, dispatcher);
    const location = answer.header('location');
    if (!REDIRECTS.has(answer.status) || location === undefined) return answer;
    await answer.body.dump({ limit: DUMPED_BYTES }).catch(() => undefined);
    url = redirected(url, location);
  }
  throw new PassingTrouble(`${asked.what}: more than ${MAX_REDIRECTS} redirects`, 'server-failed');
}

function redirected(from: URL, location: string): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  const isSafe = to?.protocol === 'https:' || (to?.protocol === 'http:' && from.protocol === 'http:');
  if (to === undefined || !isSafe) throw new PassingTrouble(`${from.host} redirects to where embedkit does not go`, 'server-failed');
  return to;
}

async function ask(url: URL, { from = 0, signal }: Asked, settings: HubSettings, dispatcher: Dispatcher): Promise<Received> {
  const isHub = url.origin === new URL(settings.endpoint).origin;
  const headers = {
    'user-agent': `embedkit/${VERSION}`,
    'accept-encoding': 'identity',
    ...(isHub && settings.token !== undefined && { authorization: `Bearer ${settings.token}` }),
    ...(from > 0 && { range: `bytes=${from}-` }),
  };
  const {
    statusCode,
    headers: received,
    body,
  } = await request(url, { dispatcher, headers, signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw broken(url.host, error);
  });
  // A body that is let go may still break, and nobody listens then.
  body.on('error', () => undefined);
  const header = (name: string): string | undefined => [received[name]].flat()[0];
  return { status: statusCode, header, body, host: url.host, url };
}

async function accepted(answer: Received, asked: Asked, settings: HubSettings): Promise<Answer> {
  const { status, header, host, url } = answer;
  if (status === 200 || (status === 206 && (asked.from ?? 0) > 0)) return answer;
  await answer.body.dump({ limit: DUMPED_BYTES }).catch(() => undefined);
  const isHub = url.origin === new URL(settings.endpoint).origin;
  // A storage host refuses addresses that have run out; the hub gives a fresh one.
  if (status >= 500 || PASSING.has(status) || (status >= 400 && !isHub)) {
    const busy = status === 429 ? 'asks to wait' : 'failed';
    throw new PassingTrouble(`${asked.what}: ${host} ${busy} (status ${status})`, 'server-failed', retryAfterMs(header('retry-after')));
  }
  throw refused({ status, errorCode: header('x-error-code'), what: asked.what, host, hasToken: settings.token !== undefined });
}

/** Milliseconds of a Retry-After header: seconds or a date. */
function retryAfterMs(header: string | undefined): number {
  const text = header?.trim() ?? '';
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}
