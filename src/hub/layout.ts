// Where the hub's own libraries keep models on disk, so that they and embedkit share one cache. Paths only.
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import { getHFHubCachePath, getRepoFolderName, REPO_ID_SEPARATOR } from '@huggingface/hub';
import { EmbedkitError } from '../errors.js';
import { printable } from '../format.js';

/** HF_HUB_CACHE, else the folder `hub` in HF_HOME, else in the user's cache. */
export function cacheFolder(): string {
  return getHFHubCachePath().replace(/^~(?=\/|$)/, homedir());
}

/** The folder of a model: blobs by their hash, refs by the name of a branch, and snapshots of links to blobs by commit. */
export interface RepoFolder {
  readonly path: string;
  readonly blobs: string;
  readonly refs: string;
  readonly snapshots: string;
  /** Held by a pull. */
  readonly lock: string;
}

export function repoFolder(cache: string, id: string): RepoFolder {
  const name = getRepoFolderName({ type: 'model', name: id });
  const path = join(cache, name);
  return {
    path,
    blobs: join(path, 'blobs'),
    refs: join(path, 'refs'),
    snapshots: join(path, 'snapshots'),
    lock: join(cache, '.locks', name, 'embedkit-pull.lock'),
  };
}

const MODELS = `models${REPO_ID_SEPARATOR}`;

/** ORG/NAME of a folder in the cache; undefined for data sets and whatever else lies there. */
export function idOfFolder(name: string): string | undefined {
  if (!name.startsWith(MODELS)) return undefined;
  return name.slice(MODELS.length).replace(REPO_ID_SEPARATOR, '/');
}

/** A blob that is not whole yet. Other libraries' unfinished files have other names: two must not write one. */
export function partialPath(blob: string): string {
  return `${blob}.embedkit.incomplete`;
}

export const PARTIAL = /\.incomplete$/;

/** What the link of a snapshot says: relative, so that the cache can be moved. */
export function linkTarget(link: string, blob: string): string {
  return relative(join(link, '..'), blob);
}

const MAX_PATH = 1024;

/** Whether a path from a list of files stays inside the folder it is put in, on every system. */
function staysInside(path: string): boolean {
  const parts = path.split('/');
  const isOdd = (part: string): boolean => part === '' || part === '.' || part === '..' || /[\\:\u0000-\u001f\u007f]/.test(part);
  return path.length <= MAX_PATH && !parts.some(isOdd);
}

/** Throws `model-invalid` for paths that lead out of the folder, come twice, or are both a file and a folder. */
export function checkPaths(id: string, paths: readonly string[]): void {
  const files = new Set(paths);
  const refuse = (path: string, what: string): never => {
    throw new EmbedkitError('model-invalid', `${id}: its list of files names "${printable(path.slice(0, 200))}", which ${what}`, {
      hint: 'do not use this model, and report it to the hub',
    });
  };
  for (const path of paths) {
    if (!staysInside(path)) refuse(path, 'leaves the folder of the model');
    const parts = path.split('/');
    for (let at = 1; at < parts.length; at++) if (files.has(parts.slice(0, at).join('/'))) refuse(path, 'lies inside a file');
  }
  if (files.size < paths.length) refuse(paths.find((path, at) => paths.indexOf(path) < at) as string, 'is there twice');
}
