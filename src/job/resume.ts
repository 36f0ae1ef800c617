// What becomes of an unfinished run of the same output: it goes on, it starts over, or it is refused.
import { join } from 'node:path';
import type { Disk } from '../columns/disk.js';
import { EmbedkitError } from '../errors.js';
import type { Resume } from './config.js';
import { createJournal, type JobFacts, type Journal, openJournal } from './journal.js';
import { type PartStore, standingWindows, windowsWithLenders } from './parts.js';

export interface ResumeOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly output: string;
  readonly resume: Resume;
  readonly onWarning: (message: string) => void;
}

/**
 * The journal to go on with, empty where the run starts over. Parts that it does not name stay in the folder: their vectors
 * may still be of use. Throws `usage` where `require` finds nothing to go on with.
 */
export async function resumeJournal(facts: JobFacts, options: ResumeOptions): Promise<Journal> {
  const { disk, folder, resume, output } = options;
  const path = join(folder, 'journal');
  if (resume === 'never') await disk.remove(folder);
  await disk.makeFolder(folder);
  const found = resume === 'never' ? undefined : await openJournal(disk, path);
  if (found === undefined) {
    if (resume === 'require') {
      if ((await disk.list(folder)).length === 0) await disk.remove(folder);
      throw refused(`there is no unfinished run of ${output}`);
    }
    return createJournal(disk, path, facts);
  }
  const changed = changesBetween(found.facts, facts);
  if (changed.length > 0) {
    const what = `the unfinished run of ${output} was asked otherwise (${changed.join('; ')})`;
    if (resume === 'require') throw refused(what);
    options.onWarning(`${what}: starting over, with its vectors where text, model and type are the same`);
    return createJournal(disk, path, facts);
  }
  await rollBackDamaged(found, options);
  return found;
}

async function rollBackDamaged(journal: Journal, { disk, folder, output, onWarning }: ResumeOptions): Promise<void> {
  const standing = await standingWindows({ disk, folder, journal });
  await rollBackTo(standing, journal, (at) =>
    onWarning(`the unfinished run of ${output} lost a finished window (${at}): going on from there`),
  );
}

/** Finished windows stand as long as the vectors that they left in an earlier output can be found there. */
export async function rollBackWithoutLenders(
  store: PartStore,
  { output, onWarning }: Pick<ResumeOptions, 'output' | 'onWarning'>,
): Promise<void> {
  await rollBackTo(await windowsWithLenders(store), store.journal, (at) =>
    onWarning(`the unfinished run of ${output} took vectors for window ${at} from an output that has them no more: going on from there`),
  );
}

/** Keeps the first `standing` windows; tells of the first that goes, where one does, as "4 of 9". */
async function rollBackTo(standing: number, journal: Journal, tell: (at: string) => void): Promise<void> {
  if (standing === journal.windows.length) return;
  tell(`${standing + 1} of ${journal.windows.length}`);
  await journal.rollBack(standing);
}

const LONGEST_VALUE = 40;

function changesBetween(before: JobFacts, now: JobFacts): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return names.filter((name) => before[name] !== now[name]).map((name) => `${name}: ${shown(before[name])}, now ${shown(now[name])}`);
}

function shown(value: string | undefined): string {
  if (value === undefined || value === '') return 'none';
  return value.length > LONGEST_VALUE ? `${value.slice(0, LONGEST_VALUE)}...` : value;
}

export function refused(what: string): EmbedkitError {
  return new EmbedkitError('usage', `--resume require: ${what}`, { hint: 'leave --resume out to start over' });
}
