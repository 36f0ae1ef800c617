// Whether a request gets into the queue: by the room there is, and by the time that it would wait and take. Pure.
import { Refusal } from './refusal.js';

export interface Load {
  /** Tokens that wait for an engine. */
  readonly waiting: number;
  /** Of these, what is taken before the request is whole: the queue shares engines out, and a flood does not hold a query up. */
  readonly ahead: number;
  /** Tokens in the hands of engines. */
  readonly withEngines: number;
  readonly maxQueueTokens: number;
  /** The work of others may hold a request up for so long, or for OWN_TIMES the time that its own takes. */
  readonly maxQueueMs: number;
  /** From now to the answer. */
  readonly timeoutMs: number;
  /** What all engines together do, lately; undefined before the first batch. */
  readonly tokensPerMs: number | undefined;
}

/** What takes long by itself may wait for longer: a client can have as many large requests under way, and one more. */
export const OWN_TIMES = 4;

const FEWER = 'send fewer texts at a time';
const LATER = 'try again after the time in retry-after';

/** Throws a Refusal: `too-many-tokens` for what never fits; `queue-full`, `wait-too-long` and `deadline-cannot-be-met` for what would later. */
export function admit(tokens: number, load: Load): void {
  const { waiting, maxQueueTokens, tokensPerMs } = load;
  if (tokens > maxQueueTokens) {
    throw new Refusal('too-many-tokens', `${tokens} tokens in one request; this server queues ${maxQueueTokens}`, { hint: FEWER });
  }
  const retryAfter = secondsFor(waiting + tokens - maxQueueTokens, tokensPerMs);
  if (waiting + tokens > maxQueueTokens) throw new Refusal('queue-full', 'the queue is full', { hint: LATER, retryAfter });
  if (tokensPerMs !== undefined) admitByTime(tokens, load, tokensPerMs);
}

function admitByTime(tokens: number, { ahead, withEngines, maxQueueMs, timeoutMs }: Load, tokensPerMs: number): void {
  const inTheWay = ahead + withEngines;
  // What takes too long by itself would whenever it comes: it is let in where nothing is in its way, and has its chance.
  if (inTheWay === 0) return;
  const waitMs = inTheWay / tokensPerMs;
  const ownMs = tokens / tokensPerMs;
  const mostMs = Math.max(maxQueueMs, OWN_TIMES * ownMs);
  const overMs = Math.max(waitMs - mostMs, waitMs + ownMs - timeoutMs);
  if (overMs <= 0) return;
  const retryAfter = secondsFor(Math.min(overMs * tokensPerMs, inTheWay), tokensPerMs);
  if (waitMs > mostMs) {
    const found = `the work of others would hold this request up for ${seconds(waitMs)} s; this server lets it wait for ${seconds(mostMs)} s`;
    throw new Refusal('wait-too-long', found, { hint: LATER, retryAfter });
  }
  const found = `the queue is too long for an answer within ${timeoutMs / 1000} s`;
  throw new Refusal('deadline-cannot-be-met', found, { hint: LATER, retryAfter });
}

/** Whole seconds until so many tokens are done, at least 1. */
function secondsFor(tokens: number, tokensPerMs: number | undefined): number {
  return Math.max(1, Math.ceil(tokens / (tokensPerMs ?? 1) / 1000));
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
