// Long lists, odd lists, and what a client refuses to be told.

import { describe, expect, it } from 'vitest';
import { cutList } from '#src/client/batches.js';
import { messageIn, retryAfterMs } from '#src/client/exchange.js';
import { type ClientConfig, createClient } from '#src/client/index.js';
import { soundAnswer } from '#src/client/join.js';
import { fc } from '../properties.js';
import { standIn, vectorOf } from './stand-in.js';

const LIMITS = { timeoutMs: 20_000, backoffMs: 5 };

describe('a list', () => {
  it('is cut in order, within the limits but for a single long text', () => {
    const list = fc.array(fc.string({ maxLength: 12 }));
    fc.assert(
      fc.property(list, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 20 }), (texts, most, characters) => {
        const lists = cutList(texts, most, characters);
        expect(lists.flat()).toEqual(texts);
        for (const one of lists) {
          expect(one.length).toBeLessThanOrEqual(most);
          expect(one.length <= 1 || one.join('').length <= characters).toBe(true);
          expect(one.length > 0 || texts.length === 0).toBe(true);
        }
        const full = (at: number): boolean =>
          (lists[at]?.length ?? 0) >= most || `${lists[at]?.join('')}${lists[at + 1]?.[0]}`.length > characters;
        expect(lists.slice(1).every((_, at) => full(at))).toBe(true);
      }),
    );
  });

  it('of many requests comes back in order, with the texts that were cut', async () => {
    const server = await standIn();
    const texts = Array.from({ length: 100 }, (_, at) => (at % 30 === 29 ? `long ${at}` : `text ${at}`));
    const client = createClient({ server: server.url, limits: { ...LIMITS, textsPerRequest: 7, concurrency: 3 } });
    const { embeddings, truncated, tokens } = await client.embed(texts, { dimensions: 4, truncate: false, prompt: 'query' });
    expect(embeddings).toEqual(texts.map((text) => Float32Array.from(vectorOf(text, 'small'))));
    expect([truncated, tokens, server.received.length]).toEqual([[29, 59, 89], 300, 15]);
    expect(server.received[0]?.body).toEqual({ texts: texts.slice(0, 7), dimensions: 4, truncate: false, prompt: 'query' });
  });

  it('fails as one where one of its requests does, and the fallback makes all of it', async () => {
    const [server, other] = [await standIn({ manners: ['answer', 'answer', { status: 500 }, 'answer'] }), await standIn()];
    const limits = { ...LIMITS, textsPerRequest: 1, concurrency: 1 };
    const fallback = { kind: 'embedkit', url: other.url } as const;
    const client = createClient({ server: server.url, limits, fingerprint: 'f'.repeat(64), fallback });
    const { embeddings, source } = await client.embed(['a', 'b', 'c', 'd', 'e']);
    expect([embeddings.length, source.role, other.received.length]).toEqual([5, 'fallback', 5]);
    expect(server.received.length).toBeLessThan(5);
  });

  it.each([
    [{ model: 'a' }, { model: 'b' }, /the model changed within the list, from a to b/],
    [{ fingerprint: '1' }, { fingerprint: '2' }, /the fingerprint of m changed within the list/],
    [{}, { embeddings: [[1, 2]] }, /the length of vectors changed within the list/],
  ])('whose requests are answered by %j and %j is refused', async (first, second, message) => {
    const manners = [first, second].map((rest) => ({ json: { embeddings: [[1]], model: 'm', ...rest } }));
    const server = await standIn({ manners });
    const client = createClient({ server: server.url, limits: { ...LIMITS, textsPerRequest: 1, concurrency: 1 } });
    await expect(client.embed(['x', 'y'])).rejects.toThrow(message);
  });

  it('may be empty', async () => {
    const server = await standIn();
    expect(await createClient({ server: server.url }).embed([])).toMatchObject({ embeddings: [], model: 'small', dimension: undefined });
    const cloud = createClient({ server: { kind: 'openai', url: `${server.url}/v1`, model: 'm' } });
    expect(await cloud.embed([])).toMatchObject({ embeddings: [], model: 'm' });
    expect(server.received.length).toBe(1);
  });
});

