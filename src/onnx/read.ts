// ONNX files become messages. Weights kept in external files stay there until they are asked for, one tensor at a time.
import { readFile, stat } from 'node:fs/promises';
import { EmbedkitError, messageOf, wrapError } from '../errors.js';
import { externalBytes } from './external.js';
import { allTensors, DEFAULT_LOCATION, EXTERNAL, type GraphProto, ModelProto, sizeOf, type TensorProto } from './proto.js';
import { checkModel, checkTensor, expectedBytes, wrongCount } from './sound.js';

export interface OnnxFile {
  readonly path: string;
  readonly model: ModelProto;
}

/** Largest ONNX file: protobuf messages end there. */
export const MAX_MODEL_BYTES = 2 ** 31 - 1;

/** Decodes an ONNX file. Throws `input-not-found` where there is no file, `model-invalid` where it is no sound ONNX model. */
export async function readOnnx(path: string): Promise<OnnxFile> {
  const model = decode(await fileBytes(path), path);
  if (!model.graph?.node?.length) throw notOnnx(path, 'it holds no graph');
  checkModel(model, path);
  return { path, model };
}

async function fileBytes(path: string): Promise<Buffer> {
  const hint = 'name an ONNX file';
  try {
    const found = await stat(path);
    // Reading a pipe would wait for its writer.
    if (!found.isFile()) throw new EmbedkitError('input-not-found', `${path}: ${found.isDirectory() ? 'a folder' : 'no file'}`, { hint });
    if (found.size > MAX_MODEL_BYTES) throw notOnnx(path, `${found.size} bytes, and ONNX files end at ${MAX_MODEL_BYTES}`);
    return await readFile(path);
  } catch (error) {
    throw wrapError(error, 'input-not-found', path, hint);
  }
}

function decode(bytes: Buffer, path: string): ModelProto {
  try {
    return ModelProto.decode(bytes);
  } catch (error) {
    const why = messageOf(error);
    throw notOnnx(path, /call stack/.test(why) ? 'its messages are nested too deeply' : why);
  }
}

function notOnnx(path: string, why: string): EmbedkitError {
  return new EmbedkitError('model-invalid', `${path}: not an ONNX model (${why})`, { hint: 'fetch or export it again' });
}

/**
 * The raw little-endian bytes of a tensor, wherever they are kept; undefined where the tensor uses a typed field instead.
 * Throws `model-invalid` where they are not as many as its dimensions say.
 */
export async function rawBytes(tensor: TensorProto, modelPath: string): Promise<Uint8Array | undefined> {
  if (tensor.dataLocation === EXTERNAL) return externalBytes(tensor, modelPath);
  checkTensor(tensor, modelPath);
  return tensor.rawData !== undefined && tensor.rawData !== null && tensor.rawData.length > 0 ? tensor.rawData : undefined;
}

/** Takes the weights that are kept in external files into the message: it can then be written elsewhere. Throws `model-invalid`. */
export async function loadExternal({ model, path }: OnnxFile): Promise<void> {
  for (const tensor of allTensors(model.graph as GraphProto)) {
    if (tensor.dataLocation !== EXTERNAL) continue;
    const rawData = await externalBytes(tensor, path);
    Object.assign(tensor, { rawData, dataLocation: DEFAULT_LOCATION, externalData: [] });
  }
}

/** The values of a FLOAT tensor, not a number and infinities included. Throws `model-invalid` where there are not as many as its dimensions say. */
export async function floatValues(tensor: TensorProto, modelPath: string): Promise<Float32Array> {
  const raw = await rawBytes(tensor, modelPath);
  const values = raw === undefined ? Float32Array.from(tensor.floatData ?? []) : asFloats(raw);
  if (values.length === sizeOf(tensor)) return values;
  throw wrongCount(tensor, modelPath, values.length);
}

function asFloats(raw: Uint8Array): Float32Array {
  // A true copy (Buffer's slice is a view) where the bytes do not start at a multiple of four.
  const aligned = raw.byteOffset % 4 === 0 ? raw : new Uint8Array(raw);
  return new Float32Array(aligned.buffer, aligned.byteOffset, Math.floor(aligned.byteLength / 4));
}

/** Bytes of the tensor's data as stored, as its dimensions say where it is kept in another file. */
export function storedBytes(tensor: TensorProto): number {
  if (tensor.dataLocation === EXTERNAL) return expectedBytes(tensor, '') ?? 0;
  return tensor.rawData?.length ?? 0;
}
