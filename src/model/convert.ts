// The weights and config.json of a transformers folder become an ONNX file in float32.
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { emitEncoder } from '../encoder/emit.js';
import type { Encoder } from '../encoder/encoder.js';
import { readEncoder } from '../encoder/family/read.js';
import { FUSED } from '../encoder/forms.js';
import { fp32Arithmetic } from '../encoder/fp32.js';
import { describeEncoder, ENCODER_KEY } from '../encoder/recall.js';
import { EmbedkitError } from '../errors.js';
import { writeGraph } from '../onnx/write.js';
import { openTensors } from '../safetensors/shards.js';
import type { Dtype } from './export-options.js';
import { readJson } from './json-file.js';
import { CONFIG_NAME } from './names.js';

/** No weight in the file itself: what reads it next takes them one by one. */
const ALL_BESIDE = 0;

/**
 * Writes an ONNX file into `folder`, which is made; returns its path.
 * @param weightsPath a safetensors file or its index; config.json lies beside it
 * @throws EmbedkitError `input-not-found`, `model-invalid`, `model-unsupported`
 */
export async function convert(weightsPath: string, folder: string): Promise<string> {
  const encoder = await readFolder(weightsPath);
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'converted.onnx');
  const metadata = { [ENCODER_KEY]: describeEncoder(encoder) };
  await writeGraph(emitEncoder(encoder, fp32Arithmetic(encoder), { form: FUSED, output: 'hidden', metadata }), path, ALL_BESIDE);
  return path;
}

const WEIGHT_TYPE = /^B?F\d/;

/** fp16 where all weights are stored so, which then loses nothing; else fp32. */
export async function storedDtype(weightsPath: string): Promise<Dtype> {
  const tensors = await openTensors(weightsPath);
  await tensors.close();
  const isHalf = [...tensors.places.values()].every(({ dtype }) => dtype === 'F16' || !WEIGHT_TYPE.test(dtype));
  return isHalf ? 'fp16' : 'fp32';
}

async function readFolder(weightsPath: string): Promise<Encoder> {
  const configPath = join(dirname(weightsPath), CONFIG_NAME);
  const config = await readJson(configPath, z.record(z.string(), z.unknown()));
  if (config === undefined) {
    throw new EmbedkitError('input-not-found', `${configPath}: no such file`, {
      hint: 'put the config.json of the model beside its weights',
    });
  }
  const tensors = await openTensors(weightsPath);
  try {
    return await readEncoder(config, tensors);
  } finally {
    await tensors.close();
  }
}
