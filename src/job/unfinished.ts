// What an interrupted run has computed of windows that it does not finish: kept, so that the next run takes it up.
import { EmbedkitError } from '../errors.js';
import { keepVectors, type PartStore } from './parts.js';
import type { ComputedTexts } from './store.js';
import type { Window } from './windows.js';

const INTERRUPTED: ReadonlySet<string> = new Set(['interrupted', 'terminated']);

export function isInterrupt(error: unknown): boolean {
  return error instanceof EmbedkitError && INTERRUPTED.has(error.code);
}

/** Makes the finished vectors of unfinished windows durable. Returns how many there are. */
export async function keepUnfinished(store: PartStore, unfinished: ReadonlyMap<Window, ComputedTexts>): Promise<number> {
  let kept = 0;
  for (const [window, computed] of unfinished) {
    const rows = finishedRows(window, computed);
    if (rows.length === 0) continue;
    await keepVectors(store, partOf(window, computed, rows));
    kept += rows.length;
  }
  return kept;
}

/** The first row of each text that is done, with its text. */
function finishedRows({ sources }: Window, { done, failed }: ComputedTexts): [row: number, text: number][] {
  const rowOf = new Map<number, number>();
  sources.forEach((source, row) => {
    if ('text' in source && done[source.text] === 1 && !failed.has(source.text) && !rowOf.has(source.text)) rowOf.set(source.text, row);
  });
  return [...rowOf].map(([text, row]) => [row, text]);
}

function partOf(
  { rows }: Window,
  { vectors: { dim, data } }: ComputedTexts,
  finished: readonly [number, number][],
): Parameters<typeof keepVectors>[1] {
  const vectors = new Float32Array(finished.length * dim);
  finished.forEach(([, text], index) => void vectors.set(data.subarray(text * dim, (text + 1) * dim), index * dim));
  const own = finished.map(([row]) => rows[row] as (typeof rows)[number]);
  return { rows: own, vectors: { rows: own.length, dim, data: vectors } };
}
