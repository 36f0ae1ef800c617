// BERT's layers with rotary positions and a gate: what Nomic and GTE share, whatever their tensors are called.
// Source: huggingface/transformers, models/nomic_bert/modeling_nomic_bert.py and models/gte/modeling_gte.py.
import { z } from 'zod';
import type { Encoder, EncoderLayer, Linear, Places } from '../encoder.js';
import { activationOf, size } from './config.js';
import type { Weights } from './weights.js';

/** What the two families' configurations come to. */
export interface GatedShape {
  readonly hidden: number;
  readonly heads: number;
  readonly inner: number;
  readonly layers: number;
  readonly words: number;
  /** Token types; 0: none. */
  readonly types: number;
  readonly activation: string;
  readonly epsilon: number;
  readonly places: Places;
  /** Which maps add a bias. */
  readonly biases: { readonly attention: boolean; readonly up: boolean; readonly down: boolean };
}

/** The names of a layer's parts. */
export interface GatedNames {
  readonly embeddingNorm: string;
  readonly layer: (at: number) => string;
  /** Joined: query, key and value in this order. */
  readonly attention: { readonly joined: string } | { readonly query: string; readonly key: string; readonly value: string };
  readonly output: string;
  readonly attentionNorm: string;
  /** `up` is what the activation is applied to. Joined: the gate, then up. */
  readonly feed: { readonly joined: string } | { readonly up: string; readonly gate: string };
  readonly down: string;
  readonly outputNorm: string;
}

export async function readGated(shape: GatedShape, names: GatedNames, weights: Weights): Promise<Encoder> {
  const { hidden, heads, epsilon } = shape;
  const layers: EncoderLayer[] = [];
  for (let at = 0; at < shape.layers; at++) layers.push(await readLayer(shape, names, weights, names.layer(at)));
  const types = shape.types === 0 ? undefined : await weights.table('embeddings.token_type_embeddings', shape.types, hidden);
  return {
    hidden,
    heads,
    inner: shape.inner,
    activation: activationOf(shape.activation),
    scale: 1 / Math.sqrt(hidden / heads),
    words: await weights.table('embeddings.word_embeddings', shape.words, hidden),
    positions: undefined,
    ...(types === undefined ? {} : { types: types.data.slice(0, hidden) }),
    embeddingNorm: await weights.norm(names.embeddingNorm, hidden, epsilon),
    layers,
  };
}

async function readLayer(shape: GatedShape, names: GatedNames, weights: Weights, name: string): Promise<EncoderLayer> {
  const { hidden, inner, epsilon, places, biases } = shape;
  const [query, key, value] = (await readAttention(shape, names, weights, name)) as [Linear, Linear, Linear];
  const [up, gate] = (await readFeed(shape, names, weights, name)) as [Linear, Linear];
  return {
    query,
    key,
    value,
    output: await weights.linear(`${name}.${names.output}`, { inputs: hidden, outputs: hidden, bias: biases.attention }),
    attentionNorm: await weights.norm(`${name}.${names.attentionNorm}`, hidden, epsilon),
    up,
    gate,
    down: await weights.linear(`${name}.${names.down}`, { inputs: inner, outputs: hidden, bias: biases.down }),
    outputNorm: await weights.norm(`${name}.${names.outputNorm}`, hidden, epsilon),
    places,
  };
}

async function readAttention({ hidden, biases }: GatedShape, { attention }: GatedNames, weights: Weights, name: string): Promise<Linear[]> {
  const bias = biases.attention;
  if ('joined' in attention)
    return weights.linears(`${name}.${attention.joined}`, { inputs: hidden, outputs: [hidden, hidden, hidden], bias });
  const maps: Linear[] = [];
  for (const part of [attention.query, attention.key, attention.value]) {
    maps.push(await weights.linear(`${name}.${part}`, { inputs: hidden, outputs: hidden, bias }));
  }
  return maps;
}

/** up, then gate. */
async function readFeed({ hidden, inner, biases }: GatedShape, { feed }: GatedNames, weights: Weights, name: string): Promise<Linear[]> {
  const bias = biases.up;
  if ('joined' in feed)
    return (await weights.linears(`${name}.${feed.joined}`, { inputs: hidden, outputs: [inner, inner], bias })).reverse();
  const shape = { inputs: hidden, outputs: inner, bias };
  return [await weights.linear(`${name}.${feed.up}`, shape), await weights.linear(`${name}.${feed.gate}`, shape)];
}

/** The names of transformers' own code. */
export const PLAIN_NAMES: GatedNames = {
  embeddingNorm: 'embeddings.LayerNorm',
  layer: (at) => `layers.${at}`,
  attention: { query: 'self_attn.q_proj', key: 'self_attn.k_proj', value: 'self_attn.v_proj' },
  output: 'self_attn.o_proj',
  attentionNorm: 'post_attention_layernorm',
  feed: { up: 'mlp.gate_proj', gate: 'mlp.up_proj' },
  down: 'mlp.down_proj',
  outputNorm: 'post_mlp_layernorm',
};

/** What transformers calls the sizes of both. */
export const gatedFields = z.object({
  hidden_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  intermediate_size: size,
  vocab_size: size,
  type_vocab_size: z.number().int().min(0).max(64),
  hidden_act: z.string(),
  layer_norm_eps: z.number().positive().default(1e-12),
  rope_parameters: z.unknown(),
});

/** `hasBiases`: of attention and of what ends a layer; the maps into a gate have none. */
export function shapeOf(fields: z.infer<typeof gatedFields>, places: Places, hasBiases: boolean): GatedShape {
  return {
    hidden: fields.hidden_size,
    heads: fields.num_attention_heads,
    inner: fields.intermediate_size,
    layers: fields.num_hidden_layers,
    words: fields.vocab_size,
    types: fields.type_vocab_size,
    activation: fields.hidden_act,
    epsilon: fields.layer_norm_eps,
    places,
    biases: { attention: hasBiases, up: false, down: hasBiases },
  };
}
