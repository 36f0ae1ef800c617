// The models on this machine that have a name: shipped ones and those of the hub's cache.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readManifest, SHIPPED } from '../model/folder.js';
import { cachedModels, demandSnapshot, type Snapshot, type State, snapshotsOf, stateOf, unfinishedBytes } from './cached.js';
import { hubName, parseHubName } from './name.js';

export interface ModelEntry {
  readonly name: string;
  readonly origin: 'shipped' | 'hub';
  /** Null: shipped, or nothing of it is whole yet. */
  readonly commit: string | null;
  readonly refs: readonly string[];
  readonly bytes: number;
  readonly state: State | 'unfinished';
  readonly folder: string | null;
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
}

/** Shipped models first, then the cache's by name and commit; what broke off comes after what is whole. */
export async function inventory(): Promise<ModelEntry[]> {
  const entries = await shippedModels();
  for (const id of await cachedModels()) {
    for (const snapshot of await snapshotsOf(id)) entries.push(await entryOf(snapshot));
    const bytes = await unfinishedBytes(id);
    if (bytes > 0) entries.push({ name: id, origin: 'hub', commit: null, refs: [], bytes, state: 'unfinished', folder: null, files: [] });
  }
  return entries;
}

/** One model by its name. Throws `usage` where there is none. */
export async function findModel(text: string): Promise<ModelEntry> {
  const name = parseHubName(text);
  const shipped = name === undefined ? (await shippedModels()).find((entry) => entry.name === text) : undefined;
  return shipped ?? entryOf(await demandSnapshot(hubName(text)));
}

export async function isShipped(text: string): Promise<boolean> {
  return (await shippedModels()).some(({ name }) => name === text);
}

async function shippedModels(): Promise<ModelEntry[]> {
  const entries: ModelEntry[] = [];
  for (const folderName of (await readdir(SHIPPED).catch(() => [])).sort()) {
    const folder = join(SHIPPED, folderName);
    const { manifest } = await readManifest(folder);
    const files = Object.entries(manifest.files).map(([path, { bytes }]) => ({ path, bytes }));
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    entries.push({ name: folderName, origin: 'shipped', commit: null, refs: [], bytes, state: 'ready', folder, files });
  }
  return entries;
}

async function entryOf(snapshot: Snapshot): Promise<ModelEntry> {
  const { id, commit, refs, bytes, folder, files } = snapshot;
  return { name: id, origin: 'hub', commit, refs, bytes, state: await stateOf(snapshot), folder, files };
}
