// Dense modules of sentence-transformers: read from its folders, kept in the model folder, and read back.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { EmbedkitError } from '../errors.js';
import { encodeTensors } from '../safetensors/encode.js';
import type { Floats } from '../safetensors/file.js';
import { openTensors, SINGLE_NAME, type Tensors } from '../safetensors/shards.js';
import { isThere } from '../there.js';
import type { DenseActivation, DenseMap } from '../vectors/dense.js';
import { readJson } from './json-file.js';
import type { Manifest } from './manifest.js';
import { CONFIG_NAME, DENSE_NAME } from './names.js';

const denseSchema = z.object({
  in_features: z.number().int().positive(),
  out_features: z.number().int().positive(),
  bias: z.boolean().default(true),
  activation_function: z.string().optional(),
  module_input_name: z.string().optional(),
  module_output_name: z.string().nullish(),
  use_residual: z.boolean().optional(),
});

/** Last part of the name of a class of torch -> ours; the module's default is Tanh. */
const ACTIVATIONS: Readonly<Record<string, DenseActivation>> = {
  Identity: 'identity',
  Tanh: 'tanh',
  ReLU: 'relu',
  Sigmoid: 'sigmoid',
  SiLU: 'silu',
};

/** Reads the modules in these folders, in their order. Throws `model-unsupported` for what embedkit does not compute, `model-invalid`. */
export async function readDense(folders: readonly string[]): Promise<DenseMap[]> {
  const maps: DenseMap[] = [];
  for (const folder of folders) maps.push(await readOne(folder));
  maps.forEach(({ inputs }, at) => {
    const before = maps[at - 1]?.outputs ?? inputs;
    if (before !== inputs) throw invalid(folders[at] as string, `takes ${inputs} values where ${before} come out of the module before it`);
  });
  return maps;
}

async function readOne(folder: string): Promise<DenseMap> {
  const path = join(folder, CONFIG_NAME);
  const config = await readJson(path, denseSchema);
  if (config === undefined) throw invalid(folder, `has no ${CONFIG_NAME}`);
  const { in_features: inputs, out_features: outputs, bias } = config;
  const name = config.activation_function?.split('.').at(-1) ?? 'Tanh';
  const activation = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined;
  if (activation === undefined)
    throw refused(path, `the activation ${JSON.stringify(name)}`, `embedkit computes ${Object.keys(ACTIVATIONS).join(', ')}`);
  if (config.use_residual === true) throw refused(path, 'a residual (use_residual)', 'merge it into the weights first');
  const reads = config.module_input_name ?? 'sentence_embedding';
  if (reads !== 'sentence_embedding' || (config.module_output_name ?? reads) !== reads) {
    throw refused(path, `a map of ${JSON.stringify(reads)}`, 'embedkit maps sentence embeddings alone');
  }
  const weightsPath = join(folder, SINGLE_NAME);
  if (!(await isThere(weightsPath))) throw invalid(folder, `has no ${SINGLE_NAME}`);
  return withTensors(weightsPath, async (tensors) => ({
    inputs,
    outputs,
    activation,
    weight: await values(tensors, 'linear.weight', [outputs, inputs], weightsPath),
    bias: bias ? await values(tensors, 'linear.bias', [outputs], weightsPath) : undefined,
  }));
}

async function withTensors<T>(path: string, use: (tensors: Tensors) => Promise<T>): Promise<T> {
  const tensors = await openTensors(path);
  try {
    return await use(tensors);
  } finally {
    await tensors.close();
  }
}

async function values(tensors: Tensors, name: string, shape: readonly number[], path: string): Promise<Float32Array> {
  const { shape: found, data } = await tensors.read(name);
  if (found.join() !== shape.join()) throw invalid(path, `${name} is of shape [${found.join(', ')}], not [${shape.join(', ')}]`);
  if (data.some((value) => !Number.isFinite(value))) throw invalid(path, `${name} holds values that are not finite`);
  return data;
}

/** What the manifest says of the maps; their weights are in DENSE_NAME. */
export function describeDense(maps: readonly DenseMap[]): NonNullable<Manifest['dense']> {
  return maps.map(({ inputs, outputs, activation, bias }) => ({ inputs, outputs, activation, bias: bias !== undefined }));
}

/** Writes the weights into the model folder. */
export async function writeDense(folder: string, maps: readonly DenseMap[]): Promise<void> {
  const tensors: Record<string, Floats> = {};
  maps.forEach(({ inputs, outputs, weight, bias }, at) => {
    tensors[`dense${at}.weight`] = { shape: [outputs, inputs], data: weight };
    if (bias !== undefined) tensors[`dense${at}.bias`] = { shape: [outputs], data: bias };
  });
  await writeFile(join(folder, DENSE_NAME), encodeTensors(tensors));
}

/** The maps of a model folder. Throws `model-invalid` where manifest and weights contradict each other. */
export async function loadDense(folder: string, { dense = [] }: Manifest): Promise<DenseMap[]> {
  if (dense.length === 0) return [];
  const path = join(folder, DENSE_NAME);
  return withTensors(path, async (tensors) => {
    const maps: DenseMap[] = [];
    for (const [at, { inputs, outputs, activation, bias }] of dense.entries()) {
      const weight = await values(tensors, `dense${at}.weight`, [outputs, inputs], path);
      const shifts = bias ? await values(tensors, `dense${at}.bias`, [outputs], path) : undefined;
      maps.push({ inputs, outputs, activation, weight, bias: shifts });
    }
    return maps;
  });
}

function invalid(path: string, what: string): EmbedkitError {
  return new EmbedkitError('model-invalid', `${path}: ${what}`, { hint: 'fetch or export the model again' });
}

function refused(path: string, what: string, hint: string): EmbedkitError {
  return new EmbedkitError('model-unsupported', `${path} asks for ${what}`, { hint });
}
