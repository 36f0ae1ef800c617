// Takes a model, or one revision of it, out of the hub's cache: blobs that other revisions need stay.
import { lstat, mkdir, readdir, readlink, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { unwritable } from '../columns/sinks.js';
import { EmbedkitError } from '../errors.js';
import { takeLock } from '../job/lock.js';
import { isThere } from '../there.js';
import { blobsOf, demandSnapshot, entriesUnder, refsIn, type Snapshot, snapshotsOf } from './cached.js';
import { isShipped } from './inventory.js';
import { cacheFolder, type RepoFolder, repoFolder } from './layout.js';
import { hubName } from './name.js';

export interface Removed {
  readonly name: string;
  /** Undefined: the whole model went. */
  readonly commit: string | undefined;
  readonly folder: string;
  readonly freedBytes: number;
}

/**
 * @param text ORG/NAME for all of it, ORG/NAME@revision for one
 * @throws EmbedkitError `usage` for what is not there or is shipped, `locked` while it is being pulled, `output-unwritable`
 */
export async function removeModel(text: string): Promise<Removed> {
  if (await isShipped(text)) {
    throw new EmbedkitError('usage', `${text} comes with embedkit and stays`, {
      hint: "name a model of the hub's cache, as embedkit models list shows them",
    });
  }
  const name = hubName(text);
  const repo = repoFolder(cacheFolder(), name.id);
  const snapshot = name.revision === undefined && (await isThere(repo.path)) ? undefined : await demandSnapshot(name);
  await mkdir(dirname(repo.lock), { recursive: true }).catch((error: unknown) => {
    throw unwritable(repo.lock, error);
  });
  const lock = await takeLock(repo.lock, `${name.id} in the cache`, () => undefined);
  try {
    const isLast = snapshot !== undefined && (await snapshotsOf(name.id)).length === 1;
    if (snapshot === undefined || isLast) return { name: name.id, commit: snapshot?.commit, ...(await removeAll(repo)) };
    return { name: name.id, commit: snapshot.commit, ...(await removeOne(repo, snapshot)) };
  } catch (error) {
    throw unwritable(repo.path, error);
  } finally {
    await lock.release();
  }
}

async function removeAll(repo: RepoFolder): Promise<Pick<Removed, 'folder' | 'freedBytes'>> {
  const freedBytes = await bytesUnder(repo.path);
  await rm(repo.path, { recursive: true, force: true });
  return { folder: repo.path, freedBytes };
}

async function removeOne(repo: RepoFolder, { id, commit, folder }: Snapshot): Promise<Pick<Removed, 'folder' | 'freedBytes'>> {
  for (const [ref, meant] of await refsIn(repo.refs)) if (meant === commit) await rm(join(repo.refs, ref), { force: true });
  await rm(folder, { recursive: true, force: true });
  const needed = new Set<string>();
  for (const other of await readdir(repo.snapshots)) {
    const links = await entriesUnder(join(repo.snapshots, other));
    for (const path of links) needed.add(basename(await readlink(join(repo.snapshots, other, path)).catch(() => '')));
  }
  let freedBytes = 0;
  for (const [blob, bytes] of await blobsOf(id)) {
    if (needed.has(blob)) continue;
    await rm(join(repo.blobs, blob), { force: true });
    freedBytes += bytes;
  }
  return { folder, freedBytes };
}

async function bytesUnder(folder: string): Promise<number> {
  let bytes = 0;
  for (const path of await entriesUnder(folder)) {
    // Links count for nothing: what they lead to is counted where it lies.
    const info = await lstat(join(folder, path)).catch(() => undefined);
    if (info?.isFile()) bytes += info.size;
  }
  return bytes;
}
