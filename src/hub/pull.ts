// `pull`: a model of the hub becomes a snapshot in the cache, pinned to a commit, every file checked against its hash.
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unwritable } from '../columns/sinks.js';
import { readsFamily } from '../encoder/family/read.js';
import { EmbedkitError } from '../errors.js';
import { takeLock } from '../job/lock.js';
import { MAX_SETTINGS_BYTES } from '../model/json-file.js';
import { CONFIG_NAME, MANIFEST_NAME } from '../model/names.js';
import { cachedModel } from './find.js';
import { cacheFolder, type RepoFolder, repoFolder } from './layout.js';
import { type HubAccess, type HubFile, type Listing, listModel } from './listing.js';
import { modelTypeIn, modulesIn } from './modules.js';
import { COMMIT, type HubName, hubName, MAIN, written } from './name.js';
import { DEFAULT_PATIENCE, type Patience } from './persist.js';
import { MODULES_NAME, type Selection, selectFiles, WEIGHTS, type WeightsForm } from './select.js';
import { createSender } from './send.js';
import { type HubSettings, hubSettings } from './settings.js';
import { linkSnapshot, writeRef } from './snapshot.js';
import { transfer, type WriteBytes } from './transfer.js';

export interface PullProgress {
  readonly file: string;
  readonly bytes: number;
  readonly total: number;
}

export interface PullOptions {
  readonly settings?: HubSettings;
  /** Undefined: safetensors where embedkit reads the family, else ONNX. */
  readonly weights?: WeightsForm | undefined;
  readonly signal?: AbortSignal;
  readonly patience?: Partial<Patience>;
  readonly onProgress?: (progress: PullProgress) => void;
  readonly onNotice?: (message: string) => void;
  /** Instead of the system's. */
  readonly write?: WriteBytes;
}

export interface Pulled {
  readonly id: string;
  readonly commit: string;
  readonly folder: string;
  readonly selection: Selection;
  readonly bytes: number;
  /** Of these, what came over the network this time; null: the network was not asked. */
  readonly fetchedBytes: number | null;
}

/**
 * @param text ORG/NAME or ORG/NAME@revision
 * @throws EmbedkitError `usage`, `server-unreachable`, `server-failed`, `server-refused`, `model-invalid` (hashes, lists),
 *   `model-unsupported` (no weights that embedkit reads), `output-unwritable`, `locked` (another pull of the model)
 */
export async function pull(text: string, options: PullOptions = {}): Promise<Pulled> {
  const name = hubName(text);
  const settings = options.settings ?? hubSettings();
  if (settings.offline) return pullOffline(name, options);
  const signal = options.signal ?? new AbortController().signal;
  const sender = createSender(settings);
  const onWait: Patience['onWait'] = (trouble, ms) => options.onNotice?.(`${trouble.message}; next try in ${(ms / 1000).toFixed(1)} s`);
  const access = { sender, endpoint: settings.endpoint, patience: { ...DEFAULT_PATIENCE, ...options.patience, signal, onWait } };
  try {
    const listing = await listModel(name, access);
    checkCommit(name, listing);
    const repo = repoFolder(cacheFolder(), name.id);
    return await locked(repo, name, signal, (until) => {
      const patience = { ...access.patience, signal: until };
      return pullInto(repo, name, listing, { ...access, patience }, options);
    });
  } finally {
    await sender.close();
  }
}

/** One pull of a model at a time; `work` is told to stop where another took over. */
async function locked<T>(repo: RepoFolder, { id }: HubName, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  try {
    await mkdir(dirname(repo.lock), { recursive: true });
    await mkdir(repo.blobs, { recursive: true });
  } catch (error) {
    throw unwritable(repo.path, error);
  }
  const lost = new AbortController();
  const lock = await takeLock(repo.lock, `${id} in the cache`, (error) => lost.abort(error));
  try {
    return await work(AbortSignal.any([signal, lost.signal]));
  } finally {
    await lock.release();
  }
}

async function pullOffline(name: HubName, { weights }: PullOptions): Promise<Pulled> {
  const { snapshot, selection } = await cachedModel(name, weights).catch((error: unknown) => {
    if (!(error instanceof EmbedkitError)) throw error;
    const hint = 'unset it to fetch the model';
    throw new EmbedkitError(error.code, `${error.message}, and HF_HUB_OFFLINE is set`, { hint, cause: error });
  });
  const { id, commit, folder, bytes } = snapshot;
  return { id, commit, folder, selection, bytes, fetchedBytes: null };
}

