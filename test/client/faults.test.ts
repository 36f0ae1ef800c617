// What a failing server costs the caller: tries, waits, the circuit, and the sentence at the end.
import { describe, expect, it } from 'vitest';
import { type CircuitName, type ClientLimits, createClient, type EmbedkitError } from '#src/client/index.js';
import { deadPort, type Manner, standIn, vectorOf } from './stand-in.js';

const QUICK: Partial<ClientLimits> = { timeoutMs: 20_000, backoffMs: 10, probeAfterMs: 200 };
const client = (url: string, limits: Partial<ClientLimits> = {}, states: CircuitName[] = []) =>
  createClient({ server: url, limits: { ...QUICK, ...limits }, onCircuit: (state) => states.push(state) });
const failure = (call: Promise<unknown>): Promise<EmbedkitError> =>
  call.then(
    () => expect.fail('did not fail'),
    (error: EmbedkitError) => error,
  );

describe('one fault, then an answer', () => {
  it.each<[Manner, number]>([
    ['reset', 2],
    ['half-length', 2],
    ['half-chunked', 2],
    ['half-json', 2],
    ['page', 2],
    [{ status: 503 }, 2],
    [{ status: 429 }, 2],
  ])('%j is tried again', async (manner, requests) => {
    const server = await standIn({ manners: [manner, 'answer'] });
    const { embeddings } = await client(server.url).embed(['a', 'b']);
    expect(embeddings).toEqual(['a', 'b'].map((text) => Float32Array.from(vectorOf(text, 'small'))));
    expect(server.received.length).toBe(requests);
  });

  it.each<[Manner, string, RegExp]>([
    ['hang', 'server-unreachable', /no whole answer within 300 ms/],
    [{ status: 500 }, 'server-failed', /status 500: told to/],
    [{ status: 400, body: '{"message":"as Cohere says it"}' }, 'server-refused', /status 400: as Cohere says it/],
    [{ status: 422, body: '{"error":"as others say it"}' }, 'server-refused', /status 422: as others say it/],
    [{ status: 401, body: 'plain\n text' }, 'server-refused', /status 401: plain text/],
    [{ json: { embeddings: [[1, 2]], model: 'm' } }, 'server-failed', /1 vectors for 2 texts/],
    [{ json: { embeddings: [[1, 2], [1]], model: 'm' } }, 'server-failed', /vector 1 has length 1, the first 2/],
    [{ json: { embeddings: [[], []], model: 'm' } }, 'server-failed', /vector 0 has length 0/],
    [{ json: { embeddings: [[1e39], [1]], model: 'm' } }, 'server-failed', /vector 0 holds a value that is no finite float32/],
    [{ json: { embeddings: [[null], [1]], model: 'm' } }, 'server-failed', /another shape: embeddings\.0\.0: /],
    [{ json: { vectors: [] } }, 'server-failed', /another shape: embeddings: /],
  ])('%j is not', async (manner, code, message) => {
    const server = await standIn({ manners: [manner, 'answer'] });
    const limits = manner === 'hang' ? { timeoutMs: 300 } : {};
    const error = await failure(client(server.url, limits).embed(['a', 'b']));
    expect([error.code, server.received.length]).toEqual([code, 1]);
    expect(error.message).toMatch(message);
    expect(error.sentence).toMatch(/^http:\/\/127\.0\.0\.1:\d+: .+; .+/);
  });
});

