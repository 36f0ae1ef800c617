// Tensor data kept in a file beside the model: found inside the model's folder, measured, and only then read.
import type { Stats } from 'node:fs';
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize, relative, sep } from 'node:path';
import { EmbedkitError, messageOf } from '../errors.js';
import type { TensorProto } from './proto.js';
import { expectedBytes, quoted, wrongSize } from './sound.js';

/** Largest tensor that is read; a table of 250,000 words by 1,024 channels in FP32 takes a quarter of it. */
export const MAX_TENSOR_BYTES = 2 ** 32;

/** What a refusal names, and what the entries of externalData say. */
interface Kept {
  readonly tensor: TensorProto;
  readonly modelPath: string;
  readonly location: string;
  readonly entries: ReadonlyMap<string, string>;
}

/**
 * The raw little-endian bytes of a tensor with external data. Throws `model-invalid` where the place lies outside the
 * model's folder (by its path or by a link), is no file, or holds too little. Source: ONNX docs/ExternalData.md.
 */
export async function externalBytes(tensor: TensorProto, modelPath: string): Promise<Uint8Array> {
  const entries = new Map((tensor.externalData ?? []).map((entry) => [String(entry.key), String(entry.value)]));
  const kept: Kept = { tensor, modelPath, location: entries.get('location') ?? '', entries };
  const path = await insidePath(kept);
  const found = await statFile(kept, path);
  const range = rangeOf(kept, found.size);
  const file = await open(path).catch((error: unknown) => fail(kept, `cannot be opened: ${reasonOf(error)}`, error));
  try {
    return await readFully(kept, file, range);
  } finally {
    await file.close();
  }
}

/** The real path of the file, which must lie in the model's folder, or where the model itself is a link, in that of its target. */
async function insidePath(kept: Kept): Promise<string> {
  const inside = normalize(kept.location);
  if (kept.location === '' || isAbsolute(inside) || leadsOut(inside)) throw outside(kept);
  const folder = dirname(kept.modelPath);
  const missing = (error: unknown): never => fail(kept, `is not there: ${reasonOf(error)}`, error);
  const path = await realpath(join(folder, inside)).catch(missing);
  // Model caches link both files out of the folder, into one place.
  const homes = [await realpath(folder).catch(missing), dirname(await realpath(kept.modelPath).catch(missing))];
  if (homes.some((home) => !leadsOut(relative(home, path)))) return path;
  throw outside(kept);
}

function leadsOut(path: string): boolean {
  return path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path);
}

function outside({ modelPath, tensor, location }: Kept): EmbedkitError {
  const message = `${modelPath}: tensor ${quoted(tensor.name)} is kept in ${quoted(location)}, outside the model's folder`;
  return new EmbedkitError('model-invalid', message, { hint: 'put the external data file beside the model' });
}

async function statFile(kept: Kept, path: string): Promise<Stats> {
  const found = await stat(path).catch((error: unknown) => fail(kept, `cannot be read: ${reasonOf(error)}`, error));
  // Opening a pipe would wait for its writer.
  if (!found.isFile()) fail(kept, 'is not a file');
  return found;
}

interface Range {
  readonly offset: number;
  readonly length: number;
}

/** Offset and length as declared, checked against the file and the dimensions before anything is allocated. */
function rangeOf(kept: Kept, fileBytes: number): Range {
  const { tensor, modelPath } = kept;
  const offset = wholeNumber(kept, 'offset') ?? 0;
  const expected = expectedBytes(tensor, modelPath);
  const length = wholeNumber(kept, 'length') ?? expected ?? fileBytes - offset;
  if (!(length >= 0 && offset + length <= fileBytes)) {
    const message = `${modelPath}: ${quoted(kept.location)} (${fileBytes} bytes) is too short for tensor ${quoted(tensor.name)}`;
    throw new EmbedkitError('model-invalid', message, { hint: 'fetch the file again' });
  }
  if (expected !== undefined && length !== expected) throw wrongSize(tensor, modelPath, length, expected);
  if (length > MAX_TENSOR_BYTES) fail(kept, `takes ${length} bytes, more than the ${MAX_TENSOR_BYTES} that embedkit reads`);
  return { offset, length };
}

function wholeNumber(kept: Kept, key: 'offset' | 'length'): number | undefined {
  const text = kept.entries.get(key);
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(Number(text))) fail(kept, `has the ${key} ${quoted(text)}, no number of bytes`);
  return Number(text);
}

const READ_BYTES = 1 << 30;

async function readFully(kept: Kept, file: FileHandle, { offset, length }: Range): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, Math.min(READ_BYTES, length - done), offset + done);
    if (bytesRead === 0) fail(kept, 'ended early');
    done += bytesRead;
  }
  return bytes;
}

function fail({ modelPath, tensor, location }: Kept, what: string, cause?: unknown): never {
  const message = `${modelPath}: external data ${quoted(location)} of tensor ${quoted(tensor.name)} ${what}`;
  throw new EmbedkitError('model-invalid', message, { hint: 'put the whole external data file beside the model', cause });
}

/** The system's words without the path, which comes out of the model file and may hold anything. */
function reasonOf(error: unknown): string {
  return messageOf(error).split(',')[0] as string;
}
