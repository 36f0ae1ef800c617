// What the hub says of a model: the commit behind a revision, and the files of that commit with their hashes.
import { listFiles, modelInfo } from '@huggingface/hub';
import { z } from 'zod';
import { EmbedkitError, wrapError } from '../errors.js';
import { checkPaths } from './layout.js';
import { COMMIT, type HubName, MAIN, written } from './name.js';
import { type Patience, persist } from './persist.js';
import type { Sender } from './send.js';
import { broken, PassingTrouble } from './trouble.js';

export interface HubFile {
  readonly path: string;
  readonly bytes: number;
  /** Name of its blob: the SHA-256 of a large file, git's hash of a small one. */
  readonly blob: string;
}

export interface Listing {
  readonly commit: string;
  readonly files: readonly HubFile[];
}

const MAX_FILES = 100_000;
const MAX_PAGE_BYTES = 64 * 2 ** 20;

const entrySchema = z.object({
  type: z.string(),
  path: z.string(),
  size: z.number().int().nonnegative(),
  oid: z.string().regex(COMMIT),
  lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: z.number().int().nonnegative() }).optional(),
});

export interface HubAccess {
  readonly sender: Sender;
  readonly endpoint: string;
  readonly patience: Patience;
}

/** Asks for the commit and its files. Throws EmbedkitError `server-refused`, `server-failed`, `server-unreachable`, `model-invalid`. */
export async function listModel(name: HubName, access: HubAccess): Promise<Listing> {
  // The token is the sender's to add: this library takes none that does not begin with "hf_".
  const asked = { hubUrl: access.endpoint, fetch: fetchBy(access, written(name)) };
  try {
    const { sha: commit } = await modelInfo({ ...asked, name: name.id, revision: name.revision ?? MAIN, additionalFields: ['sha'] });
    if (!COMMIT.test(commit)) throw new Error('the commit it names is none');
    const entries: unknown[] = [];
    for await (const entry of listFiles({ ...asked, repo: name.id, revision: commit, recursive: true })) {
      entries.push(entry);
      if (entries.length > MAX_FILES) throw new Error(`its list of files is longer than ${MAX_FILES}`);
    }
    const files = entries.map((entry) => entrySchema.parse(entry)).filter(({ type }) => type === 'file');
    checkPaths(
      name.id,
      files.map(({ path }) => path),
    );
    return { commit, files: files.map(({ path, size, oid, lfs }) => ({ path, bytes: lfs?.size ?? size, blob: lfs?.oid ?? oid })) };
  } catch (error) {
    access.patience.signal.throwIfAborted();
    throw wrapError(error, 'server-failed', `${written(name)}: the hub's answer cannot be used`, 'check HF_ENDPOINT, or try again later');
  }
}

/** `fetch` for the library: only whole, good answers come back, after as many tries as it takes. */
function fetchBy({ sender, patience }: HubAccess, what: string): typeof fetch {
  return async (input) => {
    const url = String(input);
    return persist(async () => {
      const { body, header, host } = await sender.get({ url, what, signal: patience.signal });
      const text = await readText(body, host, patience.signal);
      const link = header('link');
      return new Response(text, { headers: { 'content-type': 'application/json', ...(link !== undefined && { link }) } });
    }, patience);
  };
}

async function readText(body: AsyncIterable<Buffer>, host: string, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > MAX_PAGE_BYTES) throw new EmbedkitError('server-failed', `${host}: a list of more than ${MAX_PAGE_BYTES} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof EmbedkitError || error instanceof PassingTrouble ? error : broken(host, error);
  }
  return Buffer.concat(chunks).toString('utf8');
}
