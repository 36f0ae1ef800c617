// A server for tests: on a free port, with a log that can be read, over real engines or stubs.
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { DEFAULT_BATCHES, DEFAULT_LIMITS, type ServeLimits } from '#src/serve/config.js';
import { type ServeConfig, type Server, startServer } from '#src/serve/server.js';

export const REAL_ENGINE = new URL('../../dist/cli/engine-process.js', import.meta.url);
export const STUB_ENGINE = new URL('./stub-engine.mjs', import.meta.url);

/** Unless a test asks for it, nothing is refused for how slow a busy machine is. */
const PATIENCE_MS = 600_000;

export interface Served {
  readonly server: Server;
  readonly url: string;
  /** Log lines so far. */
  readonly lines: Record<string, unknown>[];
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
}

/** What answers may hold; each has some of it. */
export interface Body {
  readonly embeddings: number[][];
  readonly tokens: number;
  readonly latency_ms: number;
  readonly data: { readonly object: string; readonly index: number; readonly embedding: string & number[]; readonly id: string }[];
  readonly usage: unknown;
  readonly error: { readonly message: string; readonly code: string; readonly type: string; readonly param: string | null };
  readonly models: unknown[];
  readonly limits: Record<string, number>;
}

export async function bodyOf<T = Body>(response: Response | Promise<Response>): Promise<T> {
  return (await (await response).json()) as T;
}

export type Changes = Partial<Omit<ServeConfig, 'limits' | 'log'>> & { readonly limits?: Partial<ServeLimits> };

export async function startServed(changes: Changes = {}): Promise<Served> {
  const lines: Record<string, unknown>[] = [];
  const sink = new Writable({
    write: (chunk, _, done) => {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  const server = await startServer({
    host: '127.0.0.1',
    port: 0,
    models: [{ folder: undefined }],
    threads: 2,
    batches: DEFAULT_BATCHES,
    acceptTokenIds: false,
    engineScript: STUB_ENGINE,
    ...changes,
    limits: { ...DEFAULT_LIMITS, maxQueueMs: PATIENCE_MS, ...changes.limits },
    log: pino({ base: null }, sink),
  });
  const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(server.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return { server, url: server.url, lines, post };
}

/** A server of one test's own, closed when that ends. */
export async function served(changes: Changes = {}): Promise<Served> {
  const one = await startServed(changes);
  onTestFinished(async () => void (await one.server.close(0)));
  return one;
}

export async function until(holds: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('it did not come to hold in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The value of a metric, summed over those of its labels that match. */
export async function metric(url: string, name: string, label = ''): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(name) && /[{ ]/.test(line[name.length] ?? '') && line.includes(label));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}
