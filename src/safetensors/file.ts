// One safetensors file, opened and checked; tensors are read one by one, in pieces, so that memory holds what was asked for.
import { type FileHandle, open } from 'node:fs/promises';
import { EmbedkitError, messageOf } from '../errors.js';
import { DECODERS, ELEMENT_BITS } from './dtypes.js';
import { broken, LENGTH_BYTES, MAX_HEADER_BYTES, parseHeader, quotedName, type TensorPlace } from './header.js';

/** A tensor as weights. */
export interface Floats {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float32Array;
}

export interface TensorFile {
  /** Tensors by name. */
  readonly places: ReadonlyMap<string, TensorPlace>;
  /** Throws `model-unsupported` for a type that holds no weights, `model-invalid` for a name that is not there. */
  read(name: string): Promise<Floats>;
  close(): Promise<void>;
}

/** Opens a file and checks its whole header. Throws `input-not-found`, or `model-invalid` for the rule that it breaks. */
export async function openTensorFile(path: string): Promise<TensorFile> {
  const file = await open(path).catch((error: unknown) => {
    const hint = 'name a safetensors file or a folder that holds one';
    throw new EmbedkitError('input-not-found', messageOf(error), { hint, cause: error });
  });
  try {
    const places = await readPlaces(file, path);
    return { places, read: (name) => readTensor(file, places.get(name), name, path), close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readPlaces(file: FileHandle, path: string): Promise<ReadonlyMap<string, TensorPlace>> {
  const info = await file.stat();
  if (!info.isFile()) throw broken(path, 'it is no file');
  if (info.size < LENGTH_BYTES) throw broken(path, `it has ${info.size} bytes, fewer than the length of a header takes`);
  const length = new DataView((await readRange(file, path, 0, LENGTH_BYTES)).buffer).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) throw broken(path, `it claims a header of ${length} bytes; headers end at ${MAX_HEADER_BYTES}`);
  if (LENGTH_BYTES + Number(length) > info.size) throw broken(path, `it claims a header of ${length} bytes and has ${info.size} in all`);
  return parseHeader(await readRange(file, path, LENGTH_BYTES, Number(length)), info.size, path);
}

// A multiple of the size of every element.
const PIECE_BYTES = 1 << 22;

async function readTensor(file: FileHandle, place: TensorPlace | undefined, name: string, path: string): Promise<Floats> {
  if (place === undefined)
    throw new EmbedkitError('model-invalid', `${path}: holds no tensor ${quotedName(name)}`, { hint: 'fetch it again' });
  const { dtype, shape, begin, end } = place;
  const decode = DECODERS[dtype];
  if (decode === undefined) {
    const found = `${path}: tensor ${quotedName(name)} holds ${dtype}; embedkit reads ${Object.keys(DECODERS).join(', ')}`;
    throw new EmbedkitError('model-unsupported', found, { hint: 'use the weights in floating point' });
  }
  const size = (ELEMENT_BITS[dtype] as number) / 8;
  const data = new Float32Array((end - begin) / size);
  for (let at = begin; at < end; at += PIECE_BYTES) {
    const bytes = await readRange(file, path, at, Math.min(PIECE_BYTES, end - at));
    decode(new DataView(bytes.buffer), data, (at - begin) / size);
  }
  return { shape, data };
}

async function readRange(file: FileHandle, path: string, start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, start + done);
    if (bytesRead === 0) throw broken(path, 'it ended early');
    done += bytesRead;
  }
  return bytes;
}
