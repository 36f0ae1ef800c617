// An ONNX file that no manifest describes, as it was found: opened without being written anew, so that what is measured is the file itself.
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { EmbedkitError, wrapError } from '../errors.js';
import { readSource } from '../model/conventions.js';
import { readFacts } from '../model/facts.js';
import { fileFacts, type ModelFolder } from '../model/folder.js';
import { probeOfShape, runModel } from '../model/probe.js';
import type { GraphProto } from '../onnx/proto.js';
import { readOnnx } from '../onnx/read.js';
import { fedInputs } from '../onnx/shapes.js';
import { createTokenizer, type TokenizerJson } from '../tokens/tokenizer.js';
import type { Pooling } from '../vectors/pool.js';

/**
 * @param path an ONNX file, or a folder in the usual layouts with one in it
 * @throws EmbedkitError `usage` where nothing says how it pools, `input-not-found`, `model-invalid`, `model-unsupported`
 */
export async function looseFolder(path: string, pooling: Pooling | undefined): Promise<ModelFolder> {
  const source = await readSource(path);
  if (source.isSafetensors) {
    throw new EmbedkitError('usage', `${path} holds safetensors, not ONNX`, { hint: 'make a model folder of it first: embedkit export' });
  }
  const { model } = await readOnnx(source.modelPath);
  const graph = model.graph as GraphProto;
  const facts = readFacts(graph, source, { dtype: 'fp32', pooling });
  const tokenizer = await readTokenizer(source.tokenizerPath);
  const [probe] = await runModel(source.modelPath, facts.output, [probeOfShape(createTokenizer(tokenizer), 1, 8)]);
  const name = basename(source.modelPath);
  const manifest: ModelFolder['manifest'] = {
    format: 1,
    name: source.name,
    source: 'unknown',
    license: 'unknown',
    model: name,
    files: await filesOf(source.modelPath),
    architecture: { inputs: fedInputs(graph).map((input) => input.name ?? ''), output: facts.output, opset: 0 },
    dim: probe?.dims.at(-1) ?? 0,
    dimensions: [],
    max_tokens: facts.maxTokens,
    pooling: facts.pooling,
    normalize: source.normalize ?? true,
    prompts: {},
    weights: { dtype: 'float32', total: 0, exact: 0, max_difference: 0 },
  };
  return { path, precision: 'fp32', pooling: facts.pooling, manifest, modelPath: source.modelPath, tokenizer, dense: [] };
}

async function readTokenizer(path: string): Promise<TokenizerJson> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as TokenizerJson;
  } catch (error) {
    throw wrapError(error, 'model-invalid', `${path}: not a tokenizer that embedkit can use`, 'fetch it again');
  }
}

async function filesOf(onnxPath: string): Promise<ModelFolder['manifest']['files']> {
  const name = basename(onnxPath);
  const files: ModelFolder['manifest']['files'] = { [name]: await fileFacts(onnxPath) };
  // Where exporters put weights that do not fit into the file.
  for (const data of [`${onnxPath}.data`, `${onnxPath}_data`]) {
    if ((await stat(data).catch(() => undefined))?.isFile()) files[`${name}.data`] = await fileFacts(data);
  }
  return files;
}
