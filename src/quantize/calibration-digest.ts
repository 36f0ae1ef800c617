// What a calibration was made from, in hashes: of the files, and of the texts that were picked. Picks nothing.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Input } from '../records/read.js';
import { type Source, unreadable } from '../records/source.js';
import type { Pick } from './stratify.js';

export interface CalibrationFile {
  readonly name: string;
  /** Of the file; of what is no regular file (standard input, a named pipe), `digestOf` the texts picked from it. */
  readonly sha256: string;
  /** Rows read, dropped ones included. */
  readonly rows: number;
}

type Parts = readonly (readonly { readonly text: string }[])[];

/** SHA-256 of texts in parts: each text as a JSON string and a line feed, an empty line between two parts. */
export function digestOf(parts: Parts): string {
  const hash = createHash('sha256');
  for (const [index, part] of parts.entries()) {
    if (index > 0) hash.update('\n');
    for (const { text } of part) hash.update(`${JSON.stringify(text)}\n`);
  }
  return hash.digest('hex');
}

/**
 * The inputs with their hashes. A file is read a second time for it.
 * @param ends for each input, the rows of the corpus up to its end
 * @param parts the picks, their positions being rows of the corpus
 */
export async function describeFiles(
  inputs: readonly Input[],
  ends: readonly number[],
  parts: readonly (readonly Pick[])[],
): Promise<CalibrationFile[]> {
  const files: CalibrationFile[] = [];
  for (const [index, { source }] of inputs.entries()) {
    const first = ends[index - 1] ?? 0;
    const end = ends[index] ?? first;
    const own = parts.map((part) => part.filter(({ position }) => position >= first && position < end));
    files.push({ name: source.name, sha256: (await hashFile(source)) ?? digestOf(own), rows: end - first });
  }
  return files;
}

/** Undefined for what cannot be read twice. */
async function hashFile(source: Source): Promise<string | undefined> {
  const { path } = source;
  try {
    if (path === undefined || !(await stat(path)).isFile()) return undefined;
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path)) hash.update(chunk);
    return hash.digest('hex');
  } catch (error) {
    throw unreadable(source, error);
  }
}
