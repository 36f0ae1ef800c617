// Every way embedkit fails, in one table: what went wrong -> the exit code of the process and the HTTP status.
// Nothing here prints or exits.

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  quarantined: 3,
  locked: 4,
  gate: 5,
  interrupted: 130,
  terminated: 143,
  closedPipe: 141,
} as const;

interface Failure {
  readonly exit: number;
  readonly http: number;
}

/** Error code -> exit code and HTTP status. */
export const FAILURES = {
  usage: { exit: EXIT.usage, http: 400 },
  'input-not-found': { exit: EXIT.failed, http: 404 },
  'input-unreadable': { exit: EXIT.failed, http: 400 },
  'bad-row': { exit: EXIT.failed, http: 422 },
  'text-too-long': { exit: EXIT.failed, http: 413 },
  'model-invalid': { exit: EXIT.failed, http: 500 },
  'model-unsupported': { exit: EXIT.failed, http: 500 },
  'engine-failed': { exit: EXIT.failed, http: 500 },
  'gate-failed': { exit: EXIT.gate, http: 500 },
  'vector-invalid': { exit: EXIT.failed, http: 500 },
  'not-as-claimed': { exit: EXIT.failed, http: 422 },
  'output-unwritable': { exit: EXIT.failed, http: 500 },
  locked: { exit: EXIT.locked, http: 409 },
  'too-many-errors': { exit: EXIT.failed, http: 422 },
  'closed-pipe': { exit: EXIT.closedPipe, http: 499 },
  interrupted: { exit: EXIT.interrupted, http: 499 },
  terminated: { exit: EXIT.terminated, http: 499 },
  'server-unreachable': { exit: EXIT.failed, http: 503 },
  'server-failed': { exit: EXIT.failed, http: 502 },
  'server-refused': { exit: EXIT.failed, http: 502 },
  'model-differs': { exit: EXIT.failed, http: 409 },
  internal: { exit: EXIT.failed, http: 500 },
} as const satisfies Record<string, Failure>;

export type ErrorCode = keyof typeof FAILURES;

export interface ErrorDetails {
  /** What the reader can do about it: a phrase that completes the sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** The one error type that embedkit throws on purpose. `message` says what was found and where, `hint` what to do. */
export class EmbedkitError extends Error {
  override readonly name = 'EmbedkitError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
  }

  get exitCode(): number {
    return FAILURES[this.code].exit;
  }

  /** One line: the message, then the hint. */
  get sentence(): string {
    return this.hint === undefined ? this.message : `${this.message}; ${this.hint}`;
  }
}

/** The message of anything that was thrown, on one line; a system's error in its words, without its code. */
export function messageOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const line = text.replace(/\s*\n\s*/g, ' ').trim();
  const code = systemCode(thrown);
  return code !== undefined && line.startsWith(`${code}: `) ? line.slice(code.length + 2) : line;
}

/** `thrown` itself when it already is an EmbedkitError, else one of the given code that carries it as its cause. */
export function wrapError(thrown: unknown, code: ErrorCode, message: string, hint?: string): EmbedkitError {
  if (thrown instanceof EmbedkitError) return thrown;
  const details = hint === undefined ? { cause: thrown } : { cause: thrown, hint };
  return new EmbedkitError(code, `${message}: ${messageOf(thrown)}`, details);
}

/** The system's error code (ENOSPC, EPIPE ...) of something thrown, if it has one. */
export function systemCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error)) return undefined;
  if ('code' in thrown && typeof thrown.code === 'string') return thrown.code;
  return systemCode(thrown.cause);
}
