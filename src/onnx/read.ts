// ONNX files become messages. Weights kept in external files stay there until they are asked for, one tensor at a time.
import { open, readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { EmbedkitError, messageOf } from '../errors.js';
import { EXTERNAL, ModelProto, sizeOf, type TensorProto, toNumber } from './proto.js';

export interface OnnxFile {
  readonly path: string;
  readonly model: ModelProto;
}

/** Decodes an ONNX file. Throws `model-invalid` where it is none. */
export async function readOnnx(path: string): Promise<OnnxFile> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new EmbedkitError('input-not-found', `${path}: ${messageOf(error)}`, { hint: 'name an ONNX file', cause: error });
  });
  const model = decode(bytes, path);
  if (!model.graph?.node?.length) throw notOnnx(path, 'it holds no graph');
  return { path, model };
}

function decode(bytes: Buffer, path: string): ModelProto {
  try {
    return ModelProto.decode(bytes);
  } catch (error) {
    throw notOnnx(path, messageOf(error));
  }
}

function notOnnx(path: string, why: string): EmbedkitError {
  return new EmbedkitError('model-invalid', `${path}: not an ONNX model (${why})`, { hint: 'fetch or export it again' });
}

interface ExternalRange {
  readonly path: string;
  readonly offset: number;
  readonly length: number | undefined;
}

/**
 * The raw little-endian bytes of a tensor, wherever they are kept; undefined where the tensor uses a typed field instead.
 * Source: ONNX docs/ExternalData.md.
 */
export async function rawBytes(tensor: TensorProto, modelPath: string): Promise<Uint8Array | undefined> {
  if (tensor.dataLocation === EXTERNAL) return readRange(externalRange(tensor, modelPath), String(tensor.name));
  return tensor.rawData !== undefined && tensor.rawData !== null && tensor.rawData.length > 0 ? tensor.rawData : undefined;
}

function externalRange(tensor: TensorProto, modelPath: string): ExternalRange {
  const entries = new Map((tensor.externalData ?? []).map((entry) => [entry.key, entry.value]));
  const location = entries.get('location') ?? '';
  const inside = normalize(location);
  if (location === '' || isAbsolute(inside) || inside.startsWith('..')) {
    throw new EmbedkitError('model-invalid', `${modelPath}: tensor "${tensor.name}" is kept in "${location}", outside the model's folder`);
  }
  const length = entries.get('length');
  return {
    path: join(dirname(modelPath), inside),
    offset: Number(entries.get('offset') ?? 0),
    length: length === undefined || length === null ? undefined : Number(length),
  };
}

async function readRange(range: ExternalRange, tensor: string): Promise<Uint8Array> {
  const file = await open(range.path).catch((error: unknown) => {
    throw new EmbedkitError('model-invalid', `${range.path}: ${messageOf(error)}`, {
      hint: 'put the external data file beside the model',
      cause: error,
    });
  });
  try {
    const rest = (await file.stat()).size - range.offset;
    const length = range.length ?? rest;
    // A negative position would be read as wherever the file stands.
    if (!(range.offset >= 0)) {
      throw new EmbedkitError('model-invalid', `${range.path}: tensor "${tensor}" is kept at byte ${range.offset}`, {
        hint: 'fetch the model again',
      });
    }
    if (!(length >= 0 && length <= rest)) {
      throw new EmbedkitError('model-invalid', `${range.path}: too short for tensor "${tensor}"`, { hint: 'fetch the file again' });
    }
    return await readFully(file, length, range.offset);
  } finally {
    await file.close();
  }
}

const READ_BYTES = 1 << 30;

async function readFully(file: Awaited<ReturnType<typeof open>>, length: number, offset: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, Math.min(READ_BYTES, length - done), offset + done);
    if (bytesRead === 0) throw new EmbedkitError('model-invalid', 'external data ended early', { hint: 'fetch the file again' });
    done += bytesRead;
  }
  return bytes;
}

/** The values of a FLOAT tensor. Throws `model-invalid` where there are not as many as its dimensions say. */
export async function floatValues(tensor: TensorProto, modelPath: string): Promise<Float32Array> {
  const raw = await rawBytes(tensor, modelPath);
  const values = raw === undefined ? Float32Array.from(tensor.floatData ?? []) : asFloats(raw);
  if (values.length === sizeOf(tensor)) return values;
  const found = `${modelPath}: tensor "${tensor.name}" has ${values.length} values, not ${sizeOf(tensor)}`;
  throw new EmbedkitError('model-invalid', found, { hint: 'fetch or export the model again' });
}

function asFloats(raw: Uint8Array): Float32Array {
  // A true copy (Buffer's slice is a view) where the bytes do not start at a multiple of four.
  const aligned = raw.byteOffset % 4 === 0 ? raw : new Uint8Array(raw);
  return new Float32Array(aligned.buffer, aligned.byteOffset, Math.floor(aligned.byteLength / 4));
}

/** Bytes of the tensor's data as stored. */
export function storedBytes(tensor: TensorProto): number {
  const length = tensor.externalData?.find((entry) => entry.key === 'length')?.value;
  if (tensor.dataLocation === EXTERNAL) return Number(length ?? 0) || toNumber(tensor.dims?.reduce<number>((a, d) => a * toNumber(d), 4));
  return tensor.rawData?.length ?? 0;
}
