// What is known of a request while it is under way: for its log line, for the metrics, for the queue.
import type { FastifyReply, FastifyRequest } from 'fastify';

export interface Facts {
  /** performance.now() of its arrival. */
  readonly started: number;
  /** Aborts when the client goes away before its answer. */
  readonly signal: AbortSignal;
  /** Who asks, for sharing the engines: the key's name, else the address. */
  client: string;
  texts: number;
  tokens: number;
  truncated: number;
  model: string | undefined;
  /** Why it was refused, if it was. */
  refusal: string | undefined;
}

const held = new WeakMap<FastifyRequest, Facts>();

/** Begins to follow a request; `onEnd` is called once, when its answer is out or its client is gone (then with status 499). */
export function follow(request: FastifyRequest, reply: FastifyReply, onEnd: (facts: Facts, status: number) => void): void {
  const controller = new AbortController();
  const facts: Facts = {
    started: performance.now(),
    signal: controller.signal,
    client: request.ip,
    texts: 0,
    tokens: 0,
    truncated: 0,
    model: undefined,
    refusal: undefined,
  };
  held.set(request, facts);
  reply.raw.once('close', () => {
    const isWhole = reply.raw.writableFinished;
    if (!isWhole) controller.abort(new Error('the client has gone'));
    onEnd(facts, isWhole ? reply.raw.statusCode : 499);
  });
}

export function factsOf(request: FastifyRequest): Facts {
  return held.get(request) as Facts;
}
