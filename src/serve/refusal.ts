// Every way the server says no: status, machine-readable code, one sentence with the remedy. Plain data for the routes to send.
import { EmbedkitError, FAILURES } from '../errors.js';

/** Why a request was refused -> its HTTP status. */
export const REFUSALS = {
  'malformed-json': 400,
  unauthorized: 401,
  'not-found': 404,
  'model-not-found': 404,
  'method-not-allowed': 405,
  'too-slow': 408,
  'body-too-large': 413,
  'too-many-texts': 413,
  'text-too-long': 413,
  'too-many-tokens': 413,
  'unsupported-media-type': 415,
  invalid: 422,
  'token-ids': 422,
  'queue-full': 429,
  'wait-too-long': 429,
  'deadline-cannot-be-met': 429,
  'client-gone': 499,
  'timed-out': 503,
} as const;

export type RefusalCode = keyof typeof REFUSALS;

export interface RefusalDetails {
  /** What the caller can do about it: a phrase that completes the sentence. */
  readonly hint?: string;
  /** The field that is at fault, as OpenAI's error objects name it. */
  readonly param?: string;
  /** Seconds after which another try makes sense. */
  readonly retryAfter?: number;
}

export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly code: RefusalCode,
    message: string,
    readonly details: RefusalDetails = {},
  ) {
    super(details.hint === undefined ? message : `${message}; ${details.hint}`);
  }

  get status(): number {
    return REFUSALS[this.code];
  }
}

/** What goes over the wire of anything that was thrown. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
  readonly retryAfter: number | undefined;
}

/** Errors of the HTTP library -> ours. */
const LIBRARY_ERRORS: Readonly<Record<string, RefusalCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
};

const SENTENCES: Partial<Record<RefusalCode, readonly [found: string, hint: string]>> = {
  'body-too-large': ['the body is larger than this server takes', 'send fewer or shorter texts at a time'],
  'unsupported-media-type': ['the body is of a type that this server does not read', 'send JSON, with content-type: application/json'],
  'malformed-json': ['the body is not as announced', 'send one JSON object in UTF-8'],
};

/** Never tells of anything but our own sentences: what else was thrown may hold a text or a path. */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof Refusal) {
    const { status, code, message, details } = thrown;
    return { status, code, message, param: details.param ?? null, retryAfter: details.retryAfter };
  }
  if (thrown instanceof EmbedkitError) {
    return { status: FAILURES[thrown.code].http, code: thrown.code, message: thrown.sentence, param: null, retryAfter: undefined };
  }
  const { code: libraryCode = '', statusCode } = thrown as { code?: string; statusCode?: number };
  const code = LIBRARY_ERRORS[libraryCode] ?? (statusCode === 400 ? 'malformed-json' : undefined);
  const [found, hint] = (code && SENTENCES[code]) ?? [];
  if (code !== undefined && found !== undefined && hint !== undefined) return problemOf(new Refusal(code, found, { hint }));
  return { status: 500, code: 'internal', message: 'internal error; the log of the server has it', param: null, retryAfter: undefined };
}
