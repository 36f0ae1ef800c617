// How a request fails, in one table: what may be tried again, what counts against the server, and the error that the caller gets.
import { EmbedkitError, type ErrorCode, messageOf, systemCode } from '../errors.js';

interface Trait {
  readonly code: ErrorCode;
  /** Whether another try makes sense. */
  readonly again: boolean;
  /** Whether it counts towards opening the circuit. Overload does not: the server is alive and says when to come again. */
  readonly counts: boolean;
  readonly hint: string;
}

const WAIT = 'check that it runs; it is asked again by itself';

const FAULTS = {
  unreachable: { code: 'server-unreachable', again: true, counts: true, hint: WAIT },
  'broken-off': { code: 'server-unreachable', again: true, counts: true, hint: WAIT },
  'timed-out': { code: 'server-unreachable', again: false, counts: true, hint: `${WAIT}; limits.timeoutMs is the patience` },
  'circuit-open': { code: 'server-unreachable', again: false, counts: false, hint: WAIT },
  overloaded: { code: 'server-failed', again: true, counts: false, hint: 'send less at a time, or wait as it says' },
  unavailable: { code: 'server-failed', again: true, counts: true, hint: WAIT },
  failed: { code: 'server-failed', again: false, counts: true, hint: "see the server's log" },
  'wrong-answer': { code: 'server-failed', again: false, counts: true, hint: 'check that url and kind name an endpoint for embeddings' },
  // The request is at fault: no other try and no other endpoint would help.
  refused: { code: 'server-refused', again: false, counts: false, hint: 'correct the request, the model or the key' },
} as const satisfies Record<string, Trait>;

export type Fault = keyof typeof FAULTS;

export class Failure extends Error {
  override readonly name = 'Failure';

  constructor(
    readonly fault: Fault,
    message: string,
    readonly retryAfterMs: number | undefined = undefined,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

export function mayTryAgain(thrown: unknown, maxRetryAfterMs: number): boolean {
  return thrown instanceof Failure && FAULTS[thrown.fault].again && (thrown.retryAfterMs ?? 0) <= maxRetryAfterMs;
}

export function countsAgainstServer(thrown: unknown): boolean {
  return thrown instanceof Failure && FAULTS[thrown.fault].counts;
}

/** The server is at fault, not the request: another endpoint might answer it. */
export function isServerFault(thrown: unknown): thrown is Failure {
  return thrown instanceof Failure && thrown.fault !== 'refused';
}

/** Which fault a status other than 2xx is. */
export function faultOfStatus(status: number): Fault {
  if (status === 429) return 'overloaded';
  if (status === 503) return 'unavailable';
  return status >= 500 ? 'failed' : 'refused';
}

/** What the caller is told; `url` is the place that was asked. */
export function toError(failure: Failure, url: string): EmbedkitError {
  const { code, hint } = FAULTS[failure.fault];
  return new EmbedkitError(code, `${url}: ${failure.message}`, { hint, cause: failure });
}

/** A connection's error: the system's code where there is one, for `fetch` itself says nothing. */
export function connectionMessage(thrown: unknown): string {
  const cause = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown;
  return [systemCode(thrown), messageOf(cause)].filter(Boolean).join(': ');
}
