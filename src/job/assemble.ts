// Finished windows become the output: read back one at a time, written by the format's own writer, renamed into place.
import { dirname, join } from 'node:path';
import type { Disk } from '../columns/disk.js';
import { OUTPUT_FORMATS } from '../columns/formats.js';
import { openFileSink, unwritable } from '../columns/sinks.js';
import { EmbedkitError } from '../errors.js';
import { type PartStore, readPart } from './parts.js';
import type { JobPlan } from './plan.js';
import { quarantinePath } from './quarantine.js';
import { verifyRows } from './verify.js';

/**
 * Writes the output, and the quarantine before it. A kill at any point leaves the old output or the new one, and the parts.
 * @returns bytes of the output
 */
export async function assemble(store: PartStore, plan: JobPlan, output: string, signal: AbortSignal | undefined): Promise<number> {
  const sink = await openFileSink(output, store.disk);
  try {
    const writer = await OUTPUT_FORMATS[plan.format].create(sink, plan.layout);
    let rows = 0;
    for (const { part } of store.journal.windows) {
      signal?.throwIfAborted();
      if (part === undefined) continue;
      const { rows: some, vectors } = await readPart(store, part);
      await writer.append(some, vectors);
      rows += some.length;
    }
    await writer.finish();
    checkCount(store, rows);
    await verifyRows(sink, plan.format, rows);
    const names = store.journal.windows.flatMap(({ quarantine }) => quarantine ?? []);
    if (names.length > 0) await writeQuarantine(store, names, quarantinePath(output));
    await sink.commit();
    // Without bad rows the quarantine of an earlier run says nothing any more.
    if (names.length === 0) await store.disk.remove(quarantinePath(output));
    return sink.bytes;
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

/** The books must close before anything is put in place: every item of the input is in the output or in quarantine. */
function checkCount({ journal }: PartStore, rows: number): void {
  const sum = (of: 'items' | 'rows' | 'quarantined'): number => journal.windows.reduce((total, window) => total + window[of], 0);
  if (sum('rows') === rows && sum('items') === rows + sum('quarantined')) return;
  const found = `${sum('items')} rows were read, ${rows} embedded and ${sum('quarantined')} quarantined`;
  throw new EmbedkitError('internal', found, { hint: 'nothing was put in place; please report this' });
}

async function writeQuarantine({ disk, folder }: PartStore, names: readonly string[], path: string): Promise<void> {
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
