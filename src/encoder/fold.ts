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

/**
 * Gives a layer's inner channels copies: channel i of the new layer is channel sources[i] of the old one, and what down
 * gives for a channel is shared out evenly among its copies. An outlier channel so split needs smaller weights for the same
 * result. Source: Zhao et al. 2019, Improving Neural Network Quantization without Retraining using Outlier Channel Splitting.
 * @param sources one a new inner channel; every old channel occurs
 */
export function foldInnerCopies(encoder: Encoder, at: number, sources: Int32Array): Encoder {
  const layers = encoder.layers.map((layer, index) => (index === at ? copyInner(layer, sources) : layer));
  return { ...encoder, layers };
}

function copyInner(layer: EncoderLayer, sources: Int32Array): EncoderLayer {
  const { up, gate, down } = layer;
  const inner = sources.length;
  const copies = new Float32Array(up.outputs);
  for (const source of sources) copies[source] = (copies[source] as number) + 1;
  const downWeight = new Float32Array(inner * down.outputs);
  sources.forEach((source, channel) => {
    const row = down.weight.subarray(source * down.outputs, (source + 1) * down.outputs);
    downWeight.set(
      row.map((value) => value / (copies[source] as number)),
      channel * down.outputs,
    );
  });
  const copied = { up: copyOutputs(up, sources), ...(gate === undefined ? {} : { gate: copyOutputs(gate, sources) }) };
  return { ...layer, ...copied, down: { ...down, inputs: inner, weight: downWeight } };
}

function copyOutputs(linear: Linear, sources: Int32Array): Linear {
  const outputs = sources.length;
  const weight = new Float32Array(linear.inputs * outputs);
  for (let row = 0; row < linear.inputs; row++) {
    for (let channel = 0; channel < outputs; channel++) {
      weight[row * outputs + channel] = linear.weight[row * linear.outputs + (sources[channel] as number)] as number;
    }
  }
  return { ...linear, outputs, weight, bias: Float32Array.from(sources, (source) => linear.bias[source] as number) };
}

/** Column j of the weight times factors[j]. */
export function scaleColumns({ weight, outputs }: Pick<Linear, 'weight' | 'outputs'>, factors: Float32Array): Float32Array {
  const scaled = new Float32Array(weight.length);
  for (let start = 0; start < weight.length; start += outputs) {
    for (let column = 0; column < outputs; column++)
      scaled[start + column] = (weight[start + column] as number) * (factors[column] as number);
  }
  return scaled;
}

/** Row i of the weight times factors[i]. */
export function scaleRows({ weight, outputs }: Pick<Linear, 'weight' | 'outputs'>, factors: Float32Array): Float32Array {
  const scaled = new Float32Array(weight.length);
  for (let row = 0; row * outputs < weight.length; row++) {
    const factor = factors[row] as number;
    for (let at = row * outputs; at < (row + 1) * outputs; at++) scaled[at] = (weight[at] as number) * factor;
  }
  return scaled;
}
