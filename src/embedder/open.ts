// The library's front door: a model folder becomes something that turns texts into a Matrix.

import { DEFAULT_BATCH_SIZE, DEFAULT_BATCH_TOKENS } from '../batches/plan.js';
import { usableCpus } from '../engine/cpus.js';
import { WorkerPool } from '../engine/pool.js';
import { EmbedkitError } from '../errors.js';
import { type ModelFolder, openFolder } from '../model/folder.js';
import type { Precision } from '../model/names.js';
import { decodeProbe } from '../model/probe-vectors.js';
import { dimsFor, fingerprint, maxTokensFor, promptFor } from '../model/settings.js';
import { tokenize } from '../tokens/tokenize.js';
import { createTokenizer, type TextTokenizer } from '../tokens/tokenizer.js';
import type { Matrix } from '../vectors/matrix.js';
import { type BatchSettings, embedTokens } from './embed.js';
import type { RunnerProbe, RunnerSettings } from './runner.js';

export interface OpenOptions {
  /** Default: INT8 where the folder has it. */
  readonly precision?: Precision | undefined;
  /** Engine threads, each with its own session; default: what the process may use. */
  readonly threads?: number | undefined;
  /** Threads that each session computes with; default 1, which is fastest nearly everywhere. More of them in fewer sessions take less memory. */
  readonly threadsPerWorker?: number | undefined;
  /** Longest text in tokens, special tokens included; default: the model's. */
  readonly maxTokens?: number | undefined;
  /** Most tokens a batch; default 1,024. Changes speed and memory, never a vector. */
  readonly batchTokens?: number | undefined;
  /** Most texts a batch; default 256. */
  readonly batchSize?: number | undefined;
}

export interface EmbedOptions {
  /** `query`, `document` (default), `none`, or the literal text to put before each text. */
  readonly prompt?: string | undefined;
  /** Length of the vectors, where the model allows others than its own. */
  readonly dims?: number | undefined;
}

/** An open model: its engines run in worker threads until `close`. */
export interface EmbeddingModel {
  readonly folder: ModelFolder;
  /** Length of a full vector, in float32 values. */
  readonly dim: number;
  /** Longest text in tokens, special tokens included. */
  readonly maxTokens: number;
  /** SHA-256 over all that decides the vector of a text. */
  readonly fingerprint: string;
  /** Engine threads, each with a session of its own. */
  readonly threads: number;
  readonly tokenizer: TextTokenizer;
  readonly batches: BatchSettings;
  readonly pool: WorkerPool;
  /**
   * One vector a text, in the order of the texts. The vector of a text does not depend on the other texts.
   * A text longer than `maxTokens` is cut; an empty one is embedded as its special tokens alone.
   * @returns texts.length x dims float32, row i for texts[i], each row of L2 norm 1 where the model normalises
   * @throws EmbedkitError, always by rejecting: `usage` for a prompt or dims that the model lacks or a text that is no
   *   string, `engine-failed`, `vector-invalid`, `interrupted` after `close`
   */
  embed(texts: readonly string[], options?: EmbedOptions): Promise<Matrix>;
  /** Ends the worker threads, which keep the process alive until then; may be called more than once. */
  close(): Promise<void>;
}

/**
 * Opens a model folder (or a shipped model by name; default bge-small-en-v1.5) and starts its engines.
 * @throws EmbedkitError `usage` for wrong options, `model-invalid` for missing or altered files, `engine-failed`
 */
export async function openModel(folder?: string, options: OpenOptions = {}): Promise<EmbeddingModel> {
  const opened = await openFolder(folder, options.precision);
  const model = startModel(opened, options);
  await model.pool.ready().catch(async (error: unknown) => {
    await model.close();
    throw error;
  });
  return model;
}

/** Like openModel for a folder already opened, without waiting until the engines have loaded. */
export function startModel(folder: ModelFolder, options: OpenOptions): EmbeddingModel {
  const { manifest } = folder;
  const maxTokens = maxTokensFor(manifest, options.maxTokens);
  const threads = positive('--threads', options.threads ?? usableCpus());
  const batches: BatchSettings = {
    maxTokens: positive('--batch-tokens', options.batchTokens ?? DEFAULT_BATCH_TOKENS),
    maxRows: positive('--batch-size', options.batchSize ?? DEFAULT_BATCH_SIZE),
    workers: threads,
    dim: manifest.dim,
  };
  const tokenizer = createTokenizer(folder.tokenizer);
  const pool = startPool(folder, { workers: threads, threads: positive('--threads-per-worker', options.threadsPerWorker ?? 1) }, tokenizer);
  return {
    folder,
    dim: manifest.dim,
    maxTokens,
    fingerprint: fingerprint(manifest, maxTokens),
    threads,
    tokenizer,
    batches,
    pool,
    embed: async (texts, asked = {}) => {
      checkTexts(texts);
      const prompt = promptFor(manifest, asked.prompt);
      const dims = dimsFor(manifest, asked.dims);
      const tokens = tokenize(
        texts.map((text) => prompt + text),
        tokenizer,
        maxTokens,
      );
      return embedTokens(tokens, pool, batches, { dims, normalize: manifest.normalize });
    },
    close: () => pool.close(),
  };
}

function startPool(folder: ModelFolder, size: { workers: number; threads: number }, tokenizer: TextTokenizer): WorkerPool {
  const script = new URL('./worker.js', import.meta.url);
  return new WorkerPool({ workers: size.workers, script, settings: runnerSettings(folder, tokenizer, size.threads) });
}

/** What an engine's thread or process needs to run the model with `threads` of the runtime's own. */
export function runnerSettings(folder: ModelFolder, tokenizer: TextTokenizer, threads = 1): RunnerSettings {
  const { manifest, modelPath } = folder;
  return {
    modelPath,
    threads,
    output: manifest.architecture.output,
    pooling: manifest.pooling,
    normalize: manifest.normalize,
    dim: folder.dense[0]?.inputs ?? manifest.dim,
    dense: folder.dense,
    probes: probesOf(folder, tokenizer),
  };
}

/** The manifest's probes as ids and vectors; only an INT8 model has any. */
function probesOf({ precision, manifest }: ModelFolder, tokenizer: TextTokenizer): RunnerProbe[] {
  const probes = precision === 'int8' ? (manifest.int8?.probes ?? []) : [];
  return probes.map(({ text, vector }) => ({
    text,
    ids: Int32Array.from(tokenizer.encode(text, manifest.max_tokens).ids),
    vector: decodeProbe(vector),
  }));
}

function checkTexts(texts: readonly string[]): void {
  const row = texts.findIndex((text) => typeof text !== 'string');
  if (row === -1) return;
  throw new EmbedkitError('usage', `text ${row} is ${texts[row] === null ? 'null' : typeof texts[row]}, not a string`, {
    hint: 'leave it out or write it as text',
  });
}

/** The value of a flag that counts things. Throws `usage` where it is not a whole number above 0. */
export function positive(flag: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new EmbedkitError('usage', `${flag} ${value}: not a whole number above 0`, { hint: 'choose one' });
}
