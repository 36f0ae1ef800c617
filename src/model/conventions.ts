// What a model folder in the usual layouts says: sentence-transformers files, ONNX repositories of the hub, a bare ONNX file.
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { EmbedkitError, messageOf } from '../errors.js';
import type { Pooling } from '../vectors/pool.js';
import { TOKENIZER_NAME } from './names.js';

/** What could be learnt about a model from the files around it; all but the two paths may be unknown. */
export interface SourceFacts {
  readonly onnxPath: string;
  readonly tokenizerPath: string;
  readonly name: string;
  readonly pooling: Pooling | undefined;
  readonly normalize: boolean | undefined;
  readonly prompts: Readonly<Record<string, string>>;
  readonly maxTokens: number | undefined;
  readonly positions: number | undefined;
  readonly dimensions: readonly number[];
}

const ONNX_PLACES = ['model.onnx', 'onnx/model.onnx'];

const poolingConfig = z.object({
  pooling_mode_cls_token: z.boolean().optional(),
  pooling_mode_mean_tokens: z.boolean().optional(),
  pooling_mode_max_tokens: z.boolean().optional(),
  pooling_mode_lasttoken: z.boolean().optional(),
});
const modules = z.array(z.object({ type: z.string() }));
const promptsConfig = z.object({ prompts: z.record(z.string(), z.string()).optional() });
const lengthConfig = z.object({ max_seq_length: z.number().nullish() });
const modelConfig = z.object({
  model_type: z.string().optional(),
  max_position_embeddings: z.number().optional(),
  matryoshka_dimensions: z.array(z.number()).optional(),
});

// These families number positions from the padding id on, so that two rows of the table are never used.
const OFFSET_POSITIONS = new Set(['roberta', 'xlm-roberta', 'camembert', 'mpnet']);

/** Reads what lies around an ONNX file or in a folder. Throws `input-not-found` where the model or tokenizer is missing. */
export async function readSource(path: string): Promise<SourceFacts> {
  const onnxPath = await findOnnx(path);
  const folder = await findFolder(onnxPath);
  const read = <T>(name: string, schema: z.ZodType<T>): Promise<T | undefined> => readJson(join(folder, name), schema);
  const config = await read('config.json', modelConfig);
  const offset = OFFSET_POSITIONS.has(config?.model_type ?? '') ? 2 : 0;
  const positions = config?.max_position_embeddings;
  return {
    onnxPath,
    tokenizerPath: join(folder, TOKENIZER_NAME),
    name: basename(folder),
    pooling: poolingOf(await read('1_Pooling/config.json', poolingConfig)),
    normalize: (await read('modules.json', modules))?.some((module) => module.type.endsWith('Normalize')),
    prompts: (await read('config_sentence_transformers.json', promptsConfig))?.prompts ?? {},
    maxTokens: (await read('sentence_bert_config.json', lengthConfig))?.max_seq_length ?? undefined,
    positions: positions === undefined ? undefined : positions - offset,
    dimensions: config?.matryoshka_dimensions ?? [],
  };
}

async function findOnnx(path: string): Promise<string> {
  const info = await stat(path).catch((error: unknown) => {
    throw new EmbedkitError('input-not-found', messageOf(error), { hint: 'name an ONNX file or a folder that holds one', cause: error });
  });
  if (!info.isDirectory()) return path;
  for (const place of ONNX_PLACES) if (await exists(join(path, place))) return join(path, place);
  throw new EmbedkitError('input-not-found', `${path}: no ${ONNX_PLACES.join(' or ')} in it`, { hint: 'name the ONNX file itself' });
}

/** The folder with the tokenizer: the ONNX file's own, or the one above it. */
async function findFolder(onnxPath: string): Promise<string> {
  const own = dirname(onnxPath);
  for (const folder of [own, dirname(own)]) if (await exists(join(folder, TOKENIZER_NAME))) return folder;
  throw new EmbedkitError('input-not-found', `${own}: no ${TOKENIZER_NAME} beside the model`, {
    hint: 'put the tokenizer.json of the model there',
  });
}

function poolingOf(config: z.infer<typeof poolingConfig> | undefined): Pooling | undefined {
  if (config === undefined) return undefined;
  if (config.pooling_mode_cls_token) return 'cls';
  if (config.pooling_mode_mean_tokens) return 'mean';
  if (config.pooling_mode_max_tokens) return 'max';
  return config.pooling_mode_lasttoken ? 'last' : undefined;
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  if (!(await exists(path))) return undefined;
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    throw new EmbedkitError('model-invalid', `${path}: ${messageOf(error)}`, { hint: 'correct or remove it', cause: error });
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
