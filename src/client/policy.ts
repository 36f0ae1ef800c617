// How often and how long an endpoint is tried, put together from cockatiel's parts: time-out, tries, circuit breaker.
import {
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
  type IBackoff,
  type IBackoffFactory,
  type IRetryBackoffContext,
  retry,
  TaskCancelledError,
  TimeoutStrategy,
  timeout,
} from 'cockatiel';
import type { CircuitName, ClientLimits } from './config.js';
import { countsAgainstServer, Failure, mayTryAgain } from './failure.js';

type Exchange<T> = (signal: AbortSignal) => Promise<T>;

export interface Policy {
  /** Throws Failure, or the reason of `signal`. */
  run<T>(exchange: Exchange<T>, signal: AbortSignal): Promise<T>;
  readonly circuit: CircuitName;
}

const NAMES: Readonly<Record<CircuitState, CircuitName>> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'half-open',
  [CircuitState.Isolated]: 'open',
};

/** The caller's signal, or the end of all patience, while a try was under way. */
class Cancelled extends Error {}

export function createPolicy(limits: ClientLimits, onCircuit: (state: CircuitName) => void = () => undefined): Policy {
  const { timeoutMs, attempts, maxRetryAfterMs } = limits;
  const breaker = breakerOf(limits);
  breaker.onStateChange((state) => onCircuit(NAMES[state]));
  const isClosed = (): boolean => breaker.state === CircuitState.Closed;
  // A try that opened the circuit, or a probe, is not repeated.
  const again = handleWhen((error) => mayTryAgain(error, maxRetryAfterMs) && isClosed());
  const tries = retry(again, { maxAttempts: attempts - 1, backoff: backoffOf(new ExponentialBackoff(delaysOf(limits))) });
  // Ends a wait between tries at once when the caller aborts.
  const whole = timeout(attempts * (timeoutMs + maxRetryAfterMs + 10 * limits.backoffMs), TimeoutStrategy.Aggressive);
  const guarded = async <T>(exchange: Exchange<T>, signal: AbortSignal): Promise<T> => {
    // Others wait for the outcome of a probe no more than for an open circuit.
    if (breaker.state === CircuitState.HalfOpen) throw new Failure('circuit-open', 'it is being asked whether it is back');
    return breaker.execute(() => oneTry(exchange, timeoutMs, signal));
  };
  return {
    run: async (exchange, signal) => {
      signal.throwIfAborted();
      try {
        return await whole.execute(({ signal: until }) => tries.execute(() => guarded(exchange, until), until), signal);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (error instanceof Failure) throw error;
        if (error instanceof Cancelled || error instanceof TaskCancelledError) throw tooLate(timeoutMs);
        if (!isClosed()) throw new Failure('circuit-open', openedBy(breaker.lastFailure), undefined, error);
        throw error;
      }
    },
    get circuit() {
      return NAMES[breaker.state];
    },
  };
}

function breakerOf({ failuresToOpen, probeAfterMs }: ClientLimits): ReturnType<typeof circuitBreaker> {
  const breaker: ReturnType<typeof circuitBreaker> = circuitBreaker(
    // A probe that its caller gave up has proved nothing; the breaker would take what it does not handle for success.
    handleWhen((error) => countsAgainstServer(error) || (error instanceof Cancelled && breaker.state === CircuitState.HalfOpen)),
    { halfOpenAfter: probeAfterMs, breaker: new ConsecutiveBreaker(failuresToOpen) },
  );
  return breaker;
}

async function oneTry<T>(exchange: Exchange<T>, timeoutMs: number, until: AbortSignal): Promise<T> {
  try {
    return await timeout(timeoutMs, TimeoutStrategy.Aggressive).execute(async ({ signal }) => {
      try {
        return await exchange(signal);
      } catch (error) {
        // Aborted before it ended: what `fetch` says of that is no broken connection.
        throw signal.aborted ? new TaskCancelledError() : error;
      }
    }, until);
  } catch (error) {
    if (until.aborted) throw new Cancelled();
    throw error instanceof TaskCancelledError ? tooLate(timeoutMs) : error;
  }
}

function tooLate(timeoutMs: number): Failure {
  return new Failure('timed-out', `no whole answer within ${timeoutMs} ms`);
}

function openedBy(last: { error: Error } | { value: unknown } | undefined): string {
  const why = last !== undefined && 'error' in last ? ` (the last: ${last.error.message})` : '';
  return `not asked now, after failures in a row${why}`;
}

function delaysOf({ backoffMs, maxRetryAfterMs }: ClientLimits): { initialDelay: number; maxDelay: number } {
  return { initialDelay: backoffMs, maxDelay: maxRetryAfterMs };
}

/** Jittered waits, on top of what the server asked for: never before it, and not all clients at once. */
function backoffOf(jittered: IBackoffFactory<unknown>): IBackoffFactory<IRetryBackoffContext<unknown>> {
  return {
    next: (context): IBackoff<IRetryBackoffContext<unknown>> => {
      const drawn = jittered.next(context);
      const { result } = context;
      const asked = 'error' in result && result.error instanceof Failure ? (result.error.retryAfterMs ?? 0) : 0;
      return { duration: asked + drawn.duration, next: backoffOf(drawn).next };
    },
  };
}
