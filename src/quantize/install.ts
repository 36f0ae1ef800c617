// The finished INT8 model goes where it was asked for: a new folder whole, or into the folder of its source, the manifest last.
import { copyFile, mkdir, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { EmbedkitError, systemCode } from '../errors.js';
import type { ModelFolder } from '../model/folder.js';
import { fileFacts } from '../model/folder.js';
import { DENSE_NAME, INT8_NAME, MANIFEST_NAME, TOKENIZER_NAME } from '../model/names.js';

/** Where a model goes. */
export interface Target {
  readonly folder: string;
  /** Whether it is the folder of the model that is quantized. */
  readonly isSource: boolean;
}

export interface TargetOptions {
  /** Folder of the model in full precision. */
  readonly source: string;
  /** Other paths that are read: no folder with one of them in it is replaced. */
  readonly read: readonly string[];
  readonly overwrite: boolean;
}

/** Throws `usage` where something is in the way; nothing is changed yet. */
export async function checkTarget(out: string, { source, read, overwrite }: TargetOptions): Promise<Target> {
  const folder = resolve(out);
  const there = await stat(folder).catch(() => undefined);
  if (there === undefined) return { folder, isSource: false };
  if (!there.isDirectory()) throw new EmbedkitError('usage', `-o ${out} is a file`, { hint: 'name a folder' });
  const names = await readdir(folder);
  const isSource = (await realpath(source)) === (await realpath(folder));
  const isTaken = isSource ? names.includes(INT8_NAME) : names.length > 0;
  if (!isTaken) return { folder, isSource };
  if (!overwrite) {
    const found = isSource ? `${out} holds an INT8 model already` : `${out} exists`;
    throw new EmbedkitError('usage', found, { hint: 'name another folder with -o, or say --overwrite' });
  }
  if (isSource) return { folder, isSource };
  const inside = await firstInside(await realpath(folder), [source, ...read]);
  if (inside !== undefined)
    throw new EmbedkitError('usage', `${out} holds ${inside}, which is read`, { hint: 'name another output folder' });
  if (names.includes(MANIFEST_NAME)) return { folder, isSource };
  throw new EmbedkitError('usage', `${out} is no model folder (no ${MANIFEST_NAME} in it)`, { hint: 'name another folder' });
}

/** The first of some paths that lies in a folder, links followed. */
async function firstInside(folder: string, paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const real = await realpath(path).catch(() => undefined);
    if (real !== undefined && !/^\.\.([\\/]|$)/.test(relative(folder, real))) return path;
  }
  return undefined;
}

/** The folder that a run works in, beside what it will write. */
export function workFolder(out: string): string {
  return `${resolve(out)}.tmp-${process.pid}`;
}

/** Removes what killed runs to the same place left; a living process keeps its own. */
export async function removeStale(out: string): Promise<void> {
  const prefix = `${basename(resolve(out))}.tmp-`;
  const folder = dirname(resolve(out));
  for (const name of await readdir(folder).catch(() => [])) {
    const pid = name.startsWith(prefix) ? /^\d+$/.exec(name.slice(prefix.length))?.[0] : undefined;
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

/**
 * Puts the model files of `work` (model, its external data, manifest) in place. Into the source's folder they are renamed one
 * by one, the manifest last; a new folder, with the tokenizer, appears whole.
 */
export async function install(work: string, target: Target, source: ModelFolder): Promise<void> {
  const made = (await readdir(work)).filter((name) => name.startsWith(INT8_NAME));
  if (target.isSource) {
    for (const name of [...made, MANIFEST_NAME]) await rename(join(work, name), join(target.folder, name));
    return;
  }
  const whole = join(work, 'whole');
  await mkdir(whole);
  for (const name of [...made, MANIFEST_NAME]) await rename(join(work, name), join(whole, name));
  const kept = [TOKENIZER_NAME, ...(source.dense.length === 0 ? [] : [DENSE_NAME])];
  for (const name of kept) await copyFile(join(source.path, name), join(whole, name));
  // What is replaced goes with the work folder, and only once the new one can take its place.
  await rename(target.folder, join(work, 'replaced')).catch(unlessMissing);
  await rename(whole, target.folder);
}

function unlessMissing(error: unknown): void {
  if (systemCode(error) !== 'ENOENT') throw error;
}

/** Size and SHA-256 of each model file that was made, by name. */
export async function madeFiles(work: string): Promise<Record<string, { bytes: number; sha256: string }>> {
  const made = (await readdir(work)).filter((name) => name.startsWith(INT8_NAME)).sort();
  return Object.fromEntries(await Promise.all(made.map(async (name) => [name, await fileFacts(join(work, name))] as const)));
}
