// What stands on the encoder: nothing, or some pooling of its last hidden states.
import type { KnownGraph } from '../../onnx/evaluate.js';
import type { Recognised } from '../encoder.js';
import { matchNorm } from './norm.js';
import { originOf, producerOf, unrecognised } from './trace.js';

export interface HeadMatch {
  /** The value of the last normalisation. */
  readonly last: string;
  readonly head: Recognised['head'];
}

/** Whether a normalisation of any kind gives the value. */
export function isNormalised(graph: KnownGraph, name: string): boolean {
  return producerOf(graph, name)?.opType === 'EmbedLayerNormalization' || matchNorm(graph, name) !== undefined;
}

/**
 * The last normalisation above the output, through whatever operators. Throws `model-unsupported` where there is none, or
 * where the output is computed from several.
 */
export function matchHead(graph: KnownGraph, outputName: string): HeadMatch {
  const direct = originOf(graph, outputName);
  if (isNormalised(graph, direct)) return { last: direct, head: 'hidden' };
  const found = new Set<string>();
  const seen = new Set<string>();
  const queue = [direct];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    if (isNormalised(graph, name)) found.add(name);
    else queue.push(...operandsOf(graph, name));
  }
  const [last] = found;
  if (last === undefined) throw unrecognised(graph, 'a last layer normalisation', outputName);
  if (found.size > 1) throw unrecognised(graph, `the last of ${found.size} layer normalisations`, outputName);
  return { last, head: 'pooled' };
}

function operandsOf(graph: KnownGraph, name: string): readonly string[] {
  const node = producerOf(graph, name);
  return node === undefined || node.opType === 'Shape' ? [] : (node.input ?? []);
}
