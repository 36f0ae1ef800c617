// `evaluate`: one or two models are measured on sets, one model after the other, and compared. The place to start reading.
import { type EmbeddingModel, startModel } from '../embedder/open.js';
import { EmbedkitError } from '../errors.js';
import { untilAborted } from '../job/abort.js';
import { type ModelFolder, openFolder } from '../model/folder.js';
import { PRECISIONS, type Precision } from '../model/names.js';
import { fingerprint, maxTokensFor } from '../model/settings.js';
import { readClassificationSet } from './classification-set.js';
import type { EmbedTexts } from './distinct.js';
import { measureSet } from './measure.js';
import type { EvaluationSet, Measured, Task } from './measured.js';
import { checkOptions, type EvaluateOptions, pathsOf } from './options.js';
import type { EvaluationReport, ModelFacts } from './report.js';
import { reportOf } from './report-of.js';
import { readRetrievalSet } from './retrieval-set.js';
import { type MeasuredStorage, storagesOf } from './storages.js';
import { readStsSet } from './sts-set.js';
import { readTextSet } from './text-set.js';

/** E5's query prompt: what is often put before the queries of any model. */
export const WRONG_PROMPT = 'query: ';
/** Where that is the model's own, the one of the BGE models. */
const OTHER_WRONG_PROMPT = 'Represent this sentence for searching relevant passages: ';

/**
 * Evaluates a model, by itself or held against another. A gate that does not hold is no error: see `report.gate`.
 * @throws EmbedkitError `usage`, `input-not-found`, `bad-row`, `model-invalid`, `engine-failed`, `vector-invalid`; or the reason
 *   of `options.signal`
 */
export async function evaluateModels(options: EvaluateOptions): Promise<EvaluationReport> {
  const started = performance.now();
  checkOptions(options);
  const folder = await openFolder(options.model, options.precision);
  const other = options.against === undefined ? undefined : await openAgainst(options.against, folder, options);
  const storages = storagesOf(folder, options.dtypes);
  options.onStep?.('reading the sets');
  const sets = await readSets(options);
  const evaluated = { model: factsOf(folder, options), measured: await measureAll(folder, sets, options, storages) };
  const against = other && { model: factsOf(other, options), measured: await measureAll(other, sets, options, undefined) };
  return reportOf(evaluated, against, { terms: options.gate ?? [], seconds: (performance.now() - started) / 1000 });
}

/** Another precision of the same folder, or another folder. */
async function openAgainst(against: string, folder: ModelFolder, { maxTokens }: EvaluateOptions): Promise<ModelFolder> {
  const precision = PRECISIONS.find((name) => name === against);
  const other = precision === undefined ? await openFolder(against) : await openPrecision(folder.path, precision);
  const [a, b] = [folder, other].map(({ manifest }) => fingerprint(manifest, maxTokensFor(manifest, maxTokens)));
  if (a !== b) return other;
  const found = `--against ${against}: both are ${folder.manifest.name} in ${folder.precision}`;
  throw new EmbedkitError('usage', found, { hint: 'name another precision or folder' });
}

async function openPrecision(path: string, precision: Precision): Promise<ModelFolder> {
  return openFolder(path, precision).catch((error: unknown) => {
    if (!(error instanceof EmbedkitError) || error.code !== 'usage') throw error;
    const found = error.message.replace(/^--precision \S+: /, '');
    const hint =
      precision === 'int8' ? 'make one with embedkit quantize' : 'a clone of the repository has that file, or name a folder that does';
    throw new EmbedkitError('usage', `--against ${precision}: ${found}`, { hint, cause: error });
  });
}

const READERS: Record<Task, (path: string) => Promise<EvaluationSet>> = {
  sts: readStsSet,
  retrieval: readRetrievalSet,
  classification: readClassificationSet,
  texts: readTextSet,
};

export async function readSets(options: EvaluateOptions): Promise<EvaluationSet[]> {
  const sets: EvaluationSet[] = [];
  for (const [task, paths] of Object.entries(pathsOf(options)) as [Task, readonly string[]][]) {
    for (const path of paths) sets.push(await READERS[task](path));
  }
  return sets;
}

/**
 * Opens the model, measures it on each set, and closes it: two models are never in memory together.
 * @param storages types to compare; undefined: neither types nor prompts are compared
 */
async function measureAll(
  folder: ModelFolder,
  sets: readonly EvaluationSet[],
  { threads, maxTokens, signal, onStep, wrongPrompt }: EvaluateOptions,
  storages: readonly MeasuredStorage[] | undefined,
): Promise<Measured[]> {
  const model = startModel(folder, { threads, maxTokens });
  try {
    await untilAborted(model.pool.ready(), signal);
    const own = folder.manifest.prompts['query'] ?? '';
    const wrong = wrongPrompt ?? (own === WRONG_PROMPT ? OTHER_WRONG_PROMPT : WRONG_PROMPT);
    const asked = storages === undefined ? { own, wrong: undefined } : { own, wrong, storages };
    const measured: Measured[] = [];
    for (const set of sets) {
      onStep?.(`${folder.manifest.name} (${folder.precision}) on ${set.name}`);
      measured.push(await measureSet(set, embedderOf(model, signal), asked));
    }
    return measured;
  } finally {
    await model.close();
  }
}

/** A model without a prompt of that name embeds the texts as they are. */
function embedderOf(model: EmbeddingModel, signal: AbortSignal | undefined): EmbedTexts {
  const { prompts } = model.folder.manifest;
  return async (texts, prompt) => {
    signal?.throwIfAborted();
    return untilAborted(model.embed(texts, { prompt: Object.hasOwn(prompts, prompt) ? prompt : 'none' }), signal);
  };
}

export function factsOf({ manifest, precision }: ModelFolder, { maxTokens }: Pick<EvaluateOptions, 'maxTokens'>): ModelFacts {
  return { name: manifest.name, precision, fingerprint: fingerprint(manifest, maxTokensFor(manifest, maxTokens)) };
}
