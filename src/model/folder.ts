// A model folder on disk becomes its parts: manifest read, every file's size and SHA-256 checked.
import { createHash } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EmbedkitError, wrapError } from '../errors.js';
import { parseHubName } from '../hub/name.js';
import { isThere } from '../there.js';
import type { TokenizerJson } from '../tokens/tokenizer.js';
import type { DenseMap } from '../vectors/dense.js';
import type { Pooling } from '../vectors/pool.js';
import { loadDense } from './dense.js';
import { type Manifest, manifestAt, parseManifest } from './manifest.js';
import { DEFAULT_MODEL, MANIFEST_NAME, type Precision, TOKENIZER_NAME } from './names.js';

export interface ModelFolder {
  readonly path: string;
  readonly precision: Precision;
  /** How the model pools, wherever that is done: an INT8 graph may do it itself. */
  readonly pooling: Pooling;
  /** As seen at this precision: see manifestAt. */
  readonly manifest: Manifest;
  readonly modelPath: string;
  readonly tokenizer: TokenizerJson;
  /** Linear maps after pooling. */
  readonly dense: readonly DenseMap[];
}

/** The folder that holds the models of this package. */
export const SHIPPED = fileURLToPath(new URL('../../models/', import.meta.url));

/**
 * Opens a model folder, or a cached or shipped model by its name, at a precision; undefined: INT8 where the folder has it.
 * @throws EmbedkitError `usage` for a precision that the folder lacks, `model-invalid` where a file is missing or altered
 */
export async function openFolder(nameOrPath: string = DEFAULT_MODEL, asked?: Precision): Promise<ModelFolder> {
  const { path, manifest: whole } = await readManifest(nameOrPath);
  const precision = asked ?? (whole.int8 === undefined ? 'fp32' : 'int8');
  await checkPrecision(path, whole, precision);
  const manifest = manifestAt(whole, precision);
  await Promise.all(Object.entries(manifest.files).map(([name, expected]) => verifyFile(path, name, expected)));
  if (manifest.files[manifest.model] === undefined || manifest.files[TOKENIZER_NAME] === undefined) {
    throw new EmbedkitError('model-invalid', `${join(path, MANIFEST_NAME)}: its files lack the model or the tokenizer`, {
      hint: 'export the model again',
    });
  }
  const tokenizer = JSON.parse(await readFile(join(path, TOKENIZER_NAME), 'utf8')) as TokenizerJson;
  const dense = await loadDense(path, manifest);
  return { path, precision, pooling: whole.pooling, manifest, modelPath: join(path, manifest.model), tokenizer, dense };
}

/** Finds a model folder and reads its whole manifest; checks no file. Throws `usage` where there is none. */
export async function readManifest(nameOrPath: string): Promise<{ path: string; manifest: Manifest }> {
  const path = await locate(nameOrPath);
  const manifestPath = join(path, MANIFEST_NAME);
  return { path, manifest: parseManifest(await readFile(manifestPath, 'utf8'), manifestPath) };
}

async function checkPrecision(path: string, manifest: Manifest, precision: Precision): Promise<void> {
  if (precision === 'int8' && manifest.int8 === undefined) {
    const hint = 'make one with embedkit quantize, or leave --precision out';
    throw new EmbedkitError('usage', `--precision int8: ${path} has no INT8 model`, { hint });
  }
  if (precision === 'fp32' && manifest.int8 !== undefined && !(await isFile(join(path, manifest.model)))) {
    const hint =
      'leave --precision out, or put that file there (it is in a clone of the repository, and embedkit export makes it from the source ONNX)';
    throw new EmbedkitError('usage', `${path} holds no full-precision ${manifest.model}`, { hint });
  }
}

/** A folder; else a model of the hub's cache, by ORG/NAME[@revision]; else a shipped one. Nothing is fetched. */
async function locate(nameOrPath: string): Promise<string> {
  if (await isFile(join(nameOrPath, MANIFEST_NAME))) return nameOrPath;
  const hub = (await isThere(nameOrPath)) ? undefined : parseHubName(nameOrPath);
  // The hub's library takes time to load, so only where it is needed.
  if (hub !== undefined) return (await import('../hub/find.js')).cachedModelFolder(hub);
  const shipped = join(SHIPPED, nameOrPath);
  if (!/[\\/]/.test(nameOrPath) && (await isFile(join(shipped, MANIFEST_NAME)))) return shipped;
  const hint = `name a folder with ${MANIFEST_NAME} in it (embedkit export makes one), a model in the hub's cache (embedkit pull fetches one) or the shipped ${DEFAULT_MODEL}`;
  throw new EmbedkitError('usage', `no model "${nameOrPath}"`, { hint });
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isFile(),
    () => false,
  );
}

async function verifyFile(folder: string, name: string, expected: { bytes: number; sha256: string }): Promise<void> {
  if (name !== basename(name)) throw new EmbedkitError('model-invalid', `${folder}: file name "${name}" leaves the folder`);
  const path = join(folder, name);
  const found = await fileFacts(path).catch((error: unknown) => {
    throw wrapError(error, 'model-invalid', path, 'fetch or export the model again');
  });
  if (found.bytes === expected.bytes && found.sha256 === expected.sha256) return;
  const what = found.bytes === expected.bytes ? 'its SHA-256' : `its size (${found.bytes} bytes, not ${expected.bytes})`;
  throw new EmbedkitError('model-invalid', `${path}: ${what} is not what ${MANIFEST_NAME} says`, {
    hint: 'fetch or export the model again',
  });
}

const HASH_BYTES = 1 << 20;

/** Size and SHA-256 of a file, read once. Through one buffer: a stream's would count towards peak memory as long as the file. */
export async function fileFacts(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafeSlow(HASH_BYTES);
  const file = await open(path);
  try {
    let bytes = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, HASH_BYTES);
      if (bytesRead === 0) return { bytes, sha256: hash.digest('hex') };
      hash.update(buffer.subarray(0, bytesRead));
      bytes += bytesRead;
    }
  } finally {
    await file.close();
  }
}
