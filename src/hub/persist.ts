// Tries a step until it succeeds: waits grow between tries, a server that says how long is obeyed, progress starts the count anew.
import { setTimeout } from 'node:timers/promises';
import { ExponentialBackoff, type IBackoff } from 'cockatiel';
import { PassingTrouble } from './trouble.js';

export interface Patience {
  /** Failures in a row before it gives up. */
  readonly attempts: number;
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** A server that asks for a longer wait than this is taken at its word, and the command ends. */
  readonly longestRetryAfterMs: number;
  readonly signal: AbortSignal;
  readonly onWait: (trouble: PassingTrouble, waitMs: number) => void;
}

export const DEFAULT_PATIENCE = { attempts: 6, firstWaitMs: 500, longestWaitMs: 30_000, longestRetryAfterMs: 300_000 } as const;

/** A try that brought fewer bytes than this counts as one that brought nothing. */
const PROGRESS_BYTES = 2 ** 18;

/**
 * @param arrived bytes that are there so far
 * @throws the EmbedkitError that the last trouble becomes, whatever else `step` throws at once, or the reason of the signal
 */
export async function persist<T>(step: () => Promise<T>, patience: Patience, arrived: () => number = () => 0): Promise<T> {
  let failures = 0;
  let backoff: IBackoff<unknown> | undefined;
  for (;;) {
    const before = arrived();
    try {
      return await step();
    } catch (error) {
      patience.signal.throwIfAborted();
      if (!(error instanceof PassingTrouble)) throw error;
      const isProgress = arrived() - before >= PROGRESS_BYTES;
      failures = isProgress ? 1 : failures + 1;
      if (failures >= patience.attempts || error.retryAfterMs > patience.longestRetryAfterMs) throw error.final();
      backoff = isProgress || backoff === undefined ? firstBackoff(patience) : backoff.next(undefined);
      await pause(error, error.retryAfterMs + backoff.duration, patience);
    }
  }
}

function firstBackoff({ firstWaitMs, longestWaitMs }: Patience): IBackoff<unknown> {
  return new ExponentialBackoff({ initialDelay: firstWaitMs, maxDelay: longestWaitMs }).next();
}

async function pause(trouble: PassingTrouble, waitMs: number, { signal, onWait }: Patience): Promise<void> {
  onWait(trouble, waitMs);
  await setTimeout(waitMs, undefined, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw error;
  });
}
