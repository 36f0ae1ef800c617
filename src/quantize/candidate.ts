// A model under test: an ONNX file that is not installed anywhere yet, opened like any other model.
import { type EmbeddingModel, type OpenOptions, startModel } from '../embedder/open.js';
import type { EmbedTexts } from '../evaluate/score.js';
import type { ModelFolder } from '../model/folder.js';
import type { Ports } from './path.js';

/** The source's folder with another model file in place of its own. */
export function candidateFolder(source: ModelFolder, modelPath: string, ports: Ports): ModelFolder {
  const { manifest } = source;
  const architecture = { ...manifest.architecture, inputs: [...ports.inputs], output: ports.output };
  return { ...source, precision: 'int8', modelPath, manifest: { ...manifest, pooling: ports.pooling, architecture, int8: undefined } };
}

/** Opens the folder, hands its embedder to `use`, and closes it again. */
export async function withEmbedder<T>(
  folder: ModelFolder,
  options: Pick<OpenOptions, 'threads' | 'threadsPerWorker' | 'maxTokens'>,
  use: (embed: EmbedTexts, model: EmbeddingModel) => Promise<T>,
): Promise<T> {
  const model = startModel(folder, options);
  try {
    await model.pool.ready();
    // A model without a query prompt embeds queries as they are.
    const promptOf = (prompt: string): string => (Object.hasOwn(folder.manifest.prompts, prompt) ? prompt : 'none');
    return await use((texts, prompt) => model.embed(texts, { prompt: promptOf(prompt) }), model);
  } finally {
    await model.close();
  }
}
