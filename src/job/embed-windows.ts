// Windows go through the engine and into a store: one is computed while the next is read and the one before it is kept.
import type { OutputRow } from '../columns/row.js';
import { EmbedkitError } from '../errors.js';
import { type BadRow, describePlace } from '../records/record.js';
import { rowOf } from '../vectors/matrix.js';
import { withBorrowed } from './borrowed.js';
import { computeTexts } from './compute.js';
import type { Run } from './open-run.js';
import type { ComputedTexts, EmbeddedWindow, WindowStore } from './store.js';
import type { KnownVector } from './vector-index.js';
import type { VectorSource, Window } from './windows.js';

/** A window in the engine. */
interface Pending {
  readonly window: Window;
  readonly computed: Promise<ComputedTexts>;
  readonly embedded: Promise<EmbeddedWindow>;
}

export async function embedWindows(run: Run, windows: AsyncIterable<Window>, store: WindowStore): Promise<void> {
  const source = windows[Symbol.asyncIterator]();
  let isReading = false;
  try {
    let pending: Pending | undefined;
    let before: Promise<ComputedTexts> | undefined;
    for (;;) {
      isReading = true;
      const reading = source.next();
      // What is done is kept while the next window is read: that may take for ever.
      if (pending !== undefined && (await isDoneBefore(reading, pending))) {
        await keep(run, pending, store);
        pending = undefined;
      }
      const { done, value: window } = await reading;
      isReading = false;
      if (done) break;
      const next: Pending = await startNext(run, window, { before, pending, store });
      pending = next;
      before = next.computed;
    }
    if (pending !== undefined) await keep(run, pending, store);
  } finally {
    // An input that is being read may bring nothing more.
    const closing = source.return?.(undefined);
    if (!isReading) await closing;
  }
}

interface Around {
  readonly before: Promise<ComputedTexts> | undefined;
  readonly pending: Pending | undefined;
  readonly store: WindowStore;
}

/** Sends a window into the engine and keeps the one before it. */
async function startNext(run: Run, window: Window, { before, pending, store }: Around): Promise<Pending> {
  run.stop.signal.throwIfAborted();
  run.tally.read(window);
  // A text that is to be alone in the engine has no window beside its own there.
  const isAlone = run.crashes.isCareful && pending !== undefined;
  if (isAlone) await keep(run, pending, store);
  const next = begin(run, window, before);
  // Now, not when it is kept: that may be long after.
  next.embedded.catch((error: unknown) => run.stop.abort(error));
  if (!isAlone && pending !== undefined) await keep(run, pending, store);
  return next;
}

/** Whether a window is through the engine before the next one has been read. */
async function isDoneBefore(reading: Promise<unknown>, { embedded }: Pending): Promise<boolean> {
  // Of an input that fails while a window is being kept, the caller hears afterwards.
  reading.catch(() => undefined);
  return Promise.race([reading.then(() => false), embedded.then(() => true)]);
}

function begin(run: Run, window: Window, before: Promise<ComputedTexts> | undefined): Pending {
  const computed = computeTexts(run, window);
  return { window, computed, embedded: embedWindow(run, window, computed, before) };
}

async function keep(run: Run, { window, embedded }: Pending, store: WindowStore): Promise<void> {
  const { tally, plan, crashes, audit, onWindow } = run;
  const done = await embedded;
  const [bad] = done.bad;
  if (plan.onError === 'fail' && bad !== undefined) throw bad.error;
  const started = performance.now();
  run.stop.signal.throwIfAborted();
  run.keeping = store.keep(done);
  await run.keeping;
  for (const [row, { contentHash }] of done.rows.entries()) audit?.see(contentHash, () => vectorAt(run, done, row));
  tally.keepSeconds += (performance.now() - started) / 1000;
  run.unfinished.delete(window);
  tally.wrote(done);
  crashes.progress();
  await onWindow?.(tally.books());
  tally.checkErrors(plan.maxErrors);
}

/** A row's vector, wherever it is. */
function vectorAt({ known }: Run, { rows, borrowed, vectors }: EmbeddedWindow, row: number): Float32Array {
  if (borrowed[row] === 0) return rowOf(vectors, row - borrowed.subarray(0, row).reduce((sum, one) => sum + one, 0));
  const one = { rows: rows.slice(row, row + 1), borrowed: Uint8Array.of(1), vectors: { ...vectors, rows: 0 } };
  return withBorrowed(one, known).vectors.data;
}

async function embedWindow(
  run: Run,
  window: Window,
  computing: Promise<ComputedTexts>,
  before: Promise<ComputedTexts> | undefined,
): Promise<EmbeddedWindow> {
  const made: Made = { now: await computing, before: await before };
  const { vectors, failed } = made.now;
  const failures = window.rows.map((_, row) => failureOf(window, row, made));
  const good = [...window.rows.keys()].filter((row) => failures[row] === undefined);
  const badRows = window.rows.flatMap((row, index) => badRow(row, failures[index]));
  return {
    rows: good.map((row) => window.rows[row] as OutputRow),
    ...gather(
      run,
      good.map((row) => window.sources[row] as VectorSource),
      made,
    ),
    bad: [...window.bad, ...badRows],
    items: window.items,
    digest: window.digest,
    ended: window.ended,
    reused: good.length - vectors.rows + failed.size,
    texts: window.hashes.length,
    tokens: window.tokens.ids.length,
    lost: window.tokens.lost.reduce((sum, lost) => sum + lost, 0),
    // What a text lost that another run cut is not known.
    lostIsExact: window.tokens.lostIsExact && !window.sources.some((source) => isKnown(source) && source.truncated),
  };
}

/** What was computed for a window, and for the one before it, whose texts it may share. */
interface Made {
  readonly now: ComputedTexts;
  readonly before: ComputedTexts | undefined;
}

/** The text that a row's vector is computed from, if it is one of these windows. */
function textOf(source: VectorSource, { now, before }: Made): [ComputedTexts, number] | undefined {
  if ('text' in source) return [now, source.text];
  return 'before' in source ? [before as ComputedTexts, source.before] : undefined;
}

function failureOf({ sources }: Window, row: number, made: Made): EmbedkitError | undefined {
  const [computed, text] = textOf(sources[row] as VectorSource, made) ?? [];
  return computed?.failed.get(text as number);
}

function badRow({ id, place }: OutputRow, failure: EmbedkitError | undefined): BadRow[] {
  if (failure === undefined) return [];
  const details = failure.hint === undefined ? {} : { hint: failure.hint };
  const error = new EmbedkitError(failure.code, `${describePlace(place)}: ${failure.message}`, { ...details, cause: failure });
  return [{ error, id, place, raw: undefined }];
}

/** The vectors of rows, but for those that stand in an earlier output and may be left there. */
function gather(
  { known, plan: { dims } }: Run,
  sources: readonly VectorSource[],
  made: Made,
): Pick<EmbeddedWindow, 'borrowed' | 'vectors'> {
  const borrowed = Uint8Array.from(sources, (source) => Number(isKnown(source) && known.outlives(source)));
  const own = sources.filter((_, row) => borrowed[row] === 0);
  const data = new Float32Array(own.length * dims);
  known.read(
    own.map((source) => (isKnown(source) ? source : undefined)),
    data,
  );
  for (const [row, source] of own.entries()) {
    const [computed, text] = textOf(source, made) ?? [];
    if (computed !== undefined) data.set(rowOf(computed.vectors, text as number), row * dims);
  }
  return { borrowed, vectors: { rows: own.length, dim: dims, data } };
}

function isKnown(source: VectorSource): source is KnownVector {
  return 'file' in source;
}
