// A loopback server with a known way of answering: so many at a time, each for so long, and a queue before that.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

export interface Queueing {
  /** Time that one answer takes. */
  readonly serviceMs: number;
  /** Answers made at the same time: lanes / serviceMs is what it can do. */
  readonly lanes: number;
  /** More than this many waiting get a 429. */
  readonly most?: number;
  /** By number of the request, from 0: another answer than the good one. */
  readonly odd?: (at: number) => 'hang' | 'reset' | 'half' | 'other' | 'fewer' | number | undefined;
}

export async function queueing({ serviceMs, lanes, most = Number.POSITIVE_INFINITY, odd = () => undefined }: Queueing) {
  const free: number[] = Array(lanes).fill(0);
  const keys = new Set<string | undefined>();
  let requests = 0;
  const server = createServer(async (request, response) => {
    keys.add(request.headers.authorization);
    if (request.url === '/info') return void response.end('{"version":"stand-in"}');
    let text = '';
    for await (const chunk of request) text += chunk;
    const { texts } = JSON.parse(text) as { texts: string[] };
    const odder = odd(requests++);
    const now = performance.now();
    const lane = free.indexOf(Math.min(...free));
    const start = Math.max(now, free[lane] as number);
    if (typeof odder === 'number' || ((start - now) / serviceMs) * lanes > most) {
      return void response.writeHead(typeof odder === 'number' ? odder : 429).end('{}');
    }
    free[lane] = start + serviceMs;
    await sleep(start + serviceMs - now);
    if (odder === 'hang') return;
    if (odder === 'reset') return void response.destroy();
    const embeddings = texts.map((one) => [one.length, odder === 'other' ? 1 : 0]).slice(odder === 'fewer' ? 1 : 0);
    const body = JSON.stringify({ embeddings, model: 'm', tokens: texts.reduce((sum, one) => sum + one.split(' ').length + 2, 0) });
    if (odder !== 'half') return void response.end(body);
    response.writeHead(200, { 'content-length': body.length }).write(body.slice(0, 10), () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close().closeAllConnections());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, keys, requests: () => requests };
}
