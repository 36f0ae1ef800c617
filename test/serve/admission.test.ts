// Who is let into the queue: by room and by time, by properties.

import { describe, expect, it } from 'vitest';
import { admit, type Load, OWN_TIMES } from '#src/serve/admission.js';
import { Refusal } from '#src/serve/refusal.js';
import { fc } from '../properties.js';

const anyLoad = fc.record({
  waiting: fc.nat(1000),
  ahead: fc.nat(1000),
  withEngines: fc.nat(100),
  maxQueueTokens: fc.integer({ min: 1, max: 1000 }),
  maxQueueMs: fc.integer({ min: 1, max: 2000 }),
  timeoutMs: fc.integer({ min: 1, max: 10_000 }),
  tokensPerMs: fc.option(fc.double({ min: 0.01, max: 100, noNaN: true }), { nil: undefined }),
});

function refusal(tokens: number, load: Load): Refusal | undefined {
  try {
    admit(tokens, load);
    return undefined;
  } catch (error) {
    return error as Refusal;
  }
}

describe('admission', () => {
  it('lets in exactly what fits and can be answered in time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), anyLoad, (tokens, load) => {
        const { waiting, ahead, withEngines, maxQueueTokens, maxQueueMs, timeoutMs, tokensPerMs = Number.POSITIVE_INFINITY } = load;
        const [wait, own] = [(ahead + withEngines) / tokensPerMs, tokens / tokensPerMs];
        const isLate = wait + own > timeoutMs && ahead + withEngines > 0;
        const late = wait > Math.max(maxQueueMs, OWN_TIMES * own) ? 'wait-too-long' : isLate ? 'deadline-cannot-be-met' : undefined;
        const full = waiting + tokens > maxQueueTokens ? 'queue-full' : late;
        expect(refusal(tokens, load)?.code).toBe(tokens > maxQueueTokens ? 'too-many-tokens' : full);
      }),
    );
  });

  it('names a time to come again with every 429, and with no 413', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), anyLoad, (tokens, load) => {
        const found = refusal(tokens, load);
        if (found === undefined) return;
        expect(found).toBeInstanceOf(Refusal);
        const { retryAfter } = found.details;
        if (found.status === 413) {
          expect(retryAfter).toBeUndefined();
          return;
        }
        expect(Number.isInteger(retryAfter) && (retryAfter as number) >= 1).toBe(true);
        // So much later it is let in, when nothing else has come.
        const doneMeanwhile = (load.tokensPerMs ?? 1) * 1000 * (retryAfter as number);
        const withEngines = Math.max(0, load.withEngines - doneMeanwhile);
        const ahead = Math.max(0, load.ahead - Math.max(0, doneMeanwhile - load.withEngines));
        if (found.code !== 'queue-full') expect(refusal(tokens, { ...load, ahead, withEngines })).toBeUndefined();
      }),
    );
  });
});
