// Where a run writes: a file, a folder of files, or something that takes bytes as they come.
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { EmbedkitError } from '../errors.js';
import { formatOf } from '../records/formats.js';
import type { Input } from '../records/read.js';
import { isThere } from '../there.js';
import { jobFolder } from './parts.js';
import { quarantinePath } from './quarantine.js';

/** Written last into a folder: without it the folder is not whole. */
export const FOLDER_MARKER = '_SUCCESS';
export const FOLDER_QUARANTINE = '_quarantine.jsonl';
export const FOLDER_PART = /^part-\d{5}\.(parquet|arrow|arrows|jsonl)$/;

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

/** The bad rows of a run that embedded none: nothing beside the output itself is touched by it. */
export function failedPath(name: string): string {
  return `${name.replace(/[/\\]+$/, '')}.failed.jsonl`;
}

/** The quarantine of an output, under the name that the user gave. */
export function quarantineOf({ kind }: Target, name: string): string {
  return kind === 'folder' ? join(name, FOLDER_QUARANTINE) : quarantinePath(name);
}

/** Throws `usage` where an input is the output, or in the folder that is. */
export async function checkOverwrite(inputs: readonly Input[], output: string): Promise<void> {
  const target = await realpath(output).catch(() => undefined);
  for (const { source } of inputs) {
    if (target === undefined || source.path === undefined) continue;
    const input = await realpath(source.path);
    if (input !== target && !input.startsWith(`${target}${sep}`)) continue;
    throw new EmbedkitError('usage', `-o ${output} is also an input`, { hint: 'write to another file' });
  }
}

/** An output in a folder that is read would be an input of the next run. */
export async function checkInputFolders(paths: readonly string[], target: string, output: string): Promise<void> {
  if (formatOf(target) === undefined) return;
  for (const path of paths) {
    const folder = await realpath(path).catch(() => undefined);
    if (folder === undefined || !target.startsWith(`${folder}${sep}`)) continue;
    throw new EmbedkitError('usage', `-o ${output} is in the input folder ${path}: the next run would read it`, {
      hint: `write it elsewhere, or name the files of the folder ('${path.replace(/\/+$/, '')}/*.jsonl')`,
    });
  }
}
