// Windows go through the engine and into a store: one is computed while the next is read and the one before it is kept.
import type { OutputRow } from '../columns/row.js';
import { EmbedkitError } from '../errors.js';
import { type BadRow, describePlace } from '../records/record.js';
import { roundToF16 } from '../vectors/f16.js';
import type { Matrix } from '../vectors/matrix.js';
import { brokenRows } from '../vectors/normalise.js';
import { computeTexts } from './compute.js';
import type { Run } from './open-run.js';
import type { EmbeddedWindow, WindowStore } from './store.js';
import type { KnownVector } from './vector-index.js';
import type { Window } from './windows.js';

export async function embedWindows(run: Run, windows: AsyncIterable<Window>, store: WindowStore): Promise<void> {
  let pending: Promise<EmbeddedWindow> | undefined;
  for await (const window of windows) {
    run.stop.signal.throwIfAborted();
    run.tally.read(window);
    // A text that is to be alone in the engine has no window beside its own there.
    if (run.crashes.isCareful && pending !== undefined) {
      await keep(run, await pending, store);
      pending = undefined;
    }
    const embedded = embedWindow(run, window);
    // Now, not when the next window has been read: that may take for ever.
    embedded.catch((error: unknown) => run.stop.abort(error));
    if (pending !== undefined) await keep(run, await pending, store);
    pending = embedded;
  }
  if (pending !== undefined) await keep(run, await pending, store);
}

async function keep({ tally, plan, crashes, onWindow }: Run, window: EmbeddedWindow, store: WindowStore): Promise<void> {
  const [bad] = window.bad;
  if (plan.onError === 'fail' && bad !== undefined) throw bad.error;
  const started = performance.now();
  await store.keep(window);
  tally.keepSeconds += (performance.now() - started) / 1000;
  tally.wrote(window);
  crashes.progress();
  await onWindow?.(tally.books());
  tally.checkErrors(plan.maxErrors);
}

async function embedWindow(run: Run, window: Window): Promise<EmbeddedWindow> {
  const { plan } = run;
  const { vectors: computed, failed } = await computeTexts(run, window);
  if (plan.dtype === 'float16') narrow(computed, failed);
  const good = [...window.rows.keys()].filter((row) => failureOf(window, row, failed) === undefined);
  const badRows = window.rows.flatMap((row, index) => badRow(row, failureOf(window, index, failed)));
  return {
    rows: good.map((row) => window.rows[row] as OutputRow),
    vectors: gather(run, window, good, computed),
    bad: [...window.bad, ...badRows],
    items: window.items,
    digest: window.digest,
    reused: good.length - computed.rows + failed.size,
    texts: window.hashes.length,
    tokens: window.tokens.ids.length,
    lost: window.tokens.lost.reduce((sum, lost) => sum + lost, 0),
    lostIsExact: window.tokens.lostIsExact,
  };
}

/** Rounds vectors to binary16; one that does not fit is a failed text. */
function narrow(vectors: Matrix, failed: Map<number, EmbedkitError>): void {
  roundToF16(vectors.data);
  for (const text of brokenRows(vectors, { unit: false })) {
    if (failed.has(text)) continue;
    failed.set(text, new EmbedkitError('vector-invalid', 'the vector does not fit into float16', { hint: 'use --dtype float32' }));
  }
}

function failureOf(
  { sources }: Pick<Window, 'sources'>,
  row: number,
  failed: ReadonlyMap<number, EmbedkitError>,
): EmbedkitError | undefined {
  const source = sources[row];
  return source !== undefined && 'text' in source ? failed.get(source.text) : undefined;
}

function badRow({ id, place }: OutputRow, failure: EmbedkitError | undefined): BadRow[] {
  if (failure === undefined) return [];
  const details = failure.hint === undefined ? {} : { hint: failure.hint };
  const error = new EmbedkitError(failure.code, `${describePlace(place)}: ${failure.message}`, { ...details, cause: failure });
  return [{ error, id, place, raw: undefined }];
}

function gather({ known, plan }: Run, { sources }: Window, rows: readonly number[], computed: Matrix): Matrix {
  const { dims } = plan;
  const data = new Float32Array(rows.length * dims);
  rows.forEach((row, index) => {
    const source = sources[row] as { readonly text: number } | KnownVector;
    const target = data.subarray(index * dims, (index + 1) * dims);
    if ('text' in source) target.set(computed.data.subarray(source.text * dims, (source.text + 1) * dims));
    else known.read(source, target);
  });
  return { rows: rows.length, dim: dims, data };
}
