// A route as data: one entry feeds the router, the checks and /openapi.json.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Refusal } from './refusal.js';
import type { Facts } from './request-facts.js';

export interface Endpoint<Body = unknown> {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly summary: string;
  /** Needs an API key where the server has any. */
  readonly guarded: boolean;
  /** How errors look: as OpenAI's objects, or as text-embeddings-inference has them. */
  readonly errors?: 'openai' | 'inputs';
  readonly body?: z.ZodType<Body>;
  readonly answer?: z.ZodType;
  /** Default: JSON. */
  readonly mediaType?: string;
  /** The answer: ready-made text, or an object that is sent as JSON. */
  readonly handle: (body: Body, context: Context) => Promise<unknown>;
}

export interface Context {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly facts: Facts;
}

export function endpoint<Body>(definition: Endpoint<Body>): Endpoint {
  return definition as Endpoint;
}

/** Throws Refusal `invalid`, which names the field. */
export function checked<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const param = issue?.path.join('.') ?? '';
  const found = issue === undefined ? 'the body is not as it should be' : `${param === '' ? 'the body' : param}: ${issue.message}`;
  throw new Refusal('invalid', found, { hint: 'see /openapi.json', ...(param === '' ? {} : { param }) });
}
