// What was written becomes the manifest of its folder.
import { basename, join } from 'node:path';
import { type GraphProto, toNumber } from '../onnx/proto.js';
import type { OnnxFile } from '../onnx/read.js';
import { fedInputs } from '../onnx/shapes.js';
import type { DenseMap } from '../vectors/dense.js';
import type { SourceFacts } from './conventions.js';
import { describeDense } from './dense.js';
import type { ExportOptions } from './export-options.js';
import type { Facts } from './facts.js';
import { fileFacts } from './folder.js';
import type { Manifest } from './manifest.js';
import { DENSE_NAME, TOKENIZER_NAME } from './names.js';
import { WEIGHTS, type Written } from './write.js';

export interface Described {
  readonly onnx: OnnxFile;
  readonly source: SourceFacts;
  readonly facts: Facts;
  readonly written: Written;
  /** Length of a pooled vector. */
  readonly dim: number;
  readonly dense: readonly DenseMap[];
}

/** The manifest of the files in `folder`, each read once for its size and SHA-256. */
export async function describeModel(folder: string, described: Described, options: ExportOptions): Promise<Manifest> {
  const { source, facts, written, dense } = described;
  const paths = [...written.files, join(folder, TOKENIZER_NAME), ...(dense.length === 0 ? [] : [join(folder, DENSE_NAME)])];
  const files = await Promise.all(paths.map(async (path) => [basename(path), await fileFacts(path)] as const));
  return {
    format: 1,
    name: options.name ?? source.name,
    source: options.origin ?? 'unknown',
    license: options.license ?? 'unknown',
    ...(options.attribution === undefined ? {} : { attribution: options.attribution }),
    model: basename(written.path),
    files: Object.fromEntries(files),
    architecture: architectureOf(described),
    dim: dense.at(-1)?.outputs ?? described.dim,
    dimensions: [...source.dimensions],
    max_tokens: facts.maxTokens,
    pooling: facts.pooling,
    ...(dense.length === 0 ? {} : { dense: describeDense(dense) }),
    normalize: options.normalize ?? source.normalize ?? true,
    prompts: { ...source.prompts, ...definedPrompts(options) },
    weights: {
      dtype: WEIGHTS[written.dtype].dtype,
      total: written.report.total,
      exact: written.report.exact,
      max_difference: written.report.maxDifference,
    },
  };
}

function architectureOf({ onnx, facts }: Described): Manifest['architecture'] {
  const opset = (onnx.model.opsetImport ?? []).find((entry) => !entry.domain)?.version;
  return {
    inputs: fedInputs(onnx.model.graph as GraphProto).map((input) => input.name ?? ''),
    output: facts.output,
    opset: toNumber(opset),
    ...(facts.positions === undefined ? {} : { positions: facts.positions }),
    ...(facts.vocabulary === undefined ? {} : { vocabulary: facts.vocabulary }),
  };
}

function definedPrompts(options: ExportOptions): Record<string, string> {
  const prompts: Record<string, string> = {};
  if (options.queryPrompt !== undefined) prompts['query'] = options.queryPrompt;
  if (options.documentPrompt !== undefined) prompts['document'] = options.documentPrompt;
  return prompts;
}
