// What a verification holds an output against: its provenance, with what was asked for instead, and the model that they name.
import type { VectorDtype } from '../columns/row.js';
import { EmbedkitError } from '../errors.js';
import type { ChunkPlan, JobModel, OnOverflow } from '../job/config.js';
import type { Storage } from '../job/storage.js';
import { storageOf } from '../job/storage-plan.js';
import { type ModelFolder, openFolder } from '../model/folder.js';
import { fingerprint, maxTokensFor, promptFor } from '../model/settings.js';
import type { OutputFile } from './output-file.js';
import type { Provenance } from './provenance.js';

export interface Claims {
  readonly folder: ModelFolder;
  /** That of the model which was found, for the length limit claimed. */
  readonly fingerprint: string;
  /** That which the content hashes were made with, as the provenance says. */
  readonly claimedFingerprint: string;
  readonly prompt: string;
  readonly maxTokens: number;
  /** Length of the vectors, in values. */
  readonly dims: number;
  readonly storage: Storage;
  readonly onOverflow: OnOverflow;
  /** How long documents became several rows; undefined where they did not. */
  readonly chunks: ChunkPlan | undefined;
}

/**
 * Opens the model that made an output. Throws `usage` for a model or an option that there is not, `model-invalid` for an altered one.
 */
export async function settleClaims(file: OutputFile, asked: JobModel & { readonly dtype?: VectorDtype | undefined }): Promise<Claims> {
  const { provenance, dim: stored } = file;
  const folder = await openClaimed(provenance, asked);
  const { manifest } = folder;
  const maxTokens = maxTokensFor(manifest, asked.maxTokens ?? provenance?.max_tokens);
  const found = fingerprint(manifest, maxTokens);
  const dtype = provenance?.dtype ?? asked.dtype ?? (await floatsOnly(file));
  const dims = provenance?.dim ?? (dtype === 'binary' ? stored * 8 : stored);
  const onOverflow = asked.onOverflow ?? provenance?.on_overflow ?? 'truncate';
  return {
    folder,
    fingerprint: found,
    claimedFingerprint: provenance?.fingerprint ?? found,
    // The provenance has the text of the prompt, which may read like the name of one.
    prompt: asked.prompt === undefined && provenance !== undefined ? provenance.prompt : promptFor(manifest, asked.prompt),
    maxTokens,
    dims,
    storage: provenance?.int8_ranges ? { dtype, ranges: provenance.int8_ranges } : storageOf(folder, dims, dtype),
    onOverflow,
    chunks: onOverflow === 'chunk' ? chunksOf(provenance, asked, maxTokens) : undefined,
  };
}

function chunksOf(provenance: Provenance | undefined, { chunkTokens, chunkOverlap }: JobModel, maxTokens: number): ChunkPlan {
  return {
    tokens: chunkTokens ?? provenance?.chunk_tokens ?? maxTokens,
    overlap: chunkOverlap ?? provenance?.chunk_overlap ?? 0,
  };
}

/** Codes taken for values would find and prove nonsense. Throws `usage` for vectors of whole numbers, which JSONL does not say the meaning of. */
async function floatsOnly(file: OutputFile): Promise<'float32'> {
  for await (const { vectors } of file.batches({ vectors: true })) {
    if (vectors.data.length === 0 || !vectors.data.every((value) => Number.isInteger(value))) break;
    const found = `the vectors of ${file.path} are whole numbers, and ${file.format} does not say what they stand for`;
    throw new EmbedkitError('usage', found, { hint: 'say --dtype int8 or --dtype binary' });
  }
  return 'float32';
}

async function openClaimed(provenance: Provenance | undefined, asked: JobModel): Promise<ModelFolder> {
  const precision = asked.precision ?? provenance?.precision;
  if (asked.model !== undefined || provenance === undefined) return openFolder(asked.model, precision);
  return openFolder(provenance.model, precision).catch((error: unknown) => {
    if (!(error instanceof EmbedkitError) || error.code !== 'usage') throw error;
    const found = `the model ${provenance.model} (${provenance.precision}) that the file names is not here`;
    throw new EmbedkitError('usage', found, { hint: 'name its folder with --model', cause: error });
  });
}
