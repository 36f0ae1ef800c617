// Lengths become batches: which rows go through the model together. Pure; knows nothing of texts or engines.

export interface BatchLimits {
  /** Most tokens a batch holds (rows x width); a longer single text still gets a batch of its own. */
  readonly maxTokens: number;
  /** Most rows a batch holds. */
  readonly maxRows: number;
  /** Workers that will share the batches: a small job is cut finer so that each has something to do. */
  readonly workers: number;
}

/** Row numbers that go into one batch, all of the same length. */
export type BatchRows = Int32Array;

export const DEFAULT_BATCH_TOKENS = 1024;
export const DEFAULT_BATCH_SIZE = 256;

// Below this a batch is no longer better than one text at a time, so cutting finer only to keep workers busy stops here.
const FINEST_TOKENS = 128;
const BATCHES_A_WORKER = 4;

/**
 * Cuts n texts into batches of equal length, longest first. Every row is in exactly one batch; rows of one length keep
 * their order. Longest first keeps the end of a window short and makes the engine allocate its largest buffers once.
 * @param lengths n token counts, each at least 1
 */
export function planBatches(lengths: Int32Array, limits: BatchLimits): BatchRows[] {
  const maxTokens = tokenBudget(lengths, limits);
  const batches: BatchRows[] = [];
  for (const [length, rows] of groupByLength(lengths)) {
    const size = Math.max(1, Math.min(limits.maxRows, Math.floor(maxTokens / length)));
    for (let start = 0; start < rows.length; start += size) batches.push(rows.subarray(start, start + size));
  }
  return batches;
}

function tokenBudget(lengths: Int32Array, limits: BatchLimits): number {
  let total = 0;
  for (const length of lengths) total += length;
  const share = Math.ceil(total / (limits.workers * BATCHES_A_WORKER));
  return Math.min(limits.maxTokens, Math.max(FINEST_TOKENS, share));
}

/** [length, its rows in order], longest first: a counting sort. */
function groupByLength(lengths: Int32Array): [number, Int32Array][] {
  let longest = 0;
  for (const length of lengths) longest = Math.max(longest, length);
  const ends = new Int32Array(longest + 2);
  for (const length of lengths) ends[length + 1] = (ends[length + 1] ?? 0) + 1;
  for (let length = 1; length < ends.length; length++) ends[length] = (ends[length] ?? 0) + (ends[length - 1] ?? 0);
  const starts = ends.slice();
  const order = new Int32Array(lengths.length);
  lengths.forEach((length, row) => {
    const at = starts[length] ?? 0;
    order[at] = row;
    starts[length] = at + 1;
  });
  const groups: [number, Int32Array][] = [];
  for (let length = longest; length >= 0; length--) {
    const rows = order.subarray(ends[length], ends[length + 1]);
    if (rows.length > 0) groups.push([length, rows]);
  }
  return groups;
}
