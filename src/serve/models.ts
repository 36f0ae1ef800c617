// The models behind one server, by name and alias: each with its tokenizer, its engines and its queue.
import { runnerSettings } from '../embedder/open.js';
import { usableCpus } from '../engine/cpus.js';
import { EmbedkitError } from '../errors.js';
import { type ModelFolder, openFolder } from '../model/folder.js';
import type { Precision } from '../model/names.js';
import { fingerprint, maxTokensFor } from '../model/settings.js';
import { createTokenizer, type TextTokenizer } from '../tokens/tokenizer.js';
import type { BatchConfig, ModelChoice, ServeLimits } from './config.js';
import { type BatchFacts, Dispatcher } from './dispatcher.js';
import { Engines } from './engines.js';
import { TokenEstimate } from './estimate.js';
import { Refusal } from './refusal.js';

export interface ServedModel {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly folder: ModelFolder;
  readonly fingerprint: string;
  readonly maxTokens: number;
  readonly tokenizer: TextTokenizer;
  readonly estimate: TokenEstimate;
  readonly engines: Engines;
  readonly dispatcher: Dispatcher;
}

export interface ModelsOptions {
  readonly models: readonly ModelChoice[];
  readonly precision: Precision | undefined;
  /** Engine processes a model; default: the CPUs that this process may use. */
  readonly threads: number | undefined;
  readonly maxTokens: number | undefined;
  readonly batches: BatchConfig;
  readonly limits: ServeLimits;
  /** The module that an engine process runs. */
  readonly engineScript: URL;
  readonly hangsMs: number;
  readonly onBatch: (model: string, batch: BatchFacts) => void;
  readonly onEngineEnd: (model: string, how: string) => void;
}

/** Opens the models and starts their engines. Throws `usage`, `model-invalid`, `engine-failed`; then none is left running. */
export async function openModels(options: ModelsOptions): Promise<ServedModel[]> {
  const models: ServedModel[] = [];
  for (const choice of options.models) models.push(await openOne(choice, options));
  checkNames(models);
  try {
    for (const model of models) await model.engines.start();
    return models;
  } catch (error) {
    await Promise.all(models.map((model) => model.engines.close(0)));
    throw error;
  }
}

/** The model of that name or alias; the first one where none is named. Throws Refusal `model-not-found`. */
export function modelNamed(models: readonly ServedModel[], asked: string | undefined): ServedModel {
  const [first] = models;
  const found = asked === undefined ? first : models.find(({ name, aliases }) => name === asked || aliases.includes(asked));
  if (found !== undefined) return found;
  const names = models.flatMap(({ name, aliases }) => [name, ...aliases]).join(', ');
  throw new Refusal('model-not-found', 'no model of that name is served here', { hint: `name one of ${names}`, param: 'model' });
}

async function openOne(choice: ModelChoice, options: ModelsOptions): Promise<ServedModel> {
  const folder = await openFolder(choice.folder, options.precision);
  const { manifest } = folder;
  const name = choice.name ?? manifest.name;
  const maxTokens = maxTokensFor(manifest, options.maxTokens);
  const tokenizer = createTokenizer(folder.tokenizer);
  const engines: Engines = new Engines({
    count: options.threads ?? usableCpus(),
    script: options.engineScript,
    settings: runnerSettings(folder, tokenizer),
    hangsMs: options.hangsMs,
    onFree: () => dispatcher.pump(),
    onEnd: (how) => options.onEngineEnd(name, how),
  });
  const { maxQueueTokens, maxQueueMs, timeoutMs } = options.limits;
  const dispatcher = new Dispatcher({
    engines,
    batches: options.batches,
    maxQueueTokens,
    maxQueueMs,
    timeoutMs,
    dim: manifest.dim,
    unit: manifest.normalize,
    onBatch: (batch) => options.onBatch(name, batch),
  });
  const aliases = aliasesOf(folder).filter((alias) => alias !== name);
  const estimate = new TokenEstimate();
  return { name, aliases, folder, fingerprint: fingerprint(manifest, maxTokens), maxTokens, tokenizer, estimate, engines, dispatcher };
}

/** bge-small-en-v1.5 at INT8 is also bge-small-int8, bge-small-en-v1.5-int8, and BAAI/bge-small-en-v1.5 as the model hub has it. */
function aliasesOf({ manifest, precision }: ModelFolder): string[] {
  const short = manifest.name.replace(/(-en)?(-v\d+(\.\d+)*)?$/, '');
  const hub = /^[\w.-]+\/[\w.-]+/.exec(manifest.source)?.[0];
  return [...new Set([`${short}-${precision}`, `${manifest.name}-${precision}`, ...(hub === undefined ? [] : [hub])])];
}

function checkNames(models: readonly ServedModel[]): void {
  const names = models.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new EmbedkitError('usage', `--model: two models are called ${twice}`, { hint: 'give one another name: --model name=folder' });
}
