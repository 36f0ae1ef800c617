// A job's options become its parts: inputs found, model folder opened, flags checked against each other. Writes nothing.
import { stat } from 'node:fs/promises';
import { OUTPUT_FORMAT_NAMES, type OutputFormatName, outputFormatOf } from '../columns/formats.js';
import { CHUNK_COLUMNS, type KeepColumn, type LayoutOptions, OWN_COLUMNS } from '../columns/row.js';
import { positive } from '../embedder/open.js';
import { usableCpus } from '../engine/cpus.js';
import { EmbedkitError } from '../errors.js';
import { type ModelFolder, openFolder } from '../model/folder.js';
import { dimsFor, maxTokensFor, promptFor } from '../model/settings.js';
import type { ReadOptions } from '../records/formats.js';
import { type Input, resolveInputs } from '../records/read.js';
import type { Source } from '../records/source.js';
import { parseTemplate } from '../records/template.js';
import type { AuditPlan } from './audit.js';
import { auditPlan } from './audit-plan.js';
import {
  type ChunkPlan,
  DEFAULT_MAX_LINE_BYTES,
  DEFAULT_WINDOW,
  type JobConfig,
  type JobModel,
  type MaxErrors,
  type OnError,
  type WindowLimits,
} from './config.js';
import { REMEMBERED_VALUES } from './duplicates.js';
import type { Shard } from './items.js';
import { fitMemory, type MemoryPlan } from './memory.js';
import { checkQuarantine, pipeSource } from './pipe-plan.js';
import { provenance, type VectorPlan } from './provenance.js';
import { readOptions } from './read-options.js';
import { countingEncoder, storageOf } from './storage-plan.js';
import { checkInputFolders, checkOverwrite, resolveTarget, type Target } from './target.js';
import { MAX_KNOWN } from './vector-index.js';

export interface JobPlan extends VectorPlan, MemoryPlan {
  readonly inputs: readonly Input[];
  readonly read: ReadOptions;
  readonly format: OutputFormatName;
  readonly limit: number;
  readonly shard: Shard | undefined;
  /** Undefined for a stream or a device. */
  readonly target: Target | undefined;
  /** Set where the run answers an Arrow stream batch for batch. */
  readonly pipe: Source | undefined;
  readonly layout: LayoutOptions;
  readonly onError: OnError;
  readonly maxErrors: MaxErrors | undefined;
  readonly audit: AuditPlan | undefined;
  /** Counts the values that the encoder of int8 found outside their ranges. */
  readonly clamped: { values: number };
}

/** Checks a job. Throws `usage` for options that contradict each other, `input-not-found`, `model-invalid`. */
export async function planJob(config: JobConfig): Promise<JobPlan> {
  const { input, output, model = {} } = config;
  const target = await resolveTarget(output.path, output.overwrite ?? false);
  const format = outputFormat(output.path, output.to, target?.kind);
  checkQuarantine(config, target);
  if (input.template !== undefined) parseTemplate(input.template);
  const inputs = await resolveInputs(input.paths, { from: input.from, stdin: input.stdin });
  await checkOverwrite(inputs, output.path);
  if (target?.kind === 'file') await checkInputFolders(input.paths, target.path, output.path);
  const pipe = pipeSource(inputs, format, target, config);
  if (pipe === undefined) checkKeep(input.keep ?? [], model.onOverflow === 'chunk');
  const vectors = vectorPlan(await openFolder(model.model, model.precision), config);
  const audit = await auditPlan(config, vectors);
  const memory = await memoryPlan(config, vectors, audit);
  const { encode, clamped } = countingEncoder(vectors);
  return {
    ...vectors,
    ...memory,
    inputs,
    read: readOptions(input, memory.maxLineBytes),
    format,
    limit: atLeast('--limit', 0, input.limit ?? Number.MAX_SAFE_INTEGER),
    shard: checkShard(input.shard),
    target,
    pipe,
    layout: {
      keep: input.keep ?? [],
      chunks: vectors.chunks !== undefined,
      dtype: vectors.dtype,
      dim: vectors.dims,
      encode,
      metadata: provenance(input, vectors),
    },
    onError: errorPolicy(config, target),
    maxErrors: config.maxErrors,
    audit,
    clamped,
  };
}

function vectorPlan(folder: ModelFolder, { model = {}, output }: JobConfig): VectorPlan {
  const { manifest } = folder;
  const maxTokens = maxTokensFor(manifest, model.maxTokens);
  const dims = dimsFor(manifest, output.dims);
  return {
    folder,
    prompt: promptFor(manifest, model.prompt),
    dims,
    maxTokens,
    ...storageOf(folder, dims, output.dtype ?? 'float32'),
    onOverflow: model.onOverflow ?? 'truncate',
    chunks: chunkPlan(model, maxTokens),
  };
}

