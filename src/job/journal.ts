// The record of an unfinished run: what it was asked, and each window that is done. One checked line each; a torn end is rolled back.
import { createHash } from 'node:crypto';
import { appendDurably, type Disk, writeDurably } from '../columns/disk.js';
import { systemCode } from '../errors.js';

/** All that the bytes of the output depend on besides the input: name -> value, for comparing and for saying what changed. */
export type JobFacts = Readonly<Record<string, string>>;

export interface FinishedWindow {
  /** Items of the input that it took: rows and bad rows. */
  readonly items: number;
  /** Over these items: ids, texts, kept values, bad rows. */
  readonly digest: string;
  readonly rows: number;
  readonly quarantined: number;
  readonly reused: number;
  /** Rows whose vectors stand in an earlier output. */
  readonly borrowed: number;
  readonly tokens: number;
  readonly truncated: number;
  readonly lost: number;
  readonly lostIsExact: boolean;
  /** File names in the job's folder; undefined where there is nothing to hold. */
  readonly part: PartFile | undefined;
  readonly quarantine: string | undefined;
}

export interface PartFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface Journal {
  readonly facts: JobFacts;
  readonly windows: readonly FinishedWindow[];
  /** Records a window whose files are durable already. */
  append(window: FinishedWindow): Promise<void>;
  /** Forgets all windows from `count` on. */
  rollBack(count: number): Promise<void>;
}

const CHECK_DIGITS = 16;
const NEWLINE = 0x0a;

/** Starts a journal at `path`, over whatever stood there. */
export async function createJournal(disk: Disk, path: string, facts: JobFacts): Promise<Journal> {
  const lines = [lineOf(facts, '')];
  await writeDurably(disk, path, Buffer.from(lines.join('')));
  return journalOf(disk, path, facts, lines, []);
}

/** The journal at `path`; undefined where there is none, or none whose first line is whole. A torn or altered end is cut off. */
export async function openJournal(disk: Disk, path: string): Promise<Journal | undefined> {
  const bytes = await disk.read(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return Buffer.alloc(0);
    throw error;
  });
  const lines = goodLines(bytes);
  const [facts, ...windows] = lines.map((line) => JSON.parse(line.slice(CHECK_DIGITS + 1)));
  if (facts === undefined) return undefined;
  const goodBytes = Buffer.byteLength(lines.join(''));
  if (goodBytes < bytes.length) await disk.truncate(path, goodBytes);
  return journalOf(disk, path, facts, lines, windows);
}

function journalOf(disk: Disk, path: string, facts: JobFacts, lines: string[], windows: FinishedWindow[]): Journal {
  return {
    facts,
    windows,
    append: async (window) => {
      const line = lineOf(window, lines.at(-1) ?? '');
      await appendDurably(disk, path, Buffer.from(line));
      lines.push(line);
      windows.push(window);
    },
    rollBack: async (count) => {
      lines.length = count + 1;
      windows.length = count;
      await disk.truncate(path, Buffer.byteLength(lines.join('')));
    },
  };
}

/** A line begins with a check over itself and the line before it, so that none can be lost, moved or altered unseen. */
function lineOf(content: object, before: string): string {
  const json = JSON.stringify(content);
  return `${checkOf(json, before)} ${json}\n`;
}

function checkOf(json: string, before: string): string {
  return createHash('sha256').update(before).update(json).digest('hex').slice(0, CHECK_DIGITS);
}

/** The lines from the start on whose checks hold. */
export function goodLines(bytes: Buffer): string[] {
  const lines: string[] = [];
  for (let start = 0, end = bytes.indexOf(NEWLINE); end !== -1; start = end + 1, end = bytes.indexOf(NEWLINE, start)) {
    const line = bytes.toString('utf8', start, end + 1);
    const json = line.slice(CHECK_DIGITS + 1, -1);
    if (line !== `${checkOf(json, lines.at(-1) ?? '')} ${json}\n`) break;
    lines.push(line);
  }
  return lines;
}
