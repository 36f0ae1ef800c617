// Finished windows become the output, a file or a folder of files: read back one at a time, written by the format's own writer.
import { dirname, join } from 'node:path';
import { type Disk, writeDurably } from '../columns/disk.js';
import { OUTPUT_FORMATS } from '../columns/formats.js';
import type { Part } from '../columns/part.js';
import type { ColumnsWriter } from '../columns/row.js';
import { openFileSink, unwritable } from '../columns/sinks.js';
import { EmbedkitError } from '../errors.js';
import { type PartStore, readPart } from './parts.js';
import type { JobPlan } from './plan.js';
import { quarantinePath } from './quarantine.js';
import { FOLDER_MARKER, FOLDER_PART, FOLDER_QUARANTINE } from './target.js';
import { verifyRows } from './verify.js';

/** Rows of a file in a folder of them: 64 row groups. */
const FILE_ROWS = 262_144;

interface Written {
  readonly rows: number;
  readonly bytes: number;
}

/**
 * Writes the output, and the quarantine before it. A kill at any point leaves the old output or the new one, and the parts.
 * @returns bytes of the output
 */
export async function assembleFile(store: PartStore, plan: JobPlan, output: string, signal: AbortSignal | undefined): Promise<number> {
  const quarantine = quarantinePath(output);
  const { bytes } = await writeFile(store, plan, output, finishedRows(store, signal), async (rows) => {
    checkCount(store, rows);
    await writeQuarantine(store, quarantine);
  });
  // Without bad rows the quarantine of an earlier run says nothing any more.
  if (quarantineNames(store).length === 0) await store.disk.remove(quarantine);
  return bytes;
}

/**
 * Writes a folder of files and then, last, its marker: without the marker it is not whole. What an earlier run wrote goes first.
 * @returns bytes of all files
 */
export async function assembleFolder(store: PartStore, plan: JobPlan, folder: string, signal: AbortSignal | undefined): Promise<number> {
  const { disk } = store;
  await disk.makeFolder(folder);
  await disk.remove(join(folder, FOLDER_MARKER));
  await disk.syncFolder(folder);
  for (const name of await disk.list(folder))
    if (FOLDER_PART.test(name) || name === FOLDER_QUARANTINE) await disk.remove(join(folder, name));
  const [extension] = OUTPUT_FORMATS[plan.format].extensions;
  let total: Written = { rows: 0, bytes: 0 };
  let file = 0;
  for await (const parts of inFiles(finishedRows(store, signal), FILE_ROWS)) {
    const path = join(folder, `part-${String(file++).padStart(5, '0')}${extension}`);
    const written = await writeFile(store, plan, path, parts, async () => undefined);
    total = { rows: total.rows + written.rows, bytes: total.bytes + written.bytes };
  }
  checkCount(store, total.rows);
  await writeQuarantine(store, join(folder, FOLDER_QUARANTINE));
  await writeDurably(disk, join(folder, FOLDER_MARKER), new Uint8Array(0));
  return total.bytes;
}

/** One file that appears whole or not at all; `before` is done when its bytes are complete, ahead of its appearance. */
async function writeFile(
  store: PartStore,
  plan: JobPlan,
  path: string,
  parts: AsyncIterable<Part>,
  before: (rows: number) => Promise<void>,
): Promise<Written> {
  const sink = await openFileSink(path, store.disk);
  let writer: ColumnsWriter | undefined;
  try {
    writer = await OUTPUT_FORMATS[plan.format].create(sink, plan.layout);
    let rows = 0;
    for await (const part of parts) {
      await writer.append(part.rows, part.vectors);
      rows += part.rows.length;
    }
    await writer.finish();
    await verifyRows(sink, plan.format, rows);
    await before(rows);
    await sink.commit();
    return { rows, bytes: sink.bytes };
  } catch (error) {
    await writer?.abort();
    await sink.abort();
    throw error;
  }
}

async function* finishedRows(store: PartStore, signal: AbortSignal | undefined): AsyncGenerator<Part> {
  for (const { part } of store.journal.windows) {
    signal?.throwIfAborted();
    if (part !== undefined) yield await readPart(store, part);
  }
}

/** The same rows as one stream for each file of `rows`; one file without any where there are none. Each stream is to be read to its end. */
export async function* inFiles(parts: AsyncIterable<Part>, rows: number): AsyncGenerator<AsyncIterable<Part>> {
  const source = parts[Symbol.asyncIterator]();
  let rest: Part | undefined;
  let ended = false;
  async function* oneFile(): AsyncGenerator<Part> {
    for (let left = rows; left > 0; ) {
      const next = rest ?? (await source.next()).value;
      rest = undefined;
      if (next === undefined) {
        ended = true;
        return;
      }
      yield slice(next, 0, left);
      if (next.rows.length > left) rest = slice(next, left, next.rows.length);
      left -= next.rows.length;
    }
    rest ??= (await source.next()).value;
    ended = rest === undefined;
  }
  while (!ended) yield oneFile();
}

function slice({ rows, vectors: { dim, data } }: Part, start: number, end: number): Part {
  const some = rows.slice(start, end);
  return { rows: some, vectors: { rows: some.length, dim, data: data.subarray(start * dim, (start + some.length) * dim) } };
}

/** The books must close before anything is put in place: every item of the input is in the output or in quarantine. */
function checkCount({ journal }: PartStore, rows: number): void {
  const sum = (of: 'items' | 'rows' | 'quarantined'): number => journal.windows.reduce((total, window) => total + window[of], 0);
  if (sum('rows') === rows && sum('items') === rows + sum('quarantined')) return;
  const found = `${sum('items')} rows were read, ${rows} embedded and ${sum('quarantined')} quarantined`;
  throw new EmbedkitError('internal', found, { hint: 'the output is not complete; please report this' });
}

function quarantineNames({ journal }: PartStore): string[] {
  return journal.windows.flatMap(({ quarantine }) => quarantine ?? []);
}

export async function writeQuarantine(store: PartStore, path: string): Promise<void> {
  const { disk, folder } = store;
  const names = quarantineNames(store);
  if (names.length === 0) return;
  try {
    const file = await disk.open(`${path}.tmp`, 'w');
    try {
      for (const name of names) await file.write(await disk.read(join(folder, name)));
      await file.sync();
    } finally {
      await file.close();
    }
    await disk.rename(`${path}.tmp`, path);
    await disk.syncFolder(dirname(path));
  } catch (error) {
    throw unwritable(path, error);
  }
}

export async function removeJob(disk: Disk, folder: string): Promise<void> {
  await disk.remove(folder).catch(() => undefined);
}
