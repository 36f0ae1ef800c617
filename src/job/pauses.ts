// Where an input pauses: whoever drives a run through a pipe may wait for the answer to what it has sent before it sends more.
import { setTimeout as sleep } from 'node:timers/promises';

export const PAUSED = Symbol('paused');

/** Milliseconds without a row while the engine has nothing to do that make a pause. */
const PAUSE_MS = 5;

/** What comes, and PAUSED, once a pause, where the input gives nothing while `idle()`, settled when the engine has nothing to do, has settled. */
export async function* withPauses<T>(input: AsyncIterable<T>, idle: () => Promise<void>): AsyncGenerator<T | typeof PAUSED> {
  const source = input[Symbol.asyncIterator]();
  try {
    for (;;) {
      const reading = source.next();
      const first = await Promise.race([reading.then(() => 'read'), idle().then(() => sleep(PAUSE_MS, 'paused'))]);
      if (first === 'paused') {
        // Whoever takes it may be long about it, and an input that fails meanwhile is told of when it comes back.
        reading.catch(() => undefined);
        yield PAUSED;
      }
      const { done, value } = await reading;
      if (done) return;
      yield value;
    }
  } finally {
    // Not waited for: what is being read may never come.
    source.return?.(undefined)?.catch(() => undefined);
  }
}
