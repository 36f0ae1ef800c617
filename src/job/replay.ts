// The input of a resumed run is read again from its start: items of finished windows are recognised, and not computed again.

import { ItemDigest, type RunItem } from './items.js';
import type { FinishedWindow } from './journal.js';

export interface ReplayEvents {
  /** The items of a finished window came by, unchanged. */
  finished(window: FinishedWindow, items: readonly RunItem[]): void;
  /** From window `index` on the input is not what it was: those windows do not stand any more. Called at most once. */
  diverged(index: number): Promise<void>;
}

/** The items that no finished window holds. Holds as many items at a time as the window that is being recognised. */
export async function* withoutFinished(
  chunks: AsyncIterable<RunItem[]>,
  windows: readonly FinishedWindow[],
  events: ReplayEvents,
): AsyncGenerator<RunItem[]> {
  // A copy: the journal's own list is cut where the input has changed.
  const expected = [...windows];
  let index = 0;
  let held: RunItem[] = [];
  for await (let items of chunks) {
    while (index < expected.length && items.length > 0) {
      const window = expected[index] as FinishedWindow;
      const missing = window.items - held.length;
      held.push(...items.slice(0, missing));
      items = items.slice(missing);
      if (held.length < window.items) break;
      if (digestOf(held) === window.digest) {
        events.finished(window, held);
        index++;
        held = [];
        continue;
      }
      await events.diverged(index);
      index = expected.length;
      items = [...held, ...items];
      held = [];
    }
    if (items.length > 0 && index === expected.length) yield items;
  }
  if (index === expected.length) return;
  await events.diverged(index);
  if (held.length > 0) yield held;
}

function digestOf(items: readonly RunItem[]): string {
  const digest = new ItemDigest();
  for (const item of items) digest.add(item);
  return digest.finish();
}