/** What is held at a time: as asked for, and cut to the memory that the run is given. */
async function memoryPlan(config: JobConfig, { folder, dims }: VectorPlan, audit: AuditPlan | undefined): Promise<MemoryPlan> {
  const asked = {
    threads: positive('--threads', config.model?.threads ?? usableCpus()),
    window: windowLimits(config),
    maxLineBytes: atLeast('--max-line-bytes', 1, config.input.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES),
  };
  if (config.maxMemory === undefined) return { ...asked, mostKnown: MAX_KNOWN, mostIds: REMEMBERED_VALUES };
  const { size: modelBytes } = await stat(folder.modelPath);
  const auditBytes = audit === undefined ? 0 : (await stat(audit.folder.modelPath)).size;
  return fitMemory(config.maxMemory, { ...asked, modelBytes, auditBytes, dims, precision: folder.precision });
}

/** A stream has no place beside it for rows that are put aside. */
function errorPolicy({ onError, output, resume, reuse, quarantine }: JobConfig, target: Target | undefined): OnError {
  if (target !== undefined) return onError ?? 'quarantine';
  const flag = resume === 'require' ? '--resume require' : reuse !== undefined && reuse.length > 0 ? '--reuse' : undefined;
  if (flag === undefined && quarantine !== undefined) return 'quarantine';
  const asked = flag ?? (onError === 'quarantine' ? '--on-error quarantine' : undefined);
  if (asked === undefined) return 'fail';
  throw new EmbedkitError('usage', `${asked} needs an output that is a file, and -o ${output.path} is a stream`, {
    hint: 'name a file with -o',
  });
}

function outputFormat(path: string, to: OutputFormatName | undefined, kind: Target['kind'] | undefined): OutputFormatName {
  if (kind === 'folder') return to ?? 'parquet';
  if (path === '-') return to === 'arrow' ? 'arrow-stream' : (to ?? 'jsonl');
  const format = to ?? outputFormatOf(path);
  if (format !== undefined) return format;
  const hint = `end it in .parquet, .arrow or .jsonl, or say --to (${OUTPUT_FORMAT_NAMES.join(', ')})`;
  throw new EmbedkitError('usage', `-o ${path}: the name does not tell a format`, { hint });
}

const LEAST_CHUNK_TOKENS = 16;

function chunkPlan({ onOverflow, chunkTokens, chunkOverlap = 0 }: JobModel, maxTokens: number): ChunkPlan | undefined {
  if (onOverflow !== 'chunk') {
    if (chunkTokens === undefined && chunkOverlap === 0) return undefined;
    throw new EmbedkitError('usage', '--chunk-tokens and --chunk-overlap are for --on-overflow chunk', {
      hint: 'say that, or leave them out',
    });
  }
  const tokens = atLeast('--chunk-tokens', LEAST_CHUNK_TOKENS, chunkTokens ?? maxTokens);
  if (tokens > maxTokens) {
    throw new EmbedkitError('usage', `--chunk-tokens ${tokens}: more than the ${maxTokens} that the model takes`, { hint: 'choose less' });
  }
  if (atLeast('--chunk-overlap', 0, chunkOverlap) * 2 <= tokens) return { tokens, overlap: chunkOverlap };
  throw new EmbedkitError('usage', `--chunk-overlap ${chunkOverlap}: more than half of the ${tokens} tokens of a chunk`, {
    hint: 'choose less',
  });
}

function checkKeep(keep: readonly KeepColumn[], chunks: boolean): void {
  const names = keep.map(({ name }) => name);
  const taken: readonly string[] = chunks ? [...OWN_COLUMNS, ...CHUNK_COLUMNS] : OWN_COLUMNS;
  const own = names.find((name) => taken.includes(name));
  if (own !== undefined) {
    throw new EmbedkitError('usage', `--keep ${own}: the output has a column "${own}" of its own`, {
      hint: 'leave it out, or rename it in the input',
    });
  }
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw new EmbedkitError('usage', `--keep names "${twice}" twice`, { hint: 'name it once' });
}

function windowLimits(config: JobConfig): WindowLimits {
  const asked = { ...DEFAULT_WINDOW, ...config.window };
  return {
    rows: atLeast('--window-rows', 1, asked.rows),
    bytes: atLeast('--window-bytes', 1, asked.bytes),
    tokens: atLeast('--window-tokens', 1, asked.tokens),
  };
}

function checkShard(shard: Shard | undefined): Shard | undefined {
  if (shard === undefined || (shard.of >= 1 && shard.index >= 0 && shard.index < shard.of)) return shard;
  throw new EmbedkitError('usage', `--shard ${shard.index + 1}/${shard.of}: no such part`, { hint: 'count from 1: 1/4, 2/4, 3/4, 4/4' });
}

function atLeast(flag: string, least: number, value: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new EmbedkitError('usage', `${flag} ${value}: not a whole number of at least ${least}`, { hint: 'choose one' });
}
