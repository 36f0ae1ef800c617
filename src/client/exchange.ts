// One request and its answer over HTTP: JSON out, JSON in, and every way that this goes wrong as a Failure.
import type { Fetch } from './config.js';
import { connectionMessage, Failure, faultOfStatus } from './failure.js';

export interface Exchange {
  readonly url: string;
  /** Undefined: GET. */
  readonly body?: unknown;
  readonly apiKey: string | undefined;
}

const MESSAGE_LENGTH = 300;
const JSON_BODY = { 'content-type': 'application/json' };

/** The parsed answer. Throws Failure, also for an answer that ends early or is no JSON. */
export async function exchange({ url, body, apiKey }: Exchange, fetch: Fetch, signal: AbortSignal): Promise<unknown> {
  const key = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { accept: 'application/json', ...(body !== undefined && JSON_BODY), ...key },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    // A key must not follow to wherever an answer points.
    redirect: 'error',
    signal,
  }).catch((error: unknown) => {
    throw new Failure('unreachable', `no connection (${connectionMessage(error)})`, undefined, error);
  });
  const text = await response.text().catch((error: unknown) => {
    throw new Failure('broken-off', `the answer broke off (${connectionMessage(error)})`, undefined, error);
  });
  if (!response.ok) throw refusalOf(response, text);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Failure('broken-off', `the answer is not whole JSON (${text.length} characters)`, undefined, error);
  }
}

function refusalOf({ status, headers }: Response, text: string): Failure {
  const said = messageIn(text);
  return new Failure(faultOfStatus(status), `status ${status}${said && `: ${said}`}`, retryAfterMs(headers.get('retry-after'), Date.now()));
}

/** Milliseconds of a Retry-After header: seconds or a date. */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

/** The sentence in an error's body: as embedkit and OpenAI write it, as Cohere does, or plain. */
export function messageIn(text: string): string {
  let found: unknown = text;
  try {
    const body = JSON.parse(text) as { error?: { message?: unknown } | string; message?: unknown } | null;
    const { error, message } = body ?? {};
    found = (typeof error === 'object' ? error?.message : error) ?? message ?? text;
  } catch {
    // Plain text, or a page of some proxy.
  }
  const line = String(found).replace(/\s+/g, ' ').trim();
  return line.length > MESSAGE_LENGTH ? `${line.slice(0, MESSAGE_LENGTH)}…` : line;
}
