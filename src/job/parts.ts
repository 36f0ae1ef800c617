// The folder of an unfinished run, beside its output: each finished window is made durable there, then recorded in the journal.
import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { type Disk, writeDurably } from '../columns/disk.js';
import { decodePart, encodePart, type Part, type PartLayout, readPartKeys, type StoredPart } from '../columns/part.js';
import { unwritable } from '../columns/sinks.js';
import { EmbedkitError, wrapError } from '../errors.js';
import { withBorrowed } from './borrowed.js';
import type { FinishedWindow, Journal, PartFile } from './journal.js';
import { quarantineLine } from './quarantine.js';
import type { EmbeddedWindow, WindowStore } from './store.js';
import { contiguous } from './vector-files.js';
import type { VectorIndex } from './vector-index.js';

// A number, and the start of the SHA-256 of the content: a part that no journal names still tells whether it is whole.
const PART_NAME = /^(\d{6,})-([0-9a-f]{16})\.arrow$/;

export interface PartStore extends PartLayout {
  readonly disk: Disk;
  readonly folder: string;
  readonly journal: Journal;
  readonly known: VectorIndex;
}

export function jobFolder(output: string): string {
  return join(dirname(output), `.embedkit-${basename(output)}.job`);
}

/** Keeps windows as parts; what a part holds is known to later windows. Its `keep` throws `output-unwritable`. */
export async function partWriter(store: PartStore): Promise<WindowStore> {
  const { disk, folder, journal } = store;
  let next = await nextNumber(store);
  return {
    keep: async (window) => {
      const number = padded(next++);
      try {
        const part = window.rows.length === 0 ? undefined : await writePart(store, number, window);
        const quarantine = window.bad.length === 0 ? undefined : `${number}.quarantine.jsonl`;
        if (quarantine !== undefined) await writeDurably(disk, join(folder, quarantine), quarantineOf(window));
        await journal.append(finishedWindow(window, part, quarantine));
      } catch (error) {
        throw unwritable(folder, error);
      }
    },
  };
}

async function writePart(store: PartStore, number: string, part: StoredPart): Promise<PartFile> {
  const { disk, folder } = store;
  const bytes = encodePart(part, store);
  const digest = sha256(bytes);
  const name = `${number}-${digest.slice(0, 16)}.arrow`;
  await writeDurably(disk, join(folder, name), bytes);
  remember(store, join(folder, name), bytes);
  return { name, bytes: bytes.length, sha256: digest };
}

/** Keeps vectors that finish no window: a later run finds them by the hashes of their texts, as it does those of windows that do not stand. */
export async function keepVectors(store: PartStore, part: Part): Promise<void> {
  const borrowed = new Uint8Array(part.rows.length);
  await writePart({ ...store, keep: [] }, padded(await nextNumber(store)), { ...part, borrowed });
}

async function nextNumber({ disk, folder }: PartStore): Promise<number> {
  return 1 + Math.max(0, ...(await partNames(disk, folder)).map(numberOf));
}

const padded = (number: number): string => String(number).padStart(6, '0');

function quarantineOf({ bad }: EmbeddedWindow): Buffer {
  return Buffer.from(bad.map(quarantineLine).join(''));
}

function finishedWindow(window: EmbeddedWindow, part: PartFile | undefined, quarantine: string | undefined): FinishedWindow {
  const { items, digest, rows, bad, reused, tokens, lost, lostIsExact } = window;
  const truncated = rows.filter((row) => row.truncated).length;
  const borrowed = rows.length - window.vectors.rows;
  return {
    items,
    digest,
    rows: rows.length,
    quarantined: bad.length,
    reused,
    borrowed,
    tokens,
    truncated,
    lost,
    lostIsExact,
    part,
    quarantine,
  };
}

/** The rows of a finished window with all their vectors. Throws `input-unreadable` where its file, or one that it borrows from, is not what it was. */
export async function readPart(store: PartStore, part: PartFile): Promise<Part> {
  return withBorrowed(await readStored(store, part), store.known);
}

async function readStored({ disk, folder, keep }: PartStore, { name, bytes, sha256: expected }: PartFile): Promise<StoredPart> {
  const found = await disk.read(join(folder, name)).catch((error: unknown) => {
    throw wrapError(error, 'input-unreadable', join(folder, name), DAMAGED);
  });
  if (found.length === bytes && sha256(found) === expected) return decodePart(found, keep);
  throw new EmbedkitError('input-unreadable', `${join(folder, name)} is not what the run wrote there`, { hint: DAMAGED });
}

const DAMAGED = 'run the same command again: the windows from there on are computed anew';

/** How many of the journal's windows stand: those before the first whose part is missing or not of its size. */
export async function standingWindows({ disk, folder, journal }: Pick<PartStore, 'disk' | 'folder' | 'journal'>): Promise<number> {
  for (const [index, { part }] of journal.windows.entries()) {
    if (part === undefined) continue;
    const bytes = await disk.read(join(folder, part.name)).catch(() => undefined);
    if (bytes === undefined || bytes.length !== part.bytes || sha256(bytes) !== part.sha256) return index;
  }
  return journal.windows.length;
}

/** How many of the journal's windows stand by what is known: those before the first that borrows a vector which is in no earlier output any more. */
export async function windowsWithLenders(store: PartStore): Promise<number> {
  for (const [index, { part, borrowed }] of store.journal.windows.entries()) {
    if (part === undefined || borrowed === 0) continue;
    const stored = await readStored(store, part);
    if (stored.rows.some(({ contentHash }, row) => stored.borrowed[row] === 1 && !store.known.has(contentHash))) return index;
  }
  return store.journal.windows.length;
}

/** Takes the vectors of all parts of the folder that no finished window holds, whatever run they are of: a content hash says what they are. Returns how many. */
export async function rememberLeftovers(store: PartStore): Promise<number> {
  const { disk, folder, journal } = store;
  let vectors = 0;
  const used = new Set(journal.windows.map(({ part }) => part?.name));
  for (const name of await partNames(disk, folder)) {
    if (used.has(name)) continue;
    const bytes = await disk.read(join(folder, name));
    // What is not whole a disk may leave that did not keep its word.
    if (PART_NAME.exec(name)?.[2] === sha256(bytes).slice(0, 16)) vectors += remember(store, join(folder, name), bytes);
    else await disk.remove(join(folder, name));
  }
  return vectors;
}

function remember({ known, storedAs }: PartStore, path: string, bytes: Uint8Array): number {
  const { keys, vectorsAt, dim, ...part } = readPartKeys(bytes);
  if (dim !== known.dim || part.storedAs !== storedAs) return 0;
  const file = known.addFile({ path, outlives: false, ...contiguous(vectorsAt) });
  keys.forEach(({ contentHash, tokenCount, truncated }, row) => {
    known.add(contentHash, { file, row, tokenCount, truncated });
  });
  return keys.length;
}

async function partNames(disk: Disk, folder: string): Promise<string[]> {
  return (await disk.list(folder)).filter((name) => PART_NAME.test(name)).sort();
}

function numberOf(name: string): number {
  return Number(PART_NAME.exec(name)?.[1]);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
