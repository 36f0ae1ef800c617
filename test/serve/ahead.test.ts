// How long a request would wait, told before it is let in: held against the queue itself.

import { describe, expect, it } from 'vitest';
import { type QueuedText, TextQueue } from '#src/serve/queue.js';
import { fc } from '../properties.js';

const ONE = { maxTokens: 64, maxRows: 1, maxWaitMs: 0 };
const LONGEST = 20;

interface Request {
  readonly client: string;
  readonly lengths: readonly number[];
}

const anyRequest: fc.Arbitrary<Request> = fc.record({
  client: fc.constantFrom('a', 'b', 'c'),
  lengths: fc.array(fc.integer({ min: 1, max: LONGEST }), { minLength: 1, maxLength: 30 }),
});

function push(queue: TextQueue<QueuedText>, { client, lengths }: Request, request: number): Set<QueuedText> {
  const texts = lengths.map((length) => ({ ids: new Int32Array(length), client, request, arrived: 0 }));
  for (const text of texts) queue.push(text);
  return new Set(texts);
}

/** Tokens of others that are taken until the last of these texts is. */
function othersBefore(queue: TextQueue<QueuedText>, own: Set<QueuedText>): number {
  let tokens = 0;
  while (own.size > 0) for (const text of queue.take(ONE, 0)) if (!own.delete(text)) tokens += text.ids.length;
  return tokens;
}

const total = ({ lengths }: Request): number => lengths.reduce((sum, length) => sum + length, 0);

describe('the work ahead of a request', () => {
  it('is what the queue then does before it, but for a text or two of each that shares the engines', () => {
    fc.assert(
      fc.property(fc.array(anyRequest, { maxLength: 12 }), fc.nat(60), anyRequest, (before, taken, asked) => {
        const queue = new TextQueue<QueuedText>();
        for (const [at, request] of before.entries()) push(queue, request, at);
        for (let i = 0; i < taken; i++) queue.take(ONE, 0);
        const told = queue.ahead(asked.client, total(asked));
        const came = othersBefore(queue, push(queue, asked, 99));
        expect(Math.abs(told - came)).toBeLessThanOrEqual(2 * LONGEST * (before.length + 1));
      }),
    );
  });

  it('is little for a query however much another request or client has waiting, and all of it for what is as large', () => {
    const queue = new TextQueue<QueuedText>();
    push(queue, { client: 'bulk', lengths: Array(500).fill(20) }, 0);
    push(queue, { client: 'bulk', lengths: Array(500).fill(20) }, 1);
    expect(queue.ahead('asker', 10)).toBe(10);
    expect(queue.ahead('bulk', 10)).toBe(20);
    expect(queue.ahead('asker', 30_000)).toBe(20_000);
    push(queue, { client: 'asker', lengths: [10] }, 2);
    expect(queue.ahead('asker', 10)).toBe(30);
    expect(new TextQueue<QueuedText>().ahead('asker', 10)).toBe(0);
  });
});
