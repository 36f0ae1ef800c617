// Bounds: what is too much is refused at once and with the right status; who goes away takes its work along.
import { describe, expect, it } from 'vitest';
import { bodyOf, metric, served, until } from './served.js';

const slow = (count: number): string[] => Array.from({ length: count }, () => 'slow text');

async function problem(response: Response): Promise<[number, string, string | null]> {
  return [response.status, (await bodyOf(response)).error.code, response.headers.get('retry-after')];
}

describe('bounds', () => {
  it('on bodies, texts, characters and tokens are 413', async () => {
    const { post } = await served({ limits: { maxBodyBytes: 2000, maxTexts: 5, maxCharacters: 100, maxQueueTokens: 30 } });
    expect(await problem(await post('/embed', { texts: ['x'.repeat(2000)] }))).toEqual([413, 'body-too-large', null]);
    expect(await problem(await post('/embed', { texts: Array(6).fill('a') }))).toEqual([413, 'too-many-texts', null]);
    expect(await problem(await post('/embed', { texts: ['x'.repeat(101)] }))).toEqual([413, 'text-too-long', null]);
    expect(await problem(await post('/embed', { texts: Array(5).fill('a b c d e f g') }))).toEqual([413, 'too-many-tokens', null]);
    expect((await post('/embed', { texts: Array(5).fill('a b c d') })).status).toBe(200);
  });

  it('on the queue are 429 with the time to come again, at once, and the queue goes on', async () => {
    const { post, url } = await served({ threads: 1, limits: { maxQueueTokens: 24 } });
    // "slow text" is 4 tokens, which the stub takes 40 ms for, and a queue of 24 tokens is six of them.
    const answers = await Promise.all(Array.from({ length: 40 }, () => post('/embed', { texts: slow(1) })));
    const statuses = answers.map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    const refused = answers.find(({ status }) => status === 429) as Response;
    expect(await problem(refused)).toEqual([429, 'queue-full', expect.stringMatching(/^[1-9]\d*$/)]);
    expect(await metric(url, 'embeddings_rejected_total', 'queue-full')).toBe(statuses.filter((status) => status === 429).length);
    expect((await post('/embed', { texts: slow(1) })).status).toBe(200);
    expect(await metric(url, 'embeddings_queue_tokens')).toBe(0);
  });

  it('on time are 429 where they cannot be met and 503 where they were not', async () => {
    const { post } = await served({ threads: 1, limits: { timeoutMs: 400 }, batches: { maxTokens: 4, maxRows: 1, maxWaitMs: 0 } });
    // Before the server knows its speed it takes everything; what then is late is told so.
    expect(await problem(await post('/embed', { texts: slow(30) }))).toEqual([503, 'timed-out', '1']);
    // Now it does know, more or less.
    for (let i = 0; i < 8; i++) await post('/embed', { texts: slow(2) });
    const held = post('/embed', { texts: slow(6) });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await problem(await post('/embed', { texts: slow(12) }))).toEqual([
      429,
      'deadline-cannot-be-met',
      expect.stringMatching(/^\d+$/),
    ]);
    expect((await held).status).toBe(200);
  });

  it('on waiting are 429 at once: before those that wait are answered, and none of these is refused later', async () => {
    const { post } = await served({ threads: 1, limits: { maxQueueMs: 400 }, batches: { maxTokens: 4, maxRows: 1, maxWaitMs: 0 } });
    for (let i = 0; i < 12; i++) await post('/embed', { texts: slow(2) });
    const ended: number[] = [];
    // Each takes 40 ms: about ten of them are 400 ms.
    const asked = Array.from({ length: 40 }, async () => {
      const response = await post('/embed', { texts: slow(1) });
      ended.push(response.status);
      return response;
    });
    const answers = await Promise.all(asked);
    const refused = answers.filter(({ status }) => status === 429);
    expect(new Set(ended)).toEqual(new Set([200, 429]));
    expect(ended.lastIndexOf(429)).toBeLessThan(ended.lastIndexOf(200));
    expect(await problem(refused[0] as Response)).toEqual([429, 'wait-too-long', '1']);
    // Each takes 600 ms by itself, and may wait for longer than the bound.
    const long = Array.from({ length: 4 }, () => post('/embed', { texts: slow(15) }));
    expect((await Promise.all(long)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  it('on what is held in all are 429', async () => {
    const { post } = await served({ limits: { maxHeldBytes: 100 } });
    expect(await problem(await post('/embed', { texts: ['x'.repeat(100)] }))).toEqual([429, 'queue-full', '1']);
    expect((await post('/embed', { texts: ['x'.repeat(10)] })).status).toBe(200);
  });
});

describe('a client that goes away', () => {
  it('takes its texts out of the queue', async () => {
    const { url, post, lines } = await served({ threads: 1, batches: { maxTokens: 4, maxRows: 1, maxWaitMs: 0 } });
    const controller = new AbortController();
    const gone = fetch(`${url}/embed`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ texts: slow(500) }),
      signal: controller.signal,
    });
    gone.catch(() => undefined);
    await until(async () => (await metric(url, 'embeddings_queue_texts')) > 400);
    controller.abort();
    await until(async () => (await metric(url, 'embeddings_queue_texts')) === 0);
    expect((await post('/embed', { texts: ['still here'] })).status).toBe(200);
    await until(() => lines.some(({ status }) => status === 499));
    expect(await metric(url, 'embeddings_requests_total', '499')).toBe(1);
  });
});

describe('fairness', () => {
  it('lets a query through while another request floods', async () => {
    const { post } = await served({ threads: 1, batches: { maxTokens: 4, maxRows: 1, maxWaitMs: 0 } });
    let isFlooded = true;
    const flood = post('/embed', { texts: slow(60) }).finally(() => {
      isFlooded = false;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await post('/embed', { texts: ['quick one'] })).status).toBe(200);
    expect(isFlooded).toBe(true);
    expect((await flood).status).toBe(200);
  });
});
