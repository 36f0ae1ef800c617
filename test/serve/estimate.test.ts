// The guess that refuses before texts are tokenized: never above what was seen last, and nothing where it does not pay.

import { describe, expect, it, vi } from 'vitest';
import { TokenEstimate } from '#src/serve/estimate.js';
import type { ServedModel } from '#src/serve/models.js';
import { fc } from '../properties.js';
import { bodyOf, metric, served, until } from './served.js';

describe('the estimate', () => {
  it('is at most what the least wordy of the texts had, and bounded by what the model sees', () => {
    const anySeen = fc.array(fc.record({ characters: fc.integer({ min: 1, max: 9999 }), tokens: fc.integer({ min: 1, max: 9999 }) }), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(anySeen, fc.array(fc.nat(20_000), { maxLength: 9 }), (seen, lengths) => {
        const estimate = new TokenEstimate();
        expect(estimate.atLeast([9999], 512)).toBe(0);
        for (const { characters, tokens } of seen) estimate.learn(characters, tokens);
        const { characters, tokens } = seen.at(-1) as (typeof seen)[number];
        const told = estimate.atLeast(lengths, 512);
        expect(told).toBeLessThanOrEqual(512 * lengths.length);
        expect(told).toBeLessThanOrEqual((lengths.reduce((sum, length) => sum + length, 0) * tokens) / characters + 1e-6);
      }),
    );
  });

  it('follows texts that are alike', () => {
    const estimate = new TokenEstimate();
    for (let i = 0; i < 400; i++) estimate.learn(1000, i === 0 ? 10 : 250);
    expect(estimate.atLeast([2000, 2000, 2000], 512)).toBeGreaterThan(1450);
    expect(estimate.atLeast([40_000], 512)).toBe(512);
    expect(estimate.atLeast([1000, 3000], 512)).toBe(0);
  });
});

describe('a large request to a busy server', () => {
  it('is refused without tokenizing it, and taken when there is time', async () => {
    const { server, url, post } = await served({
      threads: 1,
      limits: { maxQueueMs: 100 },
      batches: { maxTokens: 4, maxRows: 1, maxWaitMs: 0 },
    });
    // Four tokens, 40 ms, of 5,005 characters.
    const text = `slow ${'x'.repeat(5000)}`;
    const ask = (texts: number): Promise<Response> => post('/embed', { texts: Array(texts).fill(text) });
    for (let i = 0; i < 4; i++) expect((await ask(1)).status).toBe(200);
    const flood = Array.from({ length: 6 }, () => ask(10));
    await until(async () => (await metric(url, 'embeddings_rejected_total', 'wait-too-long')) > 0);
    const encode = vi.spyOn((server.models[0] as ServedModel).tokenizer, 'encode');
    const refused = await ask(10);
    expect([refused.status, (await bodyOf(refused)).error.code]).toEqual([429, 'wait-too-long']);
    expect(encode).not.toHaveBeenCalled();
    await Promise.all(flood);
    expect((await ask(10)).status).toBe(200);
    expect(encode).toHaveBeenCalledTimes(10);
  });
});
