// Which path a model takes: through its encoder, where that is recognised and proven on probe texts, else in place.
import { join } from 'node:path';
import { emitEncoder, OUTPUT } from '../encoder/emit.js';
import type { Encoder } from '../encoder/encoder.js';
import { FUSED } from '../encoder/forms.js';
import { fp32Arithmetic } from '../encoder/fp32.js';
import { recognise } from '../encoder/recognise.js';
import type { EngineInput } from '../engine/contract.js';
import { EmbedkitError } from '../errors.js';
import type { ModelFolder } from '../model/folder.js';
import { largestDifference, type Probe, probeInputs, runModel } from '../model/probe.js';
import { loadExternal, type OnnxFile, readOnnx } from '../onnx/read.js';
import { writeGraph } from '../onnx/write.js';
import type { TextTokenizer } from '../tokens/tokenizer.js';
import { normalise } from '../vectors/normalise.js';
import { type Pooling, pool } from '../vectors/pool.js';
import { encoderPath } from './encoder-path.js';
import type { QuantizePath } from './path.js';
import { portablePath } from './portable-path.js';

/** Largest difference between the source's outputs and the re-emitted encoder's that counts as equal. */
export const PROOF_TOLERANCE = 1e-4;
// What a graph that pools by itself may do; tried in this order.
const POOLINGS_TRIED: readonly Pooling[] = ['cls', 'mean', 'max'];

export interface FindOptions {
  readonly tokenizer: TextTokenizer;
  readonly maxTokens: number;
  /** A folder for the re-emitted graph. */
  readonly work: string;
}

/**
 * @param source the model in full precision
 * @throws EmbedkitError `model-invalid` for weights that no path can take, `model-unsupported` for a graph without products to quantize
 */
export async function findPath(source: ModelFolder, options: FindOptions): Promise<QuantizePath> {
  const file = await readOnnx(source.modelPath);
  try {
    const { encoder, head } = await recognise(file, source.manifest.architecture.output);
    const pooling = await prove(source, encoder, head, options);
    return encoderPath(async () => (await recognise(await readOnnx(file.path), source.manifest.architecture.output)).encoder, pooling);
  } catch (error) {
    if (!(error instanceof EmbedkitError) || error.code !== 'model-unsupported') throw error;
    return portablePath(await fresh(file), source.manifest, error.message);
  }
}

/** Recognition reads weights as views; the portable path changes the graph and writes it elsewhere, so it starts from the file again, with all weights. */
async function fresh({ path }: OnnxFile): Promise<OnnxFile> {
  const file = await readOnnx(path);
  await loadExternal(file);
  return file;
}

/**
 * Runs source and re-emitted encoder on the same probes.
 * @returns the pooling that is left to do, found by trying where the source pools by itself
 */
async function prove(source: ModelFolder, encoder: Encoder, head: 'hidden' | 'pooled', options: FindOptions): Promise<Pooling> {
  const { manifest } = source;
  const inputs = probeInputs(options.tokenizer, options.maxTokens);
  const path = join(options.work, 'recognised.onnx');
  await writeGraph(emitEncoder(encoder, fp32Arithmetic(encoder), { form: FUSED, output: 'hidden' }), path);
  const expected = await runModel(source.modelPath, manifest.architecture.output, inputs);
  const hidden = await runModel(path, OUTPUT, inputs);
  const tried = head === 'hidden' ? ([manifest.pooling] as const) : POOLINGS_TRIED;
  const differences = tried.map((pooling) =>
    head === 'hidden'
      ? largestDifference(expected, hidden)
      : pooledDifference(expected, hidden, { inputs, pooling, normalize: manifest.normalize }),
  );
  const best = differences.reduce((least, difference, at) => (difference < (differences[least] as number) ? at : least), 0);
  if ((differences[best] as number) <= PROOF_TOLERANCE) return tried[best] as Pooling;
  const found = `the encoder read from the graph differs from it by ${differences[best]} on probe texts`;
  throw new EmbedkitError('model-unsupported', found);
}

interface PooledProof {
  readonly inputs: readonly EngineInput[];
  readonly pooling: Pooling;
  readonly normalize: boolean;
}

function pooledDifference(expected: readonly Probe[], hidden: readonly Probe[], { inputs, pooling, normalize }: PooledProof): number {
  const pairs = inputs.map(({ rows, width }, at) => {
    const { values, dims } = hidden[at] as Probe;
    const dim = dims.at(-1) as number;
    const ours = pool(values, { rows, width, dim }, pooling);
    const theirs = (expected[at] as Probe).values.slice();
    // A graph that divides by the norm and one that leaves it to us give the same vectors.
    for (const data of normalize ? [ours, theirs] : []) normalise({ rows, dim, data });
    return [ours, theirs] as const;
  });
  const probes = (side: 0 | 1): Probe[] => pairs.map((pair) => ({ dims: [], values: pair[side] }));
  return largestDifference(probes(1), probes(0));
}
