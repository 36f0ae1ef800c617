// The model to quantize, whatever it comes as: a model folder in full precision, or an ONNX file that becomes one first.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbedkitError } from '../errors.js';
import { exportModel } from '../model/export.js';
import { type ModelFolder, openFolder } from '../model/folder.js';
import { DEFAULT_MODEL, MANIFEST_NAME } from '../model/names.js';
import type { Pooling } from '../vectors/pool.js';

/**
 * @param model name of a shipped model, model folder, ONNX file or folder with one; undefined: the shipped default
 * @param work folder for an export
 * @throws EmbedkitError `usage` where the folder has no full-precision file, and whatever an export throws
 */
export async function openSource(model: string | undefined, pooling: Pooling | undefined, work: string): Promise<ModelFolder> {
  if (!(await isRaw(model))) return openFolder(model, 'fp32').catch(withoutSource);
  const folder = join(work, 'source');
  await exportModel(model as string, folder, { dtype: 'fp32', pooling });
  return openFolder(folder, 'fp32');
}

/** Whether it is an ONNX file, or a folder that is not a model folder of ours. */
async function isRaw(model: string | undefined): Promise<boolean> {
  if (model === undefined || model === DEFAULT_MODEL) return false;
  const info = await stat(model).catch(() => undefined);
  if (info?.isFile()) return true;
  return info?.isDirectory() === true && (await stat(join(model, MANIFEST_NAME)).catch(() => undefined)) === undefined;
}

function withoutSource(error: unknown): never {
  const isMissing = error instanceof EmbedkitError && error.code === 'usage' && error.message.includes('holds no full-precision');
  if (!isMissing) throw error;
  const hint = 'quantize from a clone of the repository, which has it, or name the ONNX file to quantize';
  throw new EmbedkitError('usage', error.message, { hint, cause: error });
}
