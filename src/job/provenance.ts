// What a file of vectors says of its making, as JSON in its metadata: enough to make it again, and no time stamps.

import type { ModelFolder } from '../model/folder.js';
import { fingerprint } from '../model/settings.js';
import { dependencyVersion, VERSION } from '../version.js';
import type { ChunkPlan, JobInput, OnOverflow } from './config.js';
import type { Storage } from './storage.js';

/** What decides the vector of a text. */
export interface VectorPlan extends Storage {
  readonly folder: ModelFolder;
  readonly prompt: string;
  readonly dims: number;
  readonly maxTokens: number;
  readonly onOverflow: OnOverflow;
  /** Set where long documents are cut. */
  readonly chunks: ChunkPlan | undefined;
}

export const PROVENANCE_KEY = 'embedkit';

/** The file metadata: one key, the provenance as JSON. */
export function provenance(input: JobInput, plan: VectorPlan): ReadonlyMap<string, string> {
  const { manifest, precision, pooling } = plan.folder;
  const facts = {
    embedkit: VERSION,
    runtime: `onnxruntime-node ${dependencyVersion('onnxruntime-node')}`,
    tokenizers: dependencyVersion('@huggingface/tokenizers'),
    model: manifest.name,
    model_file: manifest.model,
    precision,
    quantization: precision === 'int8' ? quantizationOf(plan) : undefined,
    fingerprint: fingerprint(manifest, plan.maxTokens),
    source: manifest.source,
    license: manifest.license,
    dim: plan.dims,
    dtype: plan.dtype,
    int8_ranges: plan.ranges,
    pooling,
    normalize: manifest.normalize,
    prompt: plan.prompt,
    max_tokens: plan.maxTokens,
    on_overflow: plan.onOverflow,
    chunk_tokens: plan.chunks?.tokens,
    chunk_overlap: plan.chunks?.overlap,
    text: input.template ?? input.textField ?? 'text',
    id: input.idField,
  };
  return new Map([[PROVENANCE_KEY, JSON.stringify(facts)]]);
}

/** How the INT8 model was made: recipe and calibration digest. */
function quantizationOf({ folder }: VectorPlan): object | undefined {
  const made = folder.manifest.int8?.quantization;
  return made && { recipe: made.recipe, calibration_digest: made.calibration.digest, source_sha256: made.source_sha256 };
}
