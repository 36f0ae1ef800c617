// What one kind of endpoint differs in from another: the body of a request, the shape of an answer, and what it declares of its model.
import type { z } from 'zod';
import type { EmbedOptions, EndpointConfig } from '../config.js';
import { Failure } from '../failure.js';

export interface Answer {
  readonly vectors: Float32Array[];
  /** As the answer names it. */
  readonly model: string | undefined;
  /** Where the answer itself declares it: an answer and its maker cannot fall apart then. */
  readonly fingerprint: string | undefined;
  readonly tokens: number | undefined;
  readonly truncated: readonly number[] | undefined;
}

/** What an endpoint says of the model that is asked for. */
export interface Declared {
  readonly model: string;
  readonly fingerprint: string;
  /** Names of the model besides its own. */
  readonly aliases: readonly string[];
}

export interface Dialect {
  readonly path: string;
  /** Most texts of a request that the contract allows. */
  readonly maxTexts: number;
  /** Whether prompts are asked for by name; otherwise the client puts their text before each text. */
  readonly knowsPrompts: boolean;
  body(texts: readonly string[], config: EndpointConfig, options: EmbedOptions): object;
  /** Throws Failure for an answer of another shape. */
  answer(json: unknown): Answer;
  /** Where the endpoint declares its models; undefined where that kind never does. */
  infoUrl(url: string): string | undefined;
}

/** `json` by a schema. Throws Failure that names the first field which is wrong. */
export function shaped<T>(schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Failure('wrong-answer', `the answer has another shape: ${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'invalid'}`);
}

/** A request's options without those that were not given: servers refuse fields that they do not know. */
export function given<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}

export function float32(lists: readonly (readonly number[])[]): Float32Array[] {
  return lists.map((list) => Float32Array.from(list));
}
