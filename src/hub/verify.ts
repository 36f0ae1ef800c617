// Whether the files of named models are what their hashes say: every byte is read again.
import { join } from 'node:path';
import { fileFacts, readManifest } from '../model/folder.js';
import { blobsOf, snapshotsOf } from './cached.js';
import { isRight } from './digest.js';
import { findModel, inventory, isShipped } from './inventory.js';
import { cacheFolder, repoFolder } from './layout.js';
import { hubName } from './name.js';

export interface Checked {
  readonly name: string;
  readonly files: number;
  readonly bytes: number;
  readonly problems: readonly { readonly path: string; readonly problem: string }[];
}

type Problem = Checked['problems'][number];

/** @param names shipped or of the cache; none: all. Throws `usage` for a name that is not there. */
export async function verifyModels(names: readonly string[]): Promise<Checked[]> {
  const all = names.length > 0 ? names : (await inventory()).map(({ name }) => name);
  const checked: Checked[] = [];
  for (const name of new Set(all))
    checked.push((await isShipped(name)) ? await verifyShipped(name) : await verifyCached(name, names.length > 0));
  return checked;
}

async function verifyShipped(name: string): Promise<Checked> {
  const { folder } = await findModel(name);
  const { path, manifest } = await readManifest(folder as string);
  const problems: Problem[] = [];
  let bytes = 0;
  let files = 0;
  for (const [file, expected] of Object.entries(manifest.files)) {
    const found = await fileFacts(join(path, file)).catch(() => undefined);
    // The npm package leaves the full-precision model out.
    if (found === undefined && file === manifest.model && manifest.int8 !== undefined) continue;
    files += 1;
    bytes += found?.bytes ?? 0;
    if (found?.sha256 !== expected.sha256)
      problems.push({ path: join(path, file), problem: found === undefined ? 'missing' : 'wrong SHA-256' });
  }
  return { name, files, bytes, problems };
}

/** A revision stands for the whole model: its blobs are shared between revisions. */
async function verifyCached(text: string, isNamed: boolean): Promise<Checked> {
  const name = hubName(text);
  if (isNamed) await findModel(text);
  const repo = repoFolder(cacheFolder(), name.id);
  const problems: Problem[] = [];
  const blobs = await blobsOf(name.id);
  for (const [blob, bytes] of blobs) {
    const path = join(repo.blobs, blob);
    if (!(await isRight(path, blob, bytes))) problems.push({ path, problem: 'its bytes have another hash than its name says' });
  }
  for (const { folder, broken } of await snapshotsOf(name.id)) {
    problems.push(...broken.map((path) => ({ path: join(folder, path), problem: 'leads to no blob' })));
  }
  return { name: name.id, files: blobs.size, bytes: [...blobs.values()].reduce((sum, size) => sum + size, 0), problems };
}
