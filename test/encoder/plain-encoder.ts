// What an encoder computes, as loops in double precision over its plain data: no graph, no operator. Slow, and only for comparison.
import type { Activation, Encoder, EncoderLayer, LayerNorm, Linear, Places } from '#src/encoder/encoder.js';
import type { IdBatch } from '#src/quantize/observe.js';
import { erf } from '../reference/rounding.js';
import { type Tensor, tensor } from '../reference/tensor.js';

const ACTIVATIONS: Readonly<Record<Activation, (x: number) => number>> = {
  gelu: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  'gelu-tanh': (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  relu: (x) => Math.max(0, x),
  silu: (x) => x / (1 + Math.exp(-x)),
};

/** rows x width x hidden, rounded to float32 at the very end. */
export function plainHidden(encoder: Encoder, { ids, rows, width }: IdBatch): Tensor {
  const texts = Array.from({ length: rows }, (_, row) => plainText(encoder, ids.subarray(row * width, (row + 1) * width)));
  return tensor('float32', [rows, width, encoder.hidden], texts.flat(2));
}

function plainText(encoder: Encoder, ids: Int32Array): number[][] {
  const { words, positions, types, hidden } = encoder;
  const embedded = Array.from(ids, (id, at) => {
    const value = (channel: number): number =>
      (words.data[id * hidden + channel] as number) + (positions?.data[at * hidden + channel] ?? 0) + (types?.[channel] ?? 0);
    return normed(
      Array.from({ length: hidden }, (_, channel) => value(channel)),
      encoder.embeddingNorm,
    );
  });
  const last = encoder.layers.reduce((tokens, layer) => plainLayer(encoder, layer, tokens), embedded);
  const { finalNorm } = encoder;
  return finalNorm === undefined ? last : last.map((token) => normed(token, finalNorm));
}

function plainLayer(encoder: Encoder, layer: EncoderLayer, tokens: number[][]): number[][] {
  const { attentionNorm, outputNorm } = layer;
  const isPre = encoder.order === 'pre';
  const before = (x: number[], norm: LayerNorm | undefined): number[] => (isPre && norm !== undefined ? normed(x, norm) : x);
  const after = (x: number[], norm: LayerNorm | undefined): number[] => (isPre || norm === undefined ? x : normed(x, norm));
  const read = tokens.map((token) => before(token, attentionNorm));
  const contexts = attended(encoder, layer, read);
  return tokens.map((token, at) => {
    const middle = after(sum(token, mapped(contexts[at] as number[], layer.output)), attentionNorm);
    return after(sum(middle, fed(encoder, layer, before(middle, outputNorm))), outputNorm);
  });
}

function fed({ activation }: Encoder, { up, gate, down }: EncoderLayer, x: number[]): number[] {
  const active = mapped(x, up).map(ACTIVATIONS[activation]);
  const gates = gate === undefined ? undefined : mapped(x, gate);
  return mapped(
    active.map((value, at) => value * (gates?.[at] ?? 1)),
    down,
  );
}

/** A head's query or key at place `at`, its first half turned into its second. */
function turned(head: number[], at: number, rotation: Places['rotation']): number[] {
  if (rotation === undefined) return head;
  const half = head.length / 2;
  return head.map((value, channel) => {
    const angle = at * (rotation.frequencies[channel % half] as number);
    const other = channel < half ? -(head[channel + half] as number) : (head[channel - half] as number);
    return rotation.factor * (value * Math.cos(angle) + other * Math.sin(angle));
  });
}

function placeBias({ distances, window }: Places, head: number, distance: number): number {
  if (window !== undefined && Math.abs(distance) > window) return Number.NEGATIVE_INFINITY;
  return distances === undefined ? 0 : (distances.data[head * (2 * distances.reach + 1) + distances.reach + distance] as number);
}

function attended(encoder: Encoder, layer: EncoderLayer, tokens: number[][]): number[][] {
  const size = encoder.hidden / encoder.heads;
  const [queries, keys, values] = [layer.query, layer.key, layer.value].map((linear) => tokens.map((token) => mapped(token, linear)));
  const headOf = (vector: number[], head: number): number[] => vector.slice(head * size, (head + 1) * size);
  const { places = {} } = layer;
  const score = (query: number[], key: number[], head: number, from: number, to: number): number => {
    const [q, k] = [turned(headOf(query, head), from, places.rotation), turned(headOf(key, head), to, places.rotation)];
    return dot(q, k) * encoder.scale + placeBias(places, head, to - from);
  };
  return (queries as number[][]).map((query, from) =>
    Array.from({ length: encoder.heads }, (_, head) => {
      const powers = (keys as number[][]).map((key, to) => Math.exp(score(query, key, head, from, to)));
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
