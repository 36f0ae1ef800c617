// `export`: an ONNX model as found becomes a model folder: weights stored anew, shapes freed, proven equal, described.
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { EmbedkitError, messageOf, wrapError } from '../errors.js';
import { isHalvable, type StorageReport, storeAsFloat, storeAsHalf } from '../onnx/half.js';
import { allTensors, dimsOf, EXTERNAL, type GraphProto, sizeOf, toNumber } from '../onnx/proto.js';
import { type OnnxFile, rawBytes, readOnnx, storedBytes } from '../onnx/read.js';
import { fedInputs, fixedShape, freeShapes, shapeOf } from '../onnx/shapes.js';
import { createStore, INLINE_LIMIT_BYTES } from '../onnx/store.js';
import { createTokenizer, type TextTokenizer } from '../tokens/tokenizer.js';
import type { Pooling } from '../vectors/pool.js';
import { readSource, type SourceFacts } from './conventions.js';
import { fileFacts } from './folder.js';
import type { Manifest } from './manifest.js';
import { MANIFEST_NAME, TOKENIZER_NAME } from './names.js';
import { largestDifference, type Probe, probeInputs, probeOfShape, runModel } from './probe.js';

export interface ExportOptions {
  readonly dtype: 'fp16' | 'fp32';
  readonly name?: string | undefined;
  readonly origin?: string | undefined;
  readonly license?: string | undefined;
  readonly attribution?: string | undefined;
  readonly pooling?: Pooling | undefined;
  readonly normalize?: boolean | undefined;
  readonly queryPrompt?: string | undefined;
  readonly documentPrompt?: string | undefined;
  readonly maxTokens?: number | undefined;
  /** Replace the output folder if it is there. */
  readonly overwrite?: boolean | undefined;
  /** Weights beyond this many bytes go to an external data file. */
  readonly inlineLimitBytes?: number | undefined;
}

export interface ExportReport {
  readonly folder: string;
  readonly manifest: Manifest;
  /** Largest difference between the outputs of the source and of the written model on probe texts. */
  readonly outputDifference: number;
}

interface Facts {
  readonly pooling: Pooling;
  readonly output: string;
  readonly positions: number | undefined;
  readonly vocabulary: number | undefined;
  readonly maxTokens: number;
}

const WEIGHTS = { fp16: { dtype: 'float16', store: storeAsHalf }, fp32: { dtype: 'float32', store: storeAsFloat } } as const;
const DEFAULT_OUTPUTS = ['last_hidden_state', 'token_embeddings'];
const LONGEST_DEFAULT = 512;
// Storing losslessly changes no arithmetic, but the runtime may fuse differently around a cast.
const LOSSLESS_TOLERANCE = 1e-5;

/**
 * Writes the model folder `out` from an ONNX file or model folder; it appears whole or not at all.
 * @throws EmbedkitError `usage` for what the flags must say, `model-invalid`, `model-unsupported` (fixed shapes inside,
 *   inputs that embedkit does not feed, a written model that does not equal its source)
 */
export async function exportModel(path: string, out: string, options: ExportOptions): Promise<ExportReport> {
  const source = await readSource(path);
  const onnx = await readOnnx(source.onnxPath);
  const graph = onnx.model.graph as GraphProto;
  const facts = readFacts(graph, source, options);
  const tokenizer = createTokenizer(JSON.parse(await readFile(source.tokenizerPath, 'utf8')));
  await checkOutput(out, options);
  const folder = `${resolve(out)}.tmp-${process.pid}`;
  await mkdir(folder, { recursive: true });
  try {
    const fixed = fixedShape(graph);
    const written = await writeModel(onnx, folder, options);
    await writeFile(join(folder, TOKENIZER_NAME), await readFile(source.tokenizerPath));
    const { probes, difference } = await prove(source.onnxPath, written.path, facts, tokenizer, fixed);
    if (written.report.exact === written.report.total && !(difference <= LOSSLESS_TOLERANCE)) throw notEqual(source, difference);
    const manifest = await describe(folder, onnx, source, facts, written, probes, options);
    await writeFile(join(folder, MANIFEST_NAME), `${JSON.stringify(manifest, null, 2)}\n`);
    await install(folder, resolve(out));
    return { folder: out, manifest, outputDifference: difference };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw wrapError(error, 'output-unwritable', `${out}: cannot be written`, 'check space and permissions');
  }
}

function readFacts(graph: GraphProto, source: SourceFacts, options: ExportOptions): Facts {
  const outputs = graph.output ?? [];
  const output = outputs.find((value) => DEFAULT_OUTPUTS.includes(value.name ?? '')) ?? outputs[0];
  const pooled = output !== undefined && shapeOf(output).length === 2;
  const pooling = options.pooling ?? (pooled ? 'none' : source.pooling);
  if (pooling === undefined) {
    throw new EmbedkitError('usage', `nothing beside ${source.onnxPath} says how its token vectors are pooled`, {
      hint: 'say --pooling cls, mean, max or last as the model card does',
    });
  }
  const positions = tableRows(graph, /position/i) ?? source.positions;
  const limit = positions ?? Number.POSITIVE_INFINITY;
  const maxTokens = options.maxTokens ?? Math.min(source.maxTokens ?? LONGEST_DEFAULT, limit);
  if (maxTokens > limit || maxTokens < 3) {
    throw new EmbedkitError('usage', `--max-tokens ${maxTokens}: the model has ${limit} positions`, { hint: `choose 3 to ${limit}` });
  }
  return { pooling, output: output?.name ?? '', positions, vocabulary: tableRows(graph, /word|embed_tokens|tok_embeddings/i), maxTokens };
}