describe('tries', () => {
  it('are two, against a server that is not there', async () => {
    const calls: string[] = [];
    const counted = createClient({
      server: `http://127.0.0.1:${await deadPort()}`,
      limits: QUICK,
      fetch: (url, init) => {
        calls.push(url);
        return fetch(url, init);
      },
    });
    const error = await failure(counted.embed(['a']));
    expect([error.code, calls.length]).toEqual(['server-unreachable', 2]);
    expect(error.message).toMatch(/no connection \(ECONNREFUSED: /);
  });

  it('wait as long as the server says, and no less', async () => {
    const server = await standIn({ manners: [{ status: 429, headers: { 'retry-after': '1' } }, 'answer'] });
    await client(server.url).embed(['a']);
    const [first, second] = server.received.map(({ at }) => at) as [number, number];
    expect(second - first).toBeGreaterThanOrEqual(995);
  });

  it('end where it says too long', async () => {
    const server = await standIn({ manners: [{ status: 429, headers: { 'retry-after': '3600' } }, 'answer'] });
    const error = await failure(client(server.url).embed(['a']));
    expect([error.code, server.received.length]).toEqual(['server-failed', 1]);
  });

  it('end at once when the caller aborts: while it hangs, and while it waits to try again', async () => {
    const limits = { timeoutMs: 60_000 };
    for (const manner of ['hang', { status: 503, headers: { 'retry-after': '9' } }] satisfies Manner[]) {
      const server = await standIn({ manners: [manner] });
      const controller = new AbortController();
      const reason = new Error('enough');
      const call = client(server.url, limits).embed(['a'], { signal: controller.signal });
      while (server.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      setTimeout(() => controller.abort(reason), 30);
      await expect(call).rejects.toBe(reason);
      await expect(client(server.url).embed(['a'], { signal: controller.signal })).rejects.toBe(reason);
      expect(server.received.length).toBe(1);
    }
  });
});

describe('the circuit', () => {
  it('opens at the third failure in a row, asks nothing then, and a probe closes it', async () => {
    const states: CircuitName[] = [];
    const server = await standIn({ manners: [{ status: 500 }] });
    const tried = client(server.url, { probeAfterMs: 1000 }, states);
    for (const _ of [1, 2]) await failure(tried.embed(['a']));
    expect(tried.circuit).toBe('closed');
    await failure(tried.embed(['a']));
    expect([tried.circuit, server.received.length]).toEqual(['open', 3]);
    const error = await failure(tried.embed(['a']));
    expect([error.code, server.received.length]).toEqual(['server-unreachable', 3]);
    expect(error.message).toMatch(/not asked now, after failures in a row \(the last: status 500: told to\)/);
    await new Promise((resolve) => setTimeout(resolve, 1020));
    await failure(tried.embed(['a']));
    expect([tried.circuit, server.received.length]).toEqual(['open', 4]);
    server.manners = ['answer'];
    await new Promise((resolve) => setTimeout(resolve, 1020));
    await tried.embed(['a']);
    expect(states).toEqual(['open', 'half-open', 'open', 'half-open', 'closed']);
  });

  it('counts failures in a row only, and neither overload nor wrong requests', async () => {
    const bad = { status: 500 };
    const server = await standIn({ manners: [bad, bad, 'answer', bad, bad, { status: 429 }, { status: 429 }, { status: 422 }, 'answer'] });
    const tried = client(server.url);
    let good = 0;
    for (let call = 0; call < 8; call++) {
      const isGood = await tried.embed(['a']).then(
        () => true,
        () => false,
      );
      good += isGood ? 1 : 0;
    }
    expect([good, tried.circuit]).toEqual([2, 'closed']);
  });

  it('lets one probe through at a time, and one that its caller gave up proves nothing', async () => {
    const server = await standIn({ manners: [{ status: 500 }, { status: 500 }, { status: 500 }, 'hang', 'answer'] });
    const tried = client(server.url, { timeoutMs: 60_000 });
    for (const _ of [1, 2, 3]) await failure(tried.embed(['a']));
    await new Promise((resolve) => setTimeout(resolve, 220));
    const controller = new AbortController();
    const probe = tried.embed(['a'], { signal: controller.signal });
    while (server.received.length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(tried.circuit).toBe('half-open');
    expect((await failure(tried.embed(['b']))).message).toMatch(/it is being asked whether it is back/);
    controller.abort(new Error('enough'));
    await expect(probe).rejects.toThrow('enough');
    expect([tried.circuit, server.received.length]).toEqual(['open', 4]);
  });
});
