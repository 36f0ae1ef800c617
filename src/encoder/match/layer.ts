// One encoder layer, from the value that it gives down to the value that it reads.
import type { Constant } from '../../onnx/constant.js';
import type { KnownGraph } from '../../onnx/evaluate.js';
import type { Encoder, EncoderLayer, LayerNorm } from '../encoder.js';
import { type ActivationMatch, matchActivation } from './activation.js';
import { matchAttention } from './attention.js';
import { sourceOf } from './climb.js';
import { isNormalised } from './head.js';
import { type LinearMatch, linearOf, matchLinear, matchProduct } from './linear.js';
import { matchNorm } from './norm.js';
import { addendsOf, unrecognised } from './trace.js';

export interface LayerMatch {
  /** The value that the layer reads. */
  readonly input: string;
  readonly layer: EncoderLayer;
  readonly traits: Pick<Encoder, 'heads' | 'scale' | 'activation'>;
}

/** Throws `model-unsupported` at the first part that is none of such a layer. */
export function matchLayer(graph: KnownGraph, name: string): LayerMatch {
  const outer = matchResidual(graph, name);
  const { activation, up } = matchUp(graph, outer.branch.input);
  if (up.input !== outer.residual) throw unrecognised(graph, 'a feed-forward part that reads what it is added to', outer.branch.input);
  const inner = matchResidual(graph, outer.residual);
  const { query, key, value, ...traits } = matchAttention(graph, sourceOf(graph, inner.residual, inner.branch.input), inner.branch.input);
  const attention = { query, key, value, output: inner.branch.linear, attentionNorm: inner.norm };
  const layer = { ...attention, up: up.linear, down: outer.branch.linear, outputNorm: outer.norm };
  return { input: inner.residual, layer, traits: { ...traits, activation } };
}

interface Residual {
  readonly norm: LayerNorm;
  /** The earlier normalised value that is added ... */
  readonly residual: string;
  /** ... to the linear map that ends the branch. */
  readonly branch: LinearMatch;
}

/** norm(residual + linear map): one branch of the layer. Biases are whatever constants are added along. */
function matchResidual(graph: KnownGraph, name: string): Residual {
  const match = matchNorm(graph, name);
  if (match === undefined) throw unrecognised(graph, 'a layer normalisation', name);
  const { values, constants } = addendsOf(graph, match.terms, (value) => isNormalised(graph, value));
  const branches = values.map((value) => branchOf(graph, value, constants));
  const residual = values.find((_, at) => branches[at] === undefined);
  const branch = branches.find((one) => one !== undefined);
  if (values.length !== 2 || residual === undefined || branch === undefined) {
    throw unrecognised(graph, 'the sum of a residual and a linear map below a layer normalisation', name);
  }
  return { norm: match.norm, residual, branch };
}

function branchOf(graph: KnownGraph, value: string, constants: readonly Constant<Float32Array>[]): LinearMatch | undefined {
  const product = matchProduct(graph, value);
  return product && { input: product.input, linear: linearOf(product, constants) };
}

function matchUp(graph: KnownGraph, name: string): Pick<ActivationMatch, 'activation'> & { up: LinearMatch } {
  const match = matchActivation(graph, name);
  if (match === undefined) throw unrecognised(graph, 'the activation', name);
  const up = matchLinear(graph, match.terms);
  if (up === undefined) throw unrecognised(graph, 'the linear map before the activation', name);
  return { activation: match.activation, up };
}