describe('an answer', () => {
  it('with a vector of zeros is wrong: it is near to nothing and to everything', () => {
    const answer = {
      vectors: [Float32Array.of(1, 0), Float32Array.of(0, 0)],
      model: 'm',
      fingerprint: undefined,
      tokens: 1,
      truncated: [],
    };
    expect(() => soundAnswer(answer, 2)).toThrow(/vector 1 is all zeros/);
    expect(soundAnswer({ ...answer, vectors: answer.vectors.slice(0, 1) }, 1).vectors).toHaveLength(1);
  });
});

describe('what makes no sense is refused before anything is sent', () => {
  it.each<[unknown, RegExp]>([
    [{ server: 'localhost:8000' }, /server: "localhost:8000" is no address; write it like/],
    [{ server: 'http://a:b@host' }, /its url holds a password; give the key as apiKey/],
    [{ server: 'http://h', fallback: { kind: 'openai', url: 'http://h/v1' } }, /fallback http:\/\/h\/v1 has no model; /],
    [{ server: 'http://h', limits: { timeoutMs: 0 } }, /limits\.timeoutMs 0; give a number of at least 1/],
    [{}, /no server; give its address as server/],
    [{ server: 'http://h', model: 'm' }, /model: there is none of that name; there are server, fallback/],
    [{ server: 'http://h', fallback: { kind: 'openal', url: 'http://h' } }, /fallback: kind "openal"; say one of embedkit, openai, cohere/],
    [{ server: 'http://h', sameModel: [{ model: 'm' }] }, /sameModel\[0\] is no model and dimension/],
    [{ server: { kind: 'embedkit' } }, /server: "undefined" is no address/],
    [{ server: 'http://h', limits: { timeout: 5 } }, /limits\.timeout: there is no such limit; there are timeoutMs/],
  ])('%j', (config, sentence) => {
    expect(() => createClient(config as ClientConfig)).toThrow(
      expect.objectContaining({ code: 'usage', sentence: expect.stringMatching(sentence) }),
    );
  });

  it.each([['one text'], [[1]], [undefined]])('texts %j', async (texts) => {
    await expect(createClient({ server: 'http://h' }).embed(texts as unknown as string[])).rejects.toMatchObject({ code: 'usage' });
  });

  it('an option that there is not: misspelt, it would give other vectors without a word', async () => {
    const wrong = { promt: 'query' } as object;
    await expect(createClient({ server: 'http://h' }).embed(['a'], wrong)).rejects.toThrow(/option promt: there is none/);
  });

  it('a prompt that a server without prompts has no text for', async () => {
    const client = createClient({ server: { kind: 'openai', url: 'http://h/v1', model: 'm' } });
    await expect(client.embed(['a'], { prompt: 'query' })).rejects.toThrow(/knows no prompt "query"/);
  });
});

describe('headers and bodies of errors', () => {
  const now = Date.parse('2026-11-25T00:00:00Z');
  it.each([
    [null, undefined],
    ['2', 2000],
    ['0.5', 500],
    ['Wed, 25 Nov 2026 00:00:03 GMT', 3000],
    ['Tue, 24 Nov 2026 00:00:00 GMT', 0],
    ['soon', undefined],
  ])('Retry-After %j is %j ms', (header, ms) => expect(retryAfterMs(header, now)).toBe(ms));

  it.each([
    ['{"error":{"message":"a"}}', 'a'],
    ['{"error":"b"}', 'b'],
    ['{"message":"c"}', 'c'],
    ['null', 'null'],
    ['<p>\n d', '<p> d'],
    ['x'.repeat(1000), `${'x'.repeat(300)}…`],
  ])('%j says %j', (body, said) => expect(messageIn(body)).toBe(said));
});
