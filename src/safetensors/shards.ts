// The safetensors files of a folder as one: a single file, or shards named by an index beside them.
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { EmbedkitError, messageOf } from '../errors.js';
import { type Floats, openTensorFile, type TensorFile } from './file.js';
import { quotedName } from './header.js';
import { jsonShape } from './json-shape.js';

/** The weights of a model, whatever files they are kept in. */
export interface Tensors {
  /** Name -> element type and shape. */
  readonly places: ReadonlyMap<string, { readonly dtype: string; readonly shape: readonly number[] }>;
  read(name: string): Promise<Floats>;
  close(): Promise<void>;
}

/** Names that transformers gives a model's weights in one file, and the index of its weights in several. */
export const SINGLE_NAME = 'model.safetensors';
export const INDEX_NAME = 'model.safetensors.index.json';
/** Longest index; those of the largest models have some hundred kilobytes. */
export const MAX_INDEX_BYTES = 16 * 2 ** 20;
/** Shards that are open at once. */
export const MAX_SHARDS = 1024;
const DEEPEST = 2;

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** Opens `x.safetensors` or an index `x.safetensors.index.json`. Throws `input-not-found`, `model-invalid`. */
export async function openTensors(path: string): Promise<Tensors> {
  return path.endsWith('.json') ? openShards(path) : openTensorFile(path);
}

async function openShards(indexPath: string): Promise<Tensors> {
  const shardOf = await readIndex(indexPath);
  const names = [...new Set(shardOf.values())];
  const files = new Map<string, TensorFile>();
  const close = async (): Promise<void> => {
    for (const file of files.values()) await file.close();
  };
  try {
    for (const name of names) files.set(name, await openTensorFile(join(dirname(indexPath), name)));
    const fileOf = (tensor: string): TensorFile | undefined => files.get(shardOf.get(tensor) ?? '');
    const places = [...shardOf.keys()].map((tensor) => {
      const place = fileOf(tensor)?.places.get(tensor);
      if (place !== undefined) return [tensor, place] as const;
      throw wrong(indexPath, `names tensor ${quotedName(tensor)} in ${quotedName(shardOf.get(tensor) as string)}, which does not hold it`);
    });
    return { places: new Map(places), close, read: (name) => (fileOf(name) ?? (files.get(names[0] as string) as TensorFile)).read(name) };
  } catch (error) {
    await close();
    throw error;
  }
}

async function readIndex(path: string): Promise<ReadonlyMap<string, string>> {
  const info = await stat(path).catch((error: unknown) => {
    throw new EmbedkitError('input-not-found', messageOf(error), { hint: 'name the folder of the model', cause: error });
  });
  if (!info.isFile() || info.size > MAX_INDEX_BYTES) throw wrong(path, `is no file of up to ${MAX_INDEX_BYTES} bytes`);
  const bytes = await readFile(path);
  if (jsonShape(bytes).depth > DEEPEST) throw wrong(path, `nests more than ${DEEPEST} levels deep`);
  const parsed = indexSchema.safeParse(parse(bytes, path));
  if (!parsed.success) throw wrong(path, `is no index: ${parsed.error.issues[0]?.path.join('.')}: ${parsed.error.issues[0]?.message}`);
  const entries = new Map(Object.entries(parsed.data.weight_map));
  const shards = new Set(entries.values());
  const outside = [...shards].find((name) => name !== basename(name) || !name.endsWith('.safetensors'));
  if (outside !== undefined) throw wrong(path, `names ${quotedName(outside)}, which is no safetensors file of its own folder`);
  if (shards.size === 0 || shards.size > MAX_SHARDS) throw wrong(path, `names ${shards.size} files, not 1 to ${MAX_SHARDS}`);
  return entries;
}

function parse(bytes: Buffer, path: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw wrong(path, 'is no JSON', error);
  }
}

function wrong(path: string, what: string, cause?: unknown): EmbedkitError {
  return new EmbedkitError('model-invalid', `${path}: ${what}`, { hint: 'fetch it again', cause });
}
