// DistilBERT: BERT without token types, under names of its own.
// Source: huggingface/transformers, models/distilbert/modeling_distilbert.py.
import { z } from 'zod';
import type { Encoder, EncoderLayer } from '../encoder.js';
import { activationOf, type ModelConfig, readFields, size } from './config.js';
import type { Weights } from './weights.js';

const fieldsSchema = z.object({
  dim: size,
  n_layers: size,
  n_heads: size,
  hidden_dim: size,
  vocab_size: size,
  max_position_embeddings: size,
  activation: z.string().default('gelu'),
});

// No field of config.json says it.
const EPSILON = 1e-12;

export async function readDistilBert(config: ModelConfig, weights: Weights): Promise<Encoder> {
  const fields = readFields(config, fieldsSchema);
  const { dim, n_heads: heads, hidden_dim: inner } = fields;
  const layers: EncoderLayer[] = [];
  for (let at = 0; at < fields.n_layers; at++) layers.push(await readLayer(weights, `transformer.layer.${at}`, dim, inner));
  return {
    hidden: dim,
    heads,
    inner,
    activation: activationOf(fields.activation),
    scale: 1 / Math.sqrt(dim / heads),
    words: await weights.table('embeddings.word_embeddings', fields.vocab_size, dim),
    positions: await weights.table('embeddings.position_embeddings', fields.max_position_embeddings, dim),
    embeddingNorm: await weights.norm('embeddings.LayerNorm', dim, EPSILON),
    layers,
  };
}

async function readLayer(weights: Weights, name: string, dim: number, inner: number): Promise<EncoderLayer> {
  const square = { inputs: dim, outputs: dim, bias: true };
  return {
    query: await weights.linear(`${name}.attention.q_lin`, square),
    key: await weights.linear(`${name}.attention.k_lin`, square),
    value: await weights.linear(`${name}.attention.v_lin`, square),
    output: await weights.linear(`${name}.attention.out_lin`, square),
    attentionNorm: await weights.norm(`${name}.sa_layer_norm`, dim, EPSILON),
    up: await weights.linear(`${name}.ffn.lin1`, { inputs: dim, outputs: inner, bias: true }),
    down: await weights.linear(`${name}.ffn.lin2`, { inputs: inner, outputs: dim, bias: true }),
    outputNorm: await weights.norm(`${name}.output_layer_norm`, dim, EPSILON),
  };
}
