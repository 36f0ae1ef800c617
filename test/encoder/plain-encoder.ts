// What an encoder computes, as loops in double precision over its plain data: no graph, no operator. Slow, and only for comparison.
import type { Activation, Encoder, EncoderLayer, LayerNorm, Linear } from '#src/encoder/encoder.js';
import type { IdBatch } from '#src/quantize/observe.js';
import { erf } from '../reference/rounding.js';
import { type Tensor, tensor } from '../reference/tensor.js';

const ACTIVATIONS: Readonly<Record<Activation, (x: number) => number>> = {
  gelu: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  'gelu-tanh': (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  relu: (x) => Math.max(0, x),
};

/** rows x width x hidden, rounded to float32 at the very end. */
export function plainHidden(encoder: Encoder, { ids, rows, width }: IdBatch): Tensor {
  const texts = Array.from({ length: rows }, (_, row) => plainText(encoder, ids.subarray(row * width, (row + 1) * width)));
  return tensor('float32', [rows, width, encoder.hidden], texts.flat(2));
}

function plainText(encoder: Encoder, ids: Int32Array): number[][] {
  const { words, positions, hidden } = encoder;
  const embedded = Array.from(ids, (id, at) => {
    const value = (channel: number): number =>
      (words.data[id * hidden + channel] as number) + (positions.data[at * hidden + channel] as number);
    return normed(
      Array.from({ length: hidden }, (_, channel) => value(channel)),
      encoder.embeddingNorm,
    );
  });
  return encoder.layers.reduce((tokens, layer) => plainLayer(encoder, layer, tokens), embedded);
}

function plainLayer(encoder: Encoder, layer: EncoderLayer, tokens: number[][]): number[][] {
  const contexts = attended(encoder, layer, tokens);
  return tokens.map((token, at) => {
    const middle = normed(sum(token, mapped(contexts[at] as number[], layer.output)), layer.attentionNorm);
    const active = mapped(middle, layer.up).map(ACTIVATIONS[encoder.activation]);
    return normed(sum(middle, mapped(active, layer.down)), layer.outputNorm);
  });
}

function attended(encoder: Encoder, layer: EncoderLayer, tokens: number[][]): number[][] {
  const size = encoder.hidden / encoder.heads;
  const [queries, keys, values] = [layer.query, layer.key, layer.value].map((linear) => tokens.map((token) => mapped(token, linear)));
  const headOf = (vector: number[], head: number): number[] => vector.slice(head * size, (head + 1) * size);
  return (queries as number[][]).map((query) =>
    Array.from({ length: encoder.heads }, (_, head) => {
      const powers = (keys as number[][]).map((key) => Math.exp(dot(headOf(query, head), headOf(key, head)) * encoder.scale));
      const total = powers.reduce((a, b) => a + b, 0);
      return Array.from({ length: size }, (_, channel) =>
        powers.reduce((mixed, power, at) => mixed + (power / total) * ((values as number[][])[at]?.[head * size + channel] as number), 0),
      );
    }).flat(),
  );
}

function mapped(x: number[], { outputs, weight, bias }: Linear): number[] {
  return Array.from(bias, (start, column) =>
    x.reduce((total, value, row) => total + value * (weight[row * outputs + column] as number), start),
  );
}

function normed(x: number[], { gamma, beta, epsilon }: LayerNorm): number[] {
  const mean = x.reduce((a, b) => a + b, 0) / x.length;
  const variance = x.reduce((total, value) => total + (value - mean) ** 2, 0) / x.length;
  return x.map((value, at) => ((value - mean) / Math.sqrt(variance + epsilon)) * (gamma[at] as number) + (beta[at] as number));
}

function sum(a: number[], b: number[]): number[] {
  return a.map((value, at) => value + (b[at] as number));
}

function dot(a: number[], b: number[]): number {
  return a.reduce((total, value, at) => total + value * (b[at] as number), 0);
}
