// The API column against a server on the loopback address: what is sent, what is believed, and what ends in a sentence.
import { describe, expect, it } from 'vitest';
import { endpointOf, request, takeBaselineTurn } from '#src/bench/baseline.js';
import { type Answer, embeddings, startApi } from './api.js';

const WORK = { threads: 1, batch: 4, turnSeconds: 0.02, fixed: Array.from({ length: 8 }, (_, at) => `text ${at}`), corpus: undefined };

describe('endpointOf', () => {
  it.each([
    ['https://api.example.com', 'https://api.example.com/v1/embeddings'],
    ['https://api.example.com/v1/', 'https://api.example.com/v1/embeddings'],
    ['https://api.example.com/openai/v2', 'https://api.example.com/openai/v2/embeddings'],
    ['https://api.example.com/v1/embeddings', 'https://api.example.com/v1/embeddings'],
  ])('of %s', (url, endpoint) => {
    expect(endpointOf(url)).toBe(endpoint);
  });
});

describe('takeBaselineTurn', () => {
  it('asks for single texts and for batches of them, one request at a time, with the key', async () => {
    const { url, asked } = await startApi();
    const turn = await takeBaselineTurn({ url, model: 'some-model', key: 'secret' }, WORK, 3, undefined);
    expect(turn.round).toBe(3);
    for (const { path, authorization, body } of asked) {
      expect([path, authorization, body.model]).toEqual(['/v1/embeddings', 'Bearer secret', 'some-model']);
      expect(body.input.every((text) => WORK.fixed.includes(text))).toBe(true);
    }
    expect(new Set(asked.map(({ body }) => body.input.length))).toEqual(new Set([1, 4]));
    expect(turn.one.milliseconds.length + turn.batch.milliseconds.length).toBe(asked.length);
    expect(turn.one.milliseconds.length).toBeLessThanOrEqual(20);
    expect(turn.batch.tokens[0]).toBe(200);
  });

  it('sends no header of a key that there is not', async () => {
    const { url, asked } = await startApi();
    await request({ url, model: 'm', key: undefined }, ['a']);
    expect(asked[0]?.authorization).toBeUndefined();
  });
});

describe('request', () => {
  const one: Answer = (asked, count) => embeddings({ ...asked, body: { ...asked.body, input: ['one'] } }, count);
  const answers: [string, Answer, RegExp][] = [
    ['a refusal', () => ({ status: 401, body: { error: { message: 'no such key' } } }), /HTTP 401: .*no such key/],
    ['no JSON', () => ({ status: 200, body: '<html>' }), /the answer is no list of embeddings/],
    ['another JSON', () => ({ status: 200, body: { data: [{ embedding: '' }] } }), /the answer is no list of embeddings/],
    ['too few embeddings', one, /1 embeddings for 2 texts/],
  ];

  it.each(answers)('ends in a sentence after %s', async (_, answer, sentence) => {
    const { url } = await startApi(answer);
    const asking = request({ url, model: 'm', key: 'secret' }, ['a', 'b']);
    await expect(asking).rejects.toThrow(sentence);
    await expect(asking).rejects.toMatchObject({ code: 'engine-failed', hint: expect.stringContaining('--baseline-url') });
    await expect(asking).rejects.not.toThrow(/secret/);
  });

  it('ends in a sentence where nobody listens', async () => {
    await expect(request({ url: 'http://127.0.0.1:9', model: 'm', key: undefined }, ['a'])).rejects.toThrow(/no answer \(/);
  });

  it('ends with the reason of its signal', async () => {
    const { url } = await startApi();
    const stopped = AbortSignal.abort(new Error('stopped'));
    await expect(request({ url, model: 'm', key: undefined }, ['a'], stopped)).rejects.toThrow('stopped');
  });
});
