// The header of a safetensors file becomes a list of tensors, each rule of the format checked; reads no tensor data.
import { z } from 'zod';
import { EmbedkitError, messageOf } from '../errors.js';
import { ELEMENT_BITS } from './dtypes.js';
import { jsonShape } from './json-shape.js';

/** One tensor of a file. */
export interface TensorPlace {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** First byte in the file, and the one after the last. */
  readonly begin: number;
  readonly end: number;
}

/** Longest header; where huggingface/safetensors stops as well. */
export const MAX_HEADER_BYTES = 100_000_000;
/** Bytes before the header: its length as a little-endian unsigned 64-bit number. */
export const LENGTH_BYTES = 8;
// The file's object, a tensor's object, its shape.
const DEEPEST = 3;

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER)),
  data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
});

const METADATA = '__metadata__';

/**
 * @param header the bytes after the length
 * @param fileBytes size of the whole file
 * @returns tensors by name, in the order of their data
 * @throws EmbedkitError `model-invalid` for the first rule that is broken
 * Source: the format's description in huggingface/safetensors, README.md.
 */
export function parseHeader(header: Uint8Array, fileBytes: number, path: string): ReadonlyMap<string, TensorPlace> {
  const start = LENGTH_BYTES + header.length;
  const entries = Object.entries(parseJson(header, path)).filter(([name]) => name !== METADATA);
  const places = entries.map(([name, entry]): [string, TensorPlace] => [name, placeOf(name, entry, start, path)]);
  places.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  checkCover(places, start, fileBytes, path);
  return new Map(places);
}

function parseJson(header: Uint8Array, path: string): object {
  const { depth, keys } = jsonShape(header);
  if (depth > DEEPEST) throw broken(path, `its header nests ${depth} levels deep, not ${DEEPEST}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header));
  } catch (error) {
    throw broken(path, `its header is no JSON in UTF-8 (${messageOf(error).slice(0, 100)})`, error);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw broken(path, 'its header is no JSON object');
  if (Object.keys(parsed).length !== keys) throw broken(path, 'its header names a tensor twice');
  return parsed;
}

function placeOf(name: string, entry: unknown, start: number, path: string): TensorPlace {
  const parsed = entrySchema.safeParse(entry);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw broken(path, `tensor ${quotedName(name)}: ${[...(issue?.path ?? []), issue?.message].join(' ')}`);
  }
  const { dtype, shape, data_offsets } = parsed.data;
  const [begin, end] = data_offsets;
  const bits = Object.hasOwn(ELEMENT_BITS, dtype) ? ELEMENT_BITS[dtype] : undefined;
  if (bits === undefined) throw broken(path, `tensor ${quotedName(name)} has the unknown element type ${quotedName(dtype)}`);
  const bytes = (shape.reduce((product, size) => product * size, 1) * bits) / 8;
  if (!Number.isSafeInteger(bytes))
    throw broken(path, `tensor ${quotedName(name)} of ${shapeText(shape)} ${dtype} fills no whole bytes or more than exist`);
  if (end - begin === bytes) return { dtype, shape, begin: start + begin, end: start + end };
  throw broken(
    path,
    `tensor ${quotedName(name)} of ${shapeText(shape)} ${dtype} takes ${bytes} bytes, and its offsets give it ${end - begin}`,
  );
}

/** Every byte after the header belongs to exactly one tensor. */
function checkCover(places: readonly [string, TensorPlace][], start: number, fileBytes: number, path: string): void {
  let at = start;
  for (const [name, { begin, end }] of places) {
    if (begin < at) throw broken(path, `tensor ${quotedName(name)} overlaps the one before it`);
    if (begin > at) throw broken(path, `${begin - at} bytes before tensor ${quotedName(name)} belong to no tensor`);
    at = end;
  }
  if (at > fileBytes) throw broken(path, `its tensors need ${at} bytes, and the file has ${fileBytes}`);
  if (at < fileBytes) throw broken(path, `${fileBytes - at} bytes at its end belong to no tensor`);
}

function shapeText(shape: readonly number[]): string {
  return `[${shape.slice(0, 8).join(', ')}${shape.length > 8 ? ', ...' : ''}]`;
}

const LONGEST_QUOTE = 100;

/** A name out of a file, for a sentence: quoted, on one line, and not longer than anyone reads. */
export function quotedName(name: string): string {
  return JSON.stringify(name.length > LONGEST_QUOTE ? `${name.slice(0, LONGEST_QUOTE)}...` : name);
}

/** The error for a file that breaks a rule of the format. */
export function broken(path: string, what: string, cause?: unknown): EmbedkitError {
  return new EmbedkitError('model-invalid', `${path}: not a sound safetensors file: ${what}`, { hint: 'fetch it again', cause });
}
