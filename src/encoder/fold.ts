// Rewrites of an Encoder into an equal one whose numbers are easier to quantize or cheaper to run. Pure.
import type { Encoder, EncoderLayer, Linear } from './encoder.js';

/** Moves the attention scale into the query maps, where it costs nothing: the new scale is 1. */
export function foldAttentionScale(encoder: Encoder): Encoder {
  const times = (value: number): number => value * encoder.scale;
  const fold = (query: Linear): Linear => ({ ...query, weight: query.weight.map(times), bias: query.bias.map(times) });
  return { ...encoder, scale: 1, layers: encoder.layers.map((layer) => ({ ...layer, query: fold(layer.query) })) };
}

/**
 * Divides the channels of a layer's attention context by `divisor` without an operation: the value map gives each channel
 * that much smaller (attention mixes tokens, never channels) and the output map takes it back.
 * @param divisor hidden values, all above 0
 */
export function foldContextDivisor(encoder: Encoder, at: number, divisor: Float32Array): Encoder {
  const layers = encoder.layers.map((layer, index) => (index === at ? divideContext(layer, divisor) : layer));
  return { ...encoder, layers };
}

function divideContext(layer: EncoderLayer, divisor: Float32Array): EncoderLayer {
  const { value, output } = layer;
  const inverse = divisor.map((one) => 1 / one);
  return {
    ...layer,
    value: { ...value, weight: scaleColumns(value, inverse), bias: value.bias.map((one, column) => one * (inverse[column] as number)) },
    output: { ...output, weight: scaleRows(output, divisor) },
  };
}

/** Column j of the weight times factors[j]. */
export function scaleColumns({ weight, outputs }: Pick<Linear, 'weight' | 'outputs'>, factors: Float32Array): Float32Array {
  return weight.map((value, at) => value * (factors[at % outputs] as number));
}

/** Row i of the weight times factors[i]. */
export function scaleRows({ weight, outputs }: Pick<Linear, 'weight' | 'outputs'>, factors: Float32Array): Float32Array {
  return weight.map((value, at) => value * (factors[Math.floor(at / outputs)] as number));
}
