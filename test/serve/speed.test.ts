// How fast engines are, as the dispatcher judges deadlines by it: a call costs something by itself, so that lone queries do not make them look slow.

import { describe, expect, it } from 'vitest';
import { Dispatcher, type DispatcherOptions } from '#src/serve/dispatcher.js';
import { EngineSpeed } from '#src/serve/speed.js';
import { fc } from '../properties.js';

const DIM = 2;
const CALL_MS = 2;
const TOKENS_PER_MS = 10;

/** One engine that takes 2 ms a call and 1 ms for ten tokens; `inHand` is what it says to be at work on. */
function dispatcherWith(inHand: { tokens: number }): Dispatcher {
  const engines: DispatcherOptions['engines'] = {
    ready: 1,
    idle: 1,
    canTake: true,
    get tokens() {
      return inHand.tokens;
    },
    run: async ({ ids, rows }) => ({ vectors: new Float32Array(rows * DIM).fill(1), milliseconds: CALL_MS + ids.length / TOKENS_PER_MS }),
  };
  const batches = { maxTokens: 1024, maxRows: 64, maxWaitMs: 5 };
  return new Dispatcher({ engines, batches, maxQueueTokens: 262_144, maxQueueMs: 1000, timeoutMs: 60_000, dim: DIM, unit: false });
}

const embed = (dispatcher: Dispatcher, texts: number, length: number): Promise<unknown> =>
  dispatcher.embed(
    Array.from({ length: texts }, () => new Int32Array(length)),
    { client: 'one' },
  );

describe('the speed of engines', () => {
  it('is found from calls of two sizes and more, and is always a speed', () => {
    const calls = fc.array(fc.tuple(fc.integer({ min: 1, max: 4096 }), fc.double({ min: 0, max: 10_000, noNaN: true })), { minLength: 1 });
    fc.assert(
      fc.property(calls, fc.integer({ min: 1, max: 4096 }), (some, batch) => {
        const speed = new EngineSpeed();
        for (const [tokens, ms] of some) speed.learn(tokens, ms);
        const found = speed.tokensPerMs(batch) as number;
        expect(found > 0 && Number.isFinite(found)).toBe(true);
      }),
    );
    const exact = new EngineSpeed();
    expect(exact.tokensPerMs(1024)).toBeUndefined();
    for (let call = 0; call < 200; call++) {
      const tokens = 5 + (call % 2) * 1000;
      exact.learn(tokens, CALL_MS + tokens / TOKENS_PER_MS);
    }
    expect(exact.tokensPerMs(1000)).toBeCloseTo(1000 / 102, 2);
  });

  it('is that of full batches, whatever lone queries come between', async () => {
    const inHand = { tokens: 0 };
    const dispatcher = dispatcherWith(inHand);
    for (let round = 0; round < 4; round++) await embed(dispatcher, 20, 50);
    for (let query = 0; query < 100; query++) await embed(dispatcher, 1, 5);
    // Half a second of full batches; at the speed of lone queries, 2.5 ms for 5 tokens, it would be over two.
    inHand.tokens = 5000;
    expect(() => dispatcher.admit(50, 'other')).not.toThrow();
    inHand.tokens = 20_000;
    expect(() => dispatcher.admit(50, 'other')).toThrow(/would hold this request up for 2\.\d s/);
  });

  it('is found again with one full batch by a server that had lone queries only', async () => {
    const inHand = { tokens: 0 };
    const dispatcher = dispatcherWith(inHand);
    for (let query = 0; query < 2000; query++) await embed(dispatcher, 1, 5);
    inHand.tokens = 5000;
    expect(() => dispatcher.admit(50, 'other')).toThrow(/would hold this request up/);
    inHand.tokens = 0;
    await embed(dispatcher, 20, 50);
    inHand.tokens = 5000;
    expect(() => dispatcher.admit(50, 'other')).not.toThrow();
  });
});