/** Rows of the embedding table of a kind, by its usual names. */
function tableRows(graph: GraphProto, kind: RegExp): number | undefined {
  const table = (graph.initializer ?? []).find(
    (tensor) => kind.test(tensor.name ?? '') && /embed/i.test(tensor.name ?? '') && dimsOf(tensor).length === 2,
  );
  return table === undefined ? undefined : dimsOf(table)[0];
}

async function checkOutput(out: string, options: ExportOptions): Promise<void> {
  const there = await stat(out).catch(() => undefined);
  if (there === undefined || options.overwrite) return;
  throw new EmbedkitError('usage', `${out} exists`, { hint: 'name another folder, or say --overwrite' });
}

interface Written {
  readonly path: string;
  readonly files: string[];
  readonly report: StorageReport;
}

async function writeModel(onnx: OnnxFile, folder: string, options: ExportOptions): Promise<Written> {
  const graph = onnx.model.graph as GraphProto;
  const path = join(folder, `model.${options.dtype}.onnx`);
  const total = [...allTensors(graph)].reduce(
    (sum, tensor) => sum + (isHalvable(tensor) ? sizeOf(tensor) * (options.dtype === 'fp16' ? 2 : 4) : storedBytes(tensor)),
    0,
  );
  const store = await createStore(path, total, options.inlineLimitBytes ?? INLINE_LIMIT_BYTES);
  freeShapes(graph);
  const report = await WEIGHTS[options.dtype].store(graph, onnx.path, store);
  const kept = [...allTensors(graph)].filter((tensor) => tensor.dataLocation === EXTERNAL && !ours(tensor, path));
  for (const tensor of kept) await store.put(tensor, (await rawBytes(tensor, onnx.path)) ?? new Uint8Array(0));
  onnx.model.producerName = 'embedkit';
  onnx.model.producerVersion = '';
  return { path, files: await store.finish(onnx.model), report };
}

function ours(tensor: { externalData?: { key?: string | null; value?: string | null }[] | null }, path: string): boolean {
  return tensor.externalData?.some((entry) => entry.key === 'location' && entry.value === `${basename(path)}.data`) ?? false;
}

/** Runs source and result on the same inputs; a source of fixed shape at that shape only, the result at others too. */
async function prove(
  sourcePath: string,
  writtenPath: string,
  facts: Facts,
  tokenizer: TextTokenizer,
  fixed: { rows: number | undefined; width: number | undefined } | undefined,
): Promise<{ probes: Probe[]; difference: number }> {
  const free = probeInputs(tokenizer, facts.maxTokens);
  const common = fixed === undefined ? free : [probeOfShape(tokenizer, fixed.rows ?? 2, fixed.width ?? 16)];
  const expected = await runModel(sourcePath, facts.output, common);
  const got = await runModel(writtenPath, facts.output, [...common, ...free]).catch((error: unknown) => {
    const found = `the model works only at its fixed input shape: ${messageOf(error)}`;
    throw new EmbedkitError('model-unsupported', found, { hint: 'export it with dynamic axes', cause: error });
  });
  return { probes: got, difference: largestDifference(expected, got.slice(0, common.length)) };
}

function notEqual(source: SourceFacts, difference: number): EmbedkitError {
  const found = `the written model differs from ${source.onnxPath} by ${difference} on probe texts`;
  return new EmbedkitError('model-unsupported', found, { hint: 'please report this model' });
}

async function describe(
  folder: string,
  onnx: OnnxFile,
  source: SourceFacts,
  facts: Facts,
  written: Written,
  probes: readonly Probe[],
  options: ExportOptions,
): Promise<Manifest> {
  const paths = [...written.files, join(folder, TOKENIZER_NAME)];
  const files = await Promise.all(paths.map(async (path) => [basename(path), await fileFacts(path)] as const));
  const prompts = { ...source.prompts, ...definedPrompts(options) };
  const opset = (onnx.model.opsetImport ?? []).find((entry) => !entry.domain)?.version;
  return {
    format: 1,
    name: options.name ?? source.name,
    source: options.origin ?? 'unknown',
    license: options.license ?? 'unknown',
    ...(options.attribution === undefined ? {} : { attribution: options.attribution }),
    model: basename(written.path),
    files: Object.fromEntries(files),
    architecture: {
      inputs: fedInputs(onnx.model.graph as GraphProto).map((input) => input.name ?? ''),
      output: facts.output,
      opset: toNumber(opset),
      ...(facts.positions === undefined ? {} : { positions: facts.positions }),
      ...(facts.vocabulary === undefined ? {} : { vocabulary: facts.vocabulary }),
    },
    dim: probes[0]?.dims.at(-1) ?? 0,
    dimensions: [...source.dimensions],
    max_tokens: facts.maxTokens,
    pooling: facts.pooling,
    normalize: options.normalize ?? source.normalize ?? true,
    prompts,
    weights: {
      dtype: WEIGHTS[options.dtype].dtype,
      total: written.report.total,
      exact: written.report.exact,
      max_difference: written.report.maxDifference,
    },
  };
}

function definedPrompts(options: ExportOptions): Record<string, string> {
  const prompts: Record<string, string> = {};
  if (options.queryPrompt !== undefined) prompts['query'] = options.queryPrompt;
  if (options.documentPrompt !== undefined) prompts['document'] = options.documentPrompt;
  return prompts;
}

async function install(folder: string, out: string): Promise<void> {
  await rm(out, { recursive: true, force: true });
  await rename(folder, out);
}
