// A loopback server that speaks as embedkit's, as OpenAI's contract or as Cohere's API, and that misbehaves as it is told.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export const DIM = 4;

/** What a request meets; `answer` is a good one. */
export type Manner =
  | 'answer'
  | 'hang'
  | 'reset'
  | 'half-length'
  | 'half-chunked'
  | 'half-json'
  | 'page'
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  | { readonly json: unknown };

export interface StandInOptions {
  readonly model?: string;
  /** Null: it has no /info. */
  readonly fingerprint?: string | null;
  readonly dim?: number;
  /** By number of the request for vectors, from 0; the last goes on. */
  readonly manners?: readonly Manner[];
  readonly info?: Manner;
  readonly aliases?: readonly string[];
  /** Whether its answers carry the fingerprint themselves. */
  readonly tells?: boolean;
  /** The port of one that is gone. */
  readonly port?: number;
}

export interface Received {
  readonly path: string;
  readonly body: Record<string, unknown> & { texts?: string[]; input?: string[] };
  readonly key: string | undefined;
  readonly at: number;
}

export interface StandIn {
  readonly url: string;
  readonly port: number;
  /** Requests for vectors. */
  readonly received: Received[];
  /** Requests for /info. */
  asked: number;
  manners: readonly Manner[];
  model: string;
  fingerprint: string | null;
  /** Ends it and all its connections. */
  stop(): Promise<void>;
}

/** The vector of a text: distinct by text and model, exact in float32. */
export function vectorOf(text: string, model: string, dim = DIM): number[] {
  let state = 7;
  for (const char of `${model}\u0000${text}`) state = (Math.imul(state, 31) + (char.codePointAt(0) as number)) >>> 0;
  return Array.from({ length: dim }, (_, at) => Math.fround((((state >>> at) % 1000) + 1) / 1024));
}

export async function standIn(options: StandInOptions = {}): Promise<StandIn> {
  const { dim = DIM, info = 'answer', aliases = [] } = options;
  const received: Received[] = [];
  const here = { asked: 0, manners: options.manners ?? ['answer'], model: options.model ?? 'small', fingerprint: fingerprintOf(options) };
  const server = createServer(async (request, response) => {
    const path = request.url ?? '';
    if (path.endsWith('/info')) {
      here.asked++;
      const models = [{ name: here.model, aliases, fingerprint: here.fingerprint, dim, prompts: ['none', 'query', 'document'] }];
      behave(response, here.fingerprint === null ? { status: 404 } : info, { version: '0', models });
      return;
    }
    const body = await read(request);
    const manner = here.manners[Math.min(received.length, here.manners.length - 1)] as Manner;
    received.push({ path, body, key: request.headers.authorization, at: performance.now() });
    const good = answerTo(path, body, here.model, dim);
    behave(response, manner, options.tells ? { ...good, fingerprint: here.fingerprint } : good);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = (): Promise<void> => close(server);
  onTestFinished(stop);
  return Object.assign(here, { url: `http://127.0.0.1:${port}`, port, received, stop });
}

function fingerprintOf({ fingerprint }: StandInOptions): string | null {
  return fingerprint === undefined ? 'f'.repeat(64) : fingerprint;
}

/** A port on which nothing listens. */
export async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await close(server);
  return port;
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

async function read(request: IncomingMessage): Promise<Received['body']> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return JSON.parse(text);
}

function answerTo(path: string, body: Received['body'], model: string, dim: number): object {
  const texts = body.texts ?? body.input ?? [];
  const vectors = texts.map((text) => vectorOf(text, model, dim));
  if (path === '/embed') {
    const truncated = texts.flatMap((text, index) => (text.startsWith('long') ? [index] : []));
    return { embeddings: vectors, latency_ms: 1, model, tokens: 3 * texts.length, truncated };
  }
  if (path === '/v2/embed')
    return { id: 'x', embeddings: { float: vectors }, texts, meta: { billed_units: { input_tokens: 3 * texts.length } } };
  // In another order than asked: the index counts.
  const data = vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })).reverse();
  return { object: 'list', data, model, usage: { prompt_tokens: 3 * texts.length, total_tokens: 3 * texts.length } };
}

function behave(response: ServerResponse, manner: Manner, good: unknown): void {
  const json = { 'content-type': 'application/json' };
  const whole = JSON.stringify(good);
  const half = whole.slice(0, whole.length / 2);
  const acts: Record<Extract<Manner, string>, () => void> = {
    answer: () => response.writeHead(200, json).end(whole),
    hang: () => undefined,
    reset: () => response.socket?.resetAndDestroy(),
    'half-length': () => {
      response.writeHead(200, { ...json, 'content-length': whole.length }).write(half, () => response.destroy());
    },
    'half-chunked': () => {
      response.writeHead(200, json).write(half, () => response.destroy());
    },
    'half-json': () => response.writeHead(200, json).end(half),
    page: () => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>some proxy</html>'),
  };
  if (typeof manner === 'string') acts[manner]();
  else if ('json' in manner) response.writeHead(200, json).end(JSON.stringify(manner.json));
  else response.writeHead(manner.status, { ...json, ...manner.headers }).end(manner.body ?? '{"error":{"message":"told to"}}');
}
