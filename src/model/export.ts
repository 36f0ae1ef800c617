// `export`: an ONNX model as found becomes a model folder: weights stored anew, shapes freed, proven equal, described.
import { mkdir, readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { EmbedkitError, wrapError } from '../errors.js';
import type { GraphProto } from '../onnx/proto.js';
import { readOnnx } from '../onnx/read.js';
import { fixedShape } from '../onnx/shapes.js';
import type { DenseMap } from '../vectors/dense.js';
import { readSource, type SourceFacts } from './conventions.js';
import { convert, storedDtype } from './convert.js';
import { readDense, writeDense } from './dense.js';
import { describeModel } from './describe.js';
import type { ExportOptions } from './export-options.js';
import { type Facts, readFacts } from './facts.js';
import type { Manifest } from './manifest.js';
import { MANIFEST_NAME, TOKENIZER_NAME } from './names.js';
import { prove } from './prove.js';
import { readTokenizer } from './source-tokenizer.js';
import { writeModel } from './write.js';

export type { ExportOptions } from './export-options.js';

export interface ExportReport {
  readonly folder: string;
  readonly manifest: Manifest;
  /** Largest difference between the outputs of the source and of the written model on probe texts. */
  readonly outputDifference: number;
}

// Storing losslessly changes no arithmetic, but the runtime may fuse differently around a cast.
const LOSSLESS_TOLERANCE = 1e-5;

/**
 * Writes the model folder `out` from an ONNX or safetensors file or a folder with one; it appears whole or not at all.
 * @throws EmbedkitError `usage` for what the options must say and an output that is in the way, `input-not-found`,
 *   `model-invalid`, `model-unsupported` (fixed shapes inside, inputs that embedkit does not feed, a written model that
 *   does not equal its source), `output-unwritable`
 */
export async function exportModel(path: string, out: string, options: ExportOptions): Promise<ExportReport> {
  const source = await readSource(path);
  await checkOutput(out, source, options);
  const folder = `${resolve(out)}.tmp-${process.pid}`;
  const work = `${folder}-source`;
  try {
    await mkdir(folder, { recursive: true });
    const { manifest, difference } = await fill({ folder, work }, source, options);
    await rm(resolve(out), { recursive: true, force: true });
    await rename(folder, resolve(out));
    return { folder: out, manifest, outputDifference: difference };
  } catch (error) {
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    throw wrapError(error, 'output-unwritable', `${out}: cannot be written`, 'check space and permissions');
  } finally {
    await rm(work, { recursive: true, force: true }).catch(() => undefined);
  }
}

interface Places {
  /** What becomes the model folder. */
  readonly folder: string;
  /** Where weights become an ONNX file first; it does not last. */
  readonly work: string;
}

async function fill(
  { folder, work }: Places,
  source: SourceFacts,
  options: ExportOptions,
): Promise<{ manifest: Manifest; difference: number }> {
  const sourcePath = source.isSafetensors ? await convert(source.modelPath, work) : source.modelPath;
  const onnx = await readOnnx(sourcePath);
  const graph = onnx.model.graph as GraphProto;
  const facts = readFacts(graph, source, options);
  const tokenizer = await readTokenizer(source);
  const fixed = fixedShape(graph);
  const dtype = options.dtype ?? (source.isSafetensors ? await storedDtype(source.modelPath) : 'fp16');
  const written = await writeModel(onnx, folder, dtype, options.inlineLimitBytes);
  await writeFile(join(folder, TOKENIZER_NAME), await readFile(source.tokenizerPath));
  const { dim, difference } = await prove(sourcePath, written.path, facts, tokenizer, fixed);
  if (written.report.exact === written.report.total && !(difference <= LOSSLESS_TOLERANCE)) throw notEqual(source, difference);
  const dense = await keepDense(folder, source, facts, dim);
  const manifest = await describeModel(folder, { onnx, source, facts, written, dim, dense }, options);
  await writeFile(join(folder, MANIFEST_NAME), `${JSON.stringify(manifest, null, 2)}\n`);
  return { manifest, difference };
}

/** Dense modules go into the folder; a graph that pools by itself is taken to hold them. */
async function keepDense(folder: string, source: SourceFacts, { pooling }: Facts, dim: number): Promise<DenseMap[]> {
  if (source.dense.length === 0 || pooling === 'none') return [];
  const dense = await readDense(source.dense);
  const inputs = (dense[0] as DenseMap).inputs;
  if (inputs !== dim) {
    const found = `${source.dense[0]}: takes ${inputs} values where the model gives ${dim}`;
    throw new EmbedkitError('model-invalid', found, { hint: 'fetch the model again' });
  }
  await writeDense(folder, dense);
  return dense;
}

/** Replacing removes a folder and all in it, so it must be a model folder, and not the one that is read. */
async function checkOutput(out: string, source: SourceFacts, options: ExportOptions): Promise<void> {
  const there = await stat(out).catch(() => undefined);
  if (there === undefined) return;
  if (!options.overwrite) throw new EmbedkitError('usage', `${out} exists`, { hint: 'name another folder, or say --overwrite' });
  // Real paths, for either may be a link to the other.
  const [folder, ...read] = await Promise.all([out, source.modelPath, source.tokenizerPath].map((path) => realpath(path)));
  if (read.some((path) => isInside(path, folder as string))) {
    throw new EmbedkitError('usage', `${out} holds the model that is to be exported`, { hint: 'name another output folder' });
  }
  const names = there.isDirectory() ? await readdir(out) : undefined;
  if (names?.length === 0 || names?.includes(MANIFEST_NAME)) return;
  throw new EmbedkitError('usage', `${out} is no model folder (no ${MANIFEST_NAME} in it)`, { hint: 'name another folder' });
}

function isInside(path: string, folder: string): boolean {
  return !/^\.\.([\\/]|$)/.test(relative(folder, path));
}

function notEqual(source: SourceFacts, difference: number): EmbedkitError {
  const found = `the written model differs from ${source.modelPath} by ${difference} on probe texts`;
  return new EmbedkitError('model-unsupported', found, { hint: 'please report this model' });
}
