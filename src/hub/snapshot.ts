// A snapshot of the cache: links from the paths of one commit to blobs, and the name of a branch for it.
import { lstat, readlink, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { realDisk, writeDurably } from '../columns/disk.js';
import { unwritable } from '../columns/sinks.js';
import { linkTarget, type RepoFolder } from './layout.js';
import type { HubFile } from './listing.js';

/** Makes the links; every blob is there. Returns the folder. */
export async function linkSnapshot(repo: RepoFolder, commit: string, files: readonly HubFile[]): Promise<string> {
  const folder = join(repo.snapshots, commit);
  try {
    for (const { path, blob } of files) await linkOne(join(folder, path), join(repo.blobs, blob));
    return folder;
  } catch (error) {
    throw unwritable(folder, error);
  }
}

async function linkOne(link: string, blob: string): Promise<void> {
  const target = linkTarget(link, blob);
  if ((await readlink(link).catch(() => undefined)) === target) return;
  await realDisk.makeFolder(dirname(link));
  const temporary = `${link}.embedkit-tmp`;
  await rm(temporary, { force: true });
  await symlink(target, temporary);
  await rename(temporary, link);
  await realDisk.syncFolder(dirname(link));
}

/** Written last, so that a name never leads to half a snapshot. */
export async function writeRef(repo: RepoFolder, revision: string, commit: string): Promise<void> {
  const path = join(repo.refs, revision);
  try {
    await realDisk.makeFolder(dirname(path));
    // A folder in the way: the branch "a" is there no more where there is "a/b".
    if ((await lstat(path).catch(() => undefined))?.isDirectory()) await rm(path, { recursive: true });
    await writeDurably(realDisk, path, Buffer.from(commit));
  } catch (error) {
    throw unwritable(path, error);
  }
}
