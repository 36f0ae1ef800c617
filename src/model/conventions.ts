// What a model folder in the usual layouts says: sentence-transformers and transformers folders, ONNX repositories of the hub, a bare ONNX file.
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { EmbedkitError, messageOf, systemCode } from '../errors.js';
import { formatOf } from '../records/formats.js';
import { INDEX_NAME, SINGLE_NAME } from '../safetensors/shards.js';
import { isThere } from '../there.js';
import type { Pooling } from '../vectors/pool.js';
import { readJson } from './json-file.js';
import { type Modules, readModules } from './modules.js';
import { CONFIG_NAME, TOKENIZER_NAME } from './names.js';

/** What could be learnt about a model from the files around it; all but the paths may be unknown. */
export interface SourceFacts {
  /** The ONNX file, or the safetensors file or index that one is made from. */
  readonly modelPath: string;
  readonly isSafetensors: boolean;
  readonly tokenizerPath: string;
  readonly name: string;
  readonly pooling: Pooling | undefined;
  /** Folders of Dense modules. */
  readonly dense: readonly string[];
  readonly normalize: boolean | undefined;
  readonly prompts: Readonly<Record<string, string>>;
  readonly maxTokens: number | undefined;
  /** Whether texts are to be lower-cased before the tokenizer sees them. */
  readonly lowercase: boolean;
  readonly positions: number | undefined;
  readonly vocabulary: number | undefined;
  readonly dimensions: readonly number[];
}

const ONNX_PLACES = ['model.onnx', 'onnx/model.onnx'];
const SAFETENSORS_PLACES = [SINGLE_NAME, INDEX_NAME];
/** Names of safetensors files and of their indexes. */
const SAFETENSORS_NAME = /\.safetensors(\.index\.json)?$/;

const promptsConfig = z.object({
  prompts: z.record(z.string(), z.string()).optional(),
  default_prompt_name: z.string().nullish(),
});
const lengthConfig = z.object({ max_seq_length: z.number().nullish(), do_lower_case: z.boolean().nullish() });
const tokenizerConfig = z.object({ model_max_length: z.number().nullish() });
const modelConfig = z.object({
  model_type: z.string().optional(),
  max_position_embeddings: z.number().optional(),
  /** Nomic's own code calls it so. */
  n_positions: z.number().optional(),
  vocab_size: z.number().optional(),
  matryoshka_dimensions: z.array(z.number()).optional(),
});

// These families number positions from the padding id on, so that two rows of the table are never used.
const OFFSET_POSITIONS = new Set(['roberta', 'xlm-roberta', 'camembert', 'mpnet']);

/** Reads what lies around an ONNX or safetensors file or in a folder. Throws `input-not-found` where the model or tokenizer is missing. */
export async function readSource(path: string): Promise<SourceFacts> {
  const root = await folderOf(path);
  const modules = root === undefined ? undefined : await readModules(root);
  const modelPath = root === undefined ? path : await findModel(root, join(root, modules?.transformer ?? ''));
  const folder = await findFolder(modelPath, root);
  const around = await readAround(folder, root ?? folder, modules ?? (await readModules(folder)));
  return { ...around, modelPath, isSafetensors: SAFETENSORS_NAME.test(modelPath) };
}

/** @param folder of the tokenizer @param root of the files of sentence-transformers */
async function readAround(
  folder: string,
  root: string,
  modules: Modules | undefined,
): Promise<Omit<SourceFacts, 'modelPath' | 'isSafetensors'>> {
  const config = await readJson(join(folder, CONFIG_NAME), modelConfig);
  const limits = await readJson(join(folder, 'sentence_bert_config.json'), lengthConfig);
  const positions = config?.max_position_embeddings ?? config?.n_positions;
  const offset = OFFSET_POSITIONS.has(config?.model_type ?? '') ? 2 : 0;
  return {
    tokenizerPath: join(folder, TOKENIZER_NAME),
    name: basename(root),
    pooling: modules?.pooling,
    dense: modules?.dense ?? [],
    normalize: modules?.normalize,
    prompts: promptsOf(await readJson(join(root, 'config_sentence_transformers.json'), promptsConfig)),
    maxTokens: await lengthIn(folder, limits?.max_seq_length),
    lowercase: limits?.do_lower_case ?? false,
    positions: positions === undefined ? undefined : positions - offset,
    vocabulary: config?.vocab_size,
    dimensions: config?.matryoshka_dimensions ?? [],
  };
}

