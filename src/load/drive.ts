// The open loop: requests leave when they are due, whatever became of those before. Knows neither HTTP nor figures.

export interface Departure {
  readonly at: number;
  /** Milliseconds from the start of the step. */
  readonly due: number;
  readonly sent: number;
}

const LATE_RUN = 16;

/**
 * Calls `send` for every time of `due` as soon as that has come, and resolves when all that were sent have ended. A generator that is
 * itself late sends what it owes at once; `sent - due` tells.
 * @param due milliseconds from the start, ascending
 * @throws the reason of `signal`
 */
export async function drive(due: Float64Array, send: (departure: Departure) => Promise<void>, signal?: AbortSignal): Promise<void> {
  const started = performance.now();
  const underWay = new Set<Promise<void>>();
  for (let at = 0; at < due.length; at++) {
    const wait = started + (due[at] as number) - performance.now();
    if (wait > 0) await sleep(wait, signal);
    signal?.throwIfAborted();
    const ended: Promise<void> = send({ at, due: due[at] as number, sent: performance.now() - started }).finally(() =>
      underWay.delete(ended),
    );
    underWay.add(ended);
    // Answers that came in are read even when the generator is behind.
    if (wait <= 0 && at % LATE_RUN === 0) await new Promise(setImmediate);
  }
  await Promise.all(underWay);
  signal?.throwIfAborted();
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
  });
}
