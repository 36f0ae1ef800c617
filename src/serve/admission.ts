// Whether a request gets into the queue: by the room there is and by the time that it would take. Pure.
import { Refusal } from './refusal.js';

export interface Load {
  /** Tokens that wait for an engine. */
  readonly waiting: number;
  /** Tokens in the hands of engines. */
  readonly withEngines: number;
  readonly maxQueueTokens: number;
  /** From now to the answer. */
  readonly timeoutMs: number;
  /** What all engines together do, lately; undefined before the first batch. */
  readonly tokensPerMs: number | undefined;
}

const FEWER = 'send fewer texts at a time';
const LATER = 'try again after the time in retry-after';

/** Throws a Refusal: `too-many-tokens` for what never fits, `queue-full` and `deadline-cannot-be-met` for what would later. */
export function admit(tokens: number, load: Load): void {
  const { waiting, withEngines, maxQueueTokens, timeoutMs, tokensPerMs } = load;
  if (tokens > maxQueueTokens) {
    throw new Refusal('too-many-tokens', `${tokens} tokens in one request; this server queues ${maxQueueTokens}`, { hint: FEWER });
  }
  const retryAfter = secondsFor(waiting + tokens - maxQueueTokens, tokensPerMs);
  if (waiting + tokens > maxQueueTokens) throw new Refusal('queue-full', 'the queue is full', { hint: LATER, retryAfter });
  const ahead = waiting + withEngines;
  // What takes too long by itself would whenever it comes: it is let in where nothing is in its way, and has its chance.
  if (tokensPerMs === undefined || ahead === 0) return;
  const excessMs = (ahead + tokens) / tokensPerMs - timeoutMs;
  if (excessMs <= 0) return;
  throw new Refusal('deadline-cannot-be-met', `the queue is too long for an answer within ${timeoutMs / 1000} s`, {
    hint: LATER,
    retryAfter: secondsFor(Math.min(excessMs * tokensPerMs, ahead), tokensPerMs),
  });
}

/** Whole seconds until so many tokens are done, at least 1. */
function secondsFor(tokens: number, tokensPerMs: number | undefined): number {
  return Math.max(1, Math.ceil(tokens / (tokensPerMs ?? 1) / 1000));
}
