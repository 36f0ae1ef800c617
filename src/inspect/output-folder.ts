// A folder of outputs, as `embed -o folder/` writes it.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbedkitError } from '../errors.js';
import { FOLDER_MARKER, FOLDER_PART } from '../job/target.js';

/** The files of a folder in their order; undefined where `path` is no folder. Throws `input-unreadable` for one that is not finished. */
export async function filesIn(path: string): Promise<readonly string[] | undefined> {
  const info = await stat(path).catch(() => undefined);
  if (!info?.isDirectory()) return undefined;
  const names = (await readdir(path)).sort();
  const parts = names.filter((name) => FOLDER_PART.test(name));
  if (parts.length === 0) throw unfinished(path, 'holds no part of an output', 'name a file or a folder that embedkit embed wrote');
  if (!names.includes(FOLDER_MARKER))
    throw unfinished(path, `has no ${FOLDER_MARKER}`, 'run the command that writes it again: it goes on where it stopped');
  return parts.map((name) => join(path, name));
}

function unfinished(path: string, found: string, hint: string): EmbedkitError {
  return new EmbedkitError('input-unreadable', `${path} ${found}`, { hint });
}
