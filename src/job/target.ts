// Where a run writes: a file, a folder of files, or something that takes bytes as they come.
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { EmbedkitError } from '../errors.js';
import { jobFolder } from './parts.js';
import { quarantinePath } from './quarantine.js';

export interface Target {
  readonly kind: 'file' | 'folder';
  /** Links followed: what the run needs to go on stands beside it. */
  readonly path: string;
}

/**
 * What -o names; undefined for a stream or a device, which nothing can resume. A name that ends in a slash is a folder, and so is one that
 * is there. Throws `usage` for a folder with something in it, unless that is to be overwritten or an unfinished run is about to.
 */
export async function resolveTarget(name: string, overwrite: boolean): Promise<Target | undefined> {
  if (name === '-') return undefined;
  const path = await realpath(name).catch(() => resolve(name));
  const info = await stat(path).catch(() => undefined);
  if (info?.isDirectory() || (info === undefined && /[/\\]$/.test(name))) {
    await checkFolder(name, path, overwrite);
    return { kind: 'folder', path };
  }
  return info === undefined || info.isFile() ? { kind: 'file', path } : undefined;
}

async function checkFolder(name: string, path: string, overwrite: boolean): Promise<void> {
  const found = await readdir(path).catch(() => []);
  if (found.length === 0 || overwrite || (await isThere(join(jobFolder(path), 'journal')))) return;
  throw new EmbedkitError('usage', `-o ${name} is a folder with ${found.length} files in it`, {
    hint: 'name a file in it, or another folder, or say --overwrite to replace the files that embedkit wrote there',
  });
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** The quarantine of an output, under the name that the user gave. */
export function quarantineOf({ kind }: Target, name: string): string {
  return kind === 'folder' ? join(name, '_quarantine.jsonl') : quarantinePath(name);
}
