// Holds a written model against its source: the same outputs for the same inputs, and the right shape for any input.
import type { EngineInput } from '../engine/contract.js';
import { EmbedkitError, messageOf } from '../errors.js';
import type { TextTokenizer } from '../tokens/tokenizer.js';
import type { Facts } from './facts.js';
import { largestDifference, type Probe, probeInputs, probeOfShape, runModel } from './probe.js';

/** The fixed [batch, sequence] of a source, as far as it is fixed. */
export interface FixedShape {
  readonly rows: number | undefined;
  readonly width: number | undefined;
}

export interface Proof {
  /** Length of a vector. */
  readonly dim: number;
  /** Largest difference between source and written model. */
  readonly difference: number;
}

/**
 * Runs source and result on the same inputs; a source of fixed shape at that shape only, the result at others too.
 * @throws EmbedkitError `model-unsupported` that names the node which works only at one shape
 */
export async function prove(
  sourcePath: string,
  writtenPath: string,
  facts: Facts,
  tokenizer: TextTokenizer,
  fixed: FixedShape | undefined,
): Promise<Proof> {
  const free = probeInputs(tokenizer, facts.maxTokens);
  const common = fixed === undefined ? free : [probeOfShape(tokenizer, fixed.rows ?? 2, fixed.width ?? 16)];
  const inputs = fixed === undefined ? free : [...common, ...free];
  const expected = await runModel(sourcePath, facts.output, common).catch((error: unknown) => {
    throw cannotRun(`${sourcePath} does not run on probe texts`, error);
  });
  const got = await runModel(writtenPath, facts.output, inputs).catch((error: unknown) => {
    throw cannotRun(`${sourcePath} works only at its fixed input shape`, error);
  });
  checkShapes(sourcePath, inputs, got, facts);
  return { dim: got[0]?.dims.at(-1) ?? 0, difference: largestDifference(expected, got.slice(0, common.length)) };
}

/** A fixed shape inside the graph may also fold the tokens of a text into its rows without any complaint of the runtime. */
function checkShapes(path: string, inputs: readonly EngineInput[], got: readonly Probe[], facts: Facts): void {
  inputs.forEach(({ rows, width }, index) => {
    const dims = got[index]?.dims ?? [];
    const leading = facts.pooling === 'none' ? [rows] : [rows, width];
    if (dims.length === leading.length + 1 && leading.every((size, axis) => dims[axis] === size)) return;
    const found = `${path}: output "${facts.output}" is ${dims.join(' x ')} for ${rows} texts of ${width} tokens`;
    throw new EmbedkitError('model-unsupported', found, { hint: 'export it with dynamic axes, and check --pooling' });
  });
}

/** The runtime's message says which node it was, among much else. */
function cannotRun(what: string, error: unknown): EmbedkitError {
  if (error instanceof EmbedkitError) return error;
  const node = /running (\w+) node\. Name:'([^']*)'/.exec(messageOf(error));
  const why = node === null ? messageOf(error) : `node "${node[2]}" (${node[1]}) takes no other`;
  return new EmbedkitError('model-unsupported', `${what}: ${why}`, { hint: 'export it with dynamic axes', cause: error });
}
