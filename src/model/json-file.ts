// Small JSON files beside a model: read where they are there, and checked.
import { readFile, stat } from 'node:fs/promises';
import type { z } from 'zod';
import { EmbedkitError, messageOf } from '../errors.js';
import { isThere } from '../there.js';

/** Longest file of settings. */
export const MAX_SETTINGS_BYTES = 16 * 2 ** 20;

/** The content of a JSON file; undefined where there is none. Throws `model-invalid` where it is not as `schema` says. */
export async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  if (!(await isThere(path))) return undefined;
  try {
    const { size } = await stat(path);
    if (size > MAX_SETTINGS_BYTES) throw new Error(`${size} bytes, more than the ${MAX_SETTINGS_BYTES} of any such file`);
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    throw new EmbedkitError('model-invalid', `${path}: ${messageOf(error)}`, { hint: 'correct or remove it', cause: error });
  }
}
