// What is in the hub's cache: models, their commits, and whether embedkit can use them.
import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { EmbedkitError } from '../errors.js';
import { isThere } from '../there.js';
import { isBlobName } from './digest.js';
import { cacheFolder, idOfFolder, PARTIAL, repoFolder } from './layout.js';
import { modulesIn } from './modules.js';
import { COMMIT, type HubName, MAIN, written } from './name.js';
import { MODULES_NAME, type Selection, selectFiles, WEIGHTS, type WeightsForm } from './select.js';

export interface Snapshot {
  readonly id: string;
  readonly commit: string;
  /** Branches and tags that mean this commit. */
  readonly refs: readonly string[];
  readonly folder: string;
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  readonly bytes: number;
  /** Links to blobs that are not there. */
  readonly broken: readonly string[];
}

/** ready: `--model` takes it. export: `embedkit export` makes a model folder of it. unusable: neither. */
export type State = 'ready' | 'export' | 'unusable';

/** Names and paths of the models in the cache, by name. */
export async function cachedModels(): Promise<string[]> {
  const names = await readdir(cacheFolder()).catch(() => []);
  return names.flatMap((name) => idOfFolder(name) ?? []).sort();
}

/** The commits of a model that are there. */
export async function snapshotsOf(id: string): Promise<Snapshot[]> {
  const repo = repoFolder(cacheFolder(), id);
  const refs = await refsIn(repo.refs);
  const commits = (await readdir(repo.snapshots).catch(() => [])).filter((name) => COMMIT.test(name)).sort();
  return Promise.all(commits.map((commit) => readSnapshot(id, commit, refs)));
}

/** Undefined where the cache has nothing under that name. A commit may be cut to seven digits where that is enough. */
export async function findSnapshot(name: HubName): Promise<Snapshot | undefined> {
  const repo = repoFolder(cacheFolder(), name.id);
  const refs = await refsIn(repo.refs);
  const revision = name.revision ?? MAIN;
  const commit = refs.get(revision) ?? (await commitOf(repo.snapshots, revision));
  if (commit === undefined || !(await isThere(join(repo.snapshots, commit)))) return undefined;
  return readSnapshot(name.id, commit, refs);
}

async function commitOf(snapshots: string, revision: string): Promise<string | undefined> {
  if (!/^[0-9a-f]{7,40}$/.test(revision)) return undefined;
  const found = (await readdir(snapshots).catch(() => [])).filter((name) => COMMIT.test(name) && name.startsWith(revision));
  return found.length === 1 ? found[0] : undefined;
}

async function readSnapshot(id: string, commit: string, refs: ReadonlyMap<string, string>): Promise<Snapshot> {
  const folder = join(repoFolder(cacheFolder(), id).snapshots, commit);
  const entries = await entriesUnder(folder);
  const files: { path: string; bytes: number }[] = [];
  const broken: string[] = [];
  for (const path of entries) {
    const info = await stat(join(folder, path)).catch(() => undefined);
    if (info === undefined) broken.push(path);
    else if (info.isFile()) files.push({ path, bytes: info.size });
  }
  return {
    id,
    commit,
    refs: [...refs].filter(([, meant]) => meant === commit).map(([ref]) => ref),
    folder,
    files,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    broken,
  };
}

/** Paths of all that is no folder, with slashes on every system. */
export async function entriesUnder(folder: string): Promise<string[]> {
  const entries: Dirent[] = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => !entry.isDirectory());
  return files.map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/')).sort();
}

/** Branches and tags -> commits. */
export async function refsIn(folder: string): Promise<Map<string, string>> {
  const refs = new Map<string, string>();
  for (const ref of await entriesUnder(folder)) {
    const commit = (await readFile(join(folder, ref), 'utf8').catch(() => '')).trim();
    if (COMMIT.test(commit)) refs.set(ref, commit);
  }
  return refs;
}

/** Which files of a snapshot embedkit would use. Throws EmbedkitError where it cannot. */
export async function selectIn(snapshot: Snapshot, forms: readonly WeightsForm[] = WEIGHTS): Promise<Selection> {
  const modules = await modulesIn(join(snapshot.folder, MODULES_NAME));
  const paths = snapshot.files.map(({ path }) => path);
  return selectFiles(snapshot.id, paths, { modules, forms });
}

export async function stateOf(snapshot: Snapshot): Promise<State> {
  if (snapshot.broken.length > 0) return 'unusable';
  const selection = await selectIn(snapshot).catch(() => undefined);
  if (selection === undefined) return 'unusable';
  return selection.form === 'embedkit' ? 'ready' : 'export';
}

/** Bytes of files that did not arrive whole, whoever fetched them. */
export async function unfinishedBytes(id: string): Promise<number> {
  const { blobs } = repoFolder(cacheFolder(), id);
  let bytes = 0;
  for (const name of await readdir(blobs).catch(() => [])) if (PARTIAL.test(name)) bytes += (await stat(join(blobs, name))).size;
  return bytes;
}

/** Blobs by name, with their sizes. */
export async function blobsOf(id: string): Promise<Map<string, number>> {
  const { blobs } = repoFolder(cacheFolder(), id);
  const sizes = new Map<string, number>();
  for (const name of (await readdir(blobs).catch(() => [])).sort()) {
    if (isBlobName(name)) sizes.set(name, (await stat(join(blobs, name))).size);
  }
  return sizes;
}

/** Throws `usage` for what the cache does not hold, saying what it does hold. */
export async function demandSnapshot(name: HubName): Promise<Snapshot> {
  const found = await findSnapshot(name);
  if (found !== undefined) return found;
  const others = (await snapshotsOf(name.id)).map(({ commit }) => `${name.id}@${commit.slice(0, 12)}`);
  const fetch = `fetch it with embedkit pull ${written(name)}`;
  const hint = others.length === 0 ? fetch : `name ${others.join(' or ')}, or ${fetch}`;
  throw new EmbedkitError('usage', `no model "${written(name)}": it is no folder, and not in the hub's cache`, { hint });
}