/** transformers writes 10^30 where a tokenizer knows no limit. */
const LONGEST_LIMIT = 2 ** 24;

/** The limit of the transformer module, else of the tokenizer, as sentence-transformers takes them. */
async function lengthIn(folder: string, asked: number | null | undefined): Promise<number | undefined> {
  const limit = asked ?? (await readJson(join(folder, 'tokenizer_config.json'), tokenizerConfig))?.model_max_length ?? undefined;
  return limit !== undefined && limit <= LONGEST_LIMIT ? limit : undefined;
}

/** Names under which folders keep the prompt of documents. Source: SentenceTransformer.encode_document. */
const DOCUMENT_PROMPTS = ['document', 'passage', 'corpus'];

/**
 * Prompts by name; `document`, which embedkit uses where none is asked for, is the first that is not empty: sentence-transformers
 * saves an empty one beside the others.
 */
function promptsOf(config: z.infer<typeof promptsConfig> | undefined): Record<string, string> {
  const prompts = config?.prompts ?? {};
  const names = [...DOCUMENT_PROMPTS, config?.default_prompt_name ?? ''];
  const name = names.find((one) => Object.hasOwn(prompts, one) && prompts[one] !== '');
  return name === undefined || name === 'document' ? prompts : { ...prompts, document: prompts[name] as string };
}

const HINT = 'name a folder of a model, or its ONNX or safetensors file';

/** The path itself where it is a folder. */
async function folderOf(path: string): Promise<string | undefined> {
  const info = await stat(path).catch((error: unknown) => {
    const found = systemCode(error) === 'ENOENT' ? `no file or folder "${path}"` : messageOf(error);
    throw new EmbedkitError('input-not-found', found, { hint: HINT, cause: error });
  });
  if (info.isFile() && formatOf(path) !== undefined) {
    throw new EmbedkitError('usage', `${path} is no model but text or a table`, {
      hint: `${HINT}; text to calibrate with goes to quantize --calib`,
    });
  }
  return info.isDirectory() ? path : undefined;
}

/** Weights as a Python pickle: running it is the only way to read it. */
const PICKLE = 'pytorch_model.bin';

/** ONNX first, as it needs no conversion. */
async function findModel(root: string, transformer: string): Promise<string> {
  for (const folder of new Set([root, transformer])) {
    for (const place of ONNX_PLACES) if (await isThere(join(folder, place))) return join(folder, place);
  }
  for (const place of SAFETENSORS_PLACES) if (await isThere(join(transformer, place))) return join(transformer, place);
  const hasPickle = await isThere(join(transformer, PICKLE));
  throw new EmbedkitError('input-not-found', `${root}: no ${[...ONNX_PLACES, ...SAFETENSORS_PLACES].join(' or ')} in it`, {
    hint: hasPickle
      ? `its ${PICKLE} holds Python code, which embedkit does not run: save the model again with save_pretrained(folder, safe_serialization=True)`
      : 'name the ONNX or safetensors file itself',
  });
}

/** The folder with the tokenizer: the model file's own, or the one above it. */
async function findFolder(modelPath: string, root: string | undefined): Promise<string> {
  const own = dirname(modelPath);
  const folders = [own, dirname(own), ...(root === undefined ? [] : [root])];
  for (const folder of folders) if (await isThere(join(folder, TOKENIZER_NAME))) return folder;
  throw new EmbedkitError('input-not-found', `${own}: no ${TOKENIZER_NAME} beside the model`, {
    hint: 'put the tokenizer.json of the model there',
  });
}
