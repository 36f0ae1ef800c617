// Texts in flight, on record for the next start: when the runtime takes the whole process down, that start knows whom to ask.
import { writeFileSync } from 'node:fs';
import { readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbedkitError } from '../errors.js';

export interface CrashWatch {
  /** Whether there are texts to be asked alone. */
  readonly isCareful: boolean;
  /** Whether a text was in the engine when a run of this output ended without a word: it goes in alone now. */
  isSuspect(contentHash: string): boolean;
  /** Whether it was so twice, and alone the second time. */
  isBlamed(contentHash: string): boolean;
  sent(contentHashes: readonly string[]): void;
  landed(contentHashes: readonly string[]): void;
  /** A window was kept. */
  progress(): void;
  /** The run ends in order, with or without an error. */
  end(): Promise<void>;
}

/** Of the run before; none of it is synced, since a process that ends leaves what it wrote to the system. */
interface Record {
  /** Starts since a window was kept last. */
  readonly starts: number;
  readonly suspects: readonly string[];
  readonly blamed: readonly string[];
  readonly inFlight: readonly string[];
}

const NOTHING: Record = { starts: 0, suspects: [], blamed: [], inFlight: [] };
/** Each text that is to blame takes two starts; so many without a window kept are a loop. */
const MOST_STARTS = 20;

/** For a run that nothing can go on with. */
export const noCrashWatch: CrashWatch = {
  isCareful: false,
  isSuspect: () => false,
  isBlamed: () => false,
  sent: () => undefined,
  landed: () => undefined,
  progress: () => undefined,
  end: async () => undefined,
};

/** Reads what the run before left, and counts this start. Throws `engine-failed` where starts alone do not get further. */
export async function watchCrashes(folder: string): Promise<CrashWatch> {
  const path = join(folder, 'in-flight');
  const before = await readRecord(path);
  const alone = before.inFlight.length === 1 ? before.inFlight.filter((hash) => before.suspects.includes(hash)) : [];
  const blamed = new Set([...before.blamed, ...alone]);
  const suspects = new Set([...before.suspects, ...before.inFlight].filter((hash) => !blamed.has(hash)));
  let starts = before.starts + 1;
  if (starts > MOST_STARTS) throw crashLoop(starts, before);
  const inFlight = new Map<string, number>();
  const write = (): void => {
    const record: Record = { starts, suspects: [...suspects], blamed: [...blamed], inFlight: [...inFlight.keys()] };
    writeFileSync(path, JSON.stringify(record));
  };
  write();
  return {
    isCareful: suspects.size > 0,
    isSuspect: (hash) => suspects.has(hash),
    isBlamed: (hash) => blamed.has(hash),
    sent: (hashes) => {
      for (const hash of hashes) inFlight.set(hash, 1);
      write();
    },
    landed: (hashes) => {
      for (const hash of hashes) inFlight.delete(hash);
    },
    progress: () => {
      starts = 0;
    },
    end: () => unlink(path).catch(() => undefined),
  };
}

async function readRecord(path: string): Promise<Record> {
  try {
    return { ...NOTHING, ...(JSON.parse(await readFile(path, 'utf8')) as Record) };
  } catch {
    // Not there, or torn by a power loss: then nothing is known.
    return NOTHING;
  }
}

function crashLoop(starts: number, { inFlight }: Record): EmbedkitError {
  const last =
    inFlight.length === 0
      ? 'nothing was in the engine'
      : `the texts with content hash ${inFlight.slice(0, 3).join(', ')} were in the engine`;
  const found = `the process has ended ${starts - 1} times without an error and without finishing a window; the last time ${last}`;
  const hint = 'look for the cause in the system log (memory?); --resume never starts over';
  return new EmbedkitError('engine-failed', found, { hint });
}