/** Asked for a commit, the hub must not answer with another. */
function checkCommit(name: HubName, { commit }: Listing): void {
  if (name.revision === undefined || !COMMIT.test(name.revision) || name.revision === commit) return;
  throw new EmbedkitError('model-invalid', `${written(name)}: the hub answers with commit ${commit}`, { hint: 'check HF_ENDPOINT' });
}

async function pullInto(repo: RepoFolder, name: HubName, listing: Listing, access: HubAccess, options: PullOptions): Promise<Pulled> {
  const fetching = new Fetching(repo, name, listing, access, options);
  const selection = await choose(name, listing, options, fetching);
  const files = listing.files.filter(({ path }) => selection.paths.includes(path));
  await fetching.all(files);
  const folder = await linkSnapshot(repo, listing.commit, files);
  const revision = name.revision ?? MAIN;
  if (!COMMIT.test(revision)) await writeRef(repo, revision, listing.commit);
  return { id: name.id, commit: listing.commit, folder, selection, bytes: sizeOf(files), fetchedBytes: fetching.fetched };
}

/** modules.json and config.json say which files the model is made of, so they come first. */
async function choose({ id }: HubName, { files }: Listing, options: PullOptions, fetching: Fetching): Promise<Selection> {
  const paths = files.map(({ path }) => path);
  const wish = { modules: [] as string[], forms: options.weights === undefined ? [...WEIGHTS] : [options.weights] };
  // Nothing is fetched of a model that cannot be used however its modules lie.
  if (!paths.includes(MODULES_NAME)) selectFiles(id, paths, wish);
  const modules = await modulesIn(await fetching.settings(MODULES_NAME));
  const transformer = modules[0] ?? '';
  const type = await modelTypeIn(await fetching.settings(transformer === '' ? CONFIG_NAME : `${transformer}/${CONFIG_NAME}`));
  const isRead = options.weights !== undefined || type === undefined || readsFamily(type);
  if (!isRead) checkOtherFamily(id, type, paths);
  return selectFiles(id, paths, { modules, forms: isRead ? wish.forms : ['onnx'] });
}

/** Of a family that embedkit does not read from weights only an ONNX file is of use. */
function checkOtherFamily(id: string, type: string, paths: readonly string[]): void {
  if (paths.includes(MANIFEST_NAME) || paths.some((path) => path.endsWith('.onnx'))) return;
  const found = `${id} is of type ${JSON.stringify(type.slice(0, 100))}, whose weights embedkit does not read, and it has no ONNX file`;
  throw new EmbedkitError('model-unsupported', found, {
    hint: 'choose another model, or fetch it all the same with --form safetensors',
  });
}

/** The files of one commit on their way into the cache. */
class Fetching {
  fetched = 0;

  constructor(
    private readonly repo: RepoFolder,
    private readonly name: HubName,
    private readonly listing: Listing,
    private readonly access: HubAccess,
    private readonly options: PullOptions,
  ) {}

  /** Fetches a file of settings; returns where it is, or would be. */
  async settings(path: string): Promise<string> {
    const file = this.listing.files.find((one) => one.path === path);
    if (file === undefined || file.bytes > MAX_SETTINGS_BYTES) return join(this.repo.blobs, 'none');
    await this.one(file, () => undefined);
    return join(this.repo.blobs, file.blob);
  }

  async all(files: readonly HubFile[]): Promise<void> {
    const total = sizeOf(files);
    let done = 0;
    for (const file of files) {
      await this.one(file, (bytes) => this.options.onProgress?.({ file: file.path, bytes: done + bytes, total }));
      done += file.bytes;
    }
  }

  private async one(file: HubFile, onBytes: (bytes: number) => void): Promise<void> {
    const { sender, patience, endpoint } = this.access;
    const path = file.path.split('/').map(encodeURIComponent).join('/');
    const url = `${endpoint}/${this.name.id}/resolve/${this.listing.commit}/${path}`;
    const { write } = this.options;
    this.fetched += await transfer(file, { url, blob: join(this.repo.blobs, file.blob), sender, patience, onBytes, write });
  }
}

function sizeOf(files: readonly HubFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
