// ModernBERT: normalised before each branch, gated, with rotary positions and windows of attention in most layers.
// Source: huggingface/transformers, models/modernbert/modeling_modernbert.py.
import { z } from 'zod';
import type { Encoder, EncoderLayer, Linear, Places } from '../encoder.js';
import { activationOf, type ModelConfig, readFields, size } from './config.js';
import { rotationOf } from './rotation.js';
import type { Weights } from './weights.js';

const fieldsSchema = z.object({
  hidden_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  intermediate_size: size,
  vocab_size: size,
  hidden_activation: z.string().default('gelu'),
  norm_eps: z.number().positive().default(1e-5),
  norm_bias: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  /** The whole window: half of it to each side. */
  local_attention: z.number().int().min(2).default(128),
  layer_types: z.array(z.enum(['full_attention', 'sliding_attention'])).optional(),
  global_attn_every_n_layers: z.number().int().min(1).default(3),
  rope_parameters: z.object({ full_attention: z.unknown(), sliding_attention: z.unknown() }).optional(),
  global_rope_theta: z.number().positive().default(160_000),
  local_rope_theta: z.number().positive().default(10_000),
});
type Fields = z.infer<typeof fieldsSchema>;

export async function readModernBert(config: ModelConfig, weights: Weights): Promise<Encoder> {
  const fields = readFields(config, fieldsSchema);
  const { hidden_size: hidden, num_attention_heads: heads } = fields;
  const placesOf = placesBy(fields, hidden / heads);
  const layers: EncoderLayer[] = [];
  for (let at = 0; at < fields.num_hidden_layers; at++) layers.push(await readLayer(fields, weights, at, placesOf(at)));
  const bias = { bias: fields.norm_bias };
  return {
    hidden,
    heads,
    order: 'pre',
    inner: fields.intermediate_size,
    activation: activationOf(fields.hidden_activation),
    scale: 1 / Math.sqrt(hidden / heads),
    words: await weights.table('embeddings.tok_embeddings', fields.vocab_size, hidden),
    positions: undefined,
    embeddingNorm: await weights.norm('embeddings.norm', hidden, fields.norm_eps, bias),
    layers,
    finalNorm: await weights.norm('final_norm', hidden, fields.norm_eps, bias),
  };
}

/** Layer -> how it sees places; layers of one kind share one object. */
function placesBy(fields: Fields, headSize: number): (at: number) => Places {
  const { rope_parameters: rope, global_rope_theta: theta, local_rope_theta: localTheta, local_attention: window } = fields;
  const full: Places = { rotation: rotationOf(rope?.full_attention, headSize, theta) };
  const sliding: Places = { rotation: rotationOf(rope?.sliding_attention, headSize, localTheta), window: Math.floor(window / 2) };
  return (at) => {
    const type = fields.layer_types?.[at] ?? (at % fields.global_attn_every_n_layers === 0 ? 'full_attention' : 'sliding_attention');
    return type === 'full_attention' ? full : sliding;
  };
}

async function readLayer(fields: Fields, weights: Weights, at: number, places: Places): Promise<EncoderLayer> {
  const { hidden_size: hidden, intermediate_size: inner, norm_eps: epsilon, attention_bias, mlp_bias } = fields;
  const name = `layers.${at}`;
  const norm = { bias: fields.norm_bias };
  const joined = { inputs: hidden, outputs: [hidden, hidden, hidden], bias: attention_bias };
  const [query, key, value] = (await weights.linears(`${name}.attn.Wqkv`, joined)) as [Linear, Linear, Linear];
  const wide = { inputs: hidden, outputs: [inner, inner], bias: mlp_bias };
  const [up, gate] = (await weights.linears(`${name}.mlp.Wi`, wide)) as [Linear, Linear];
  return {
    query,
    key,
    value,
    output: await weights.linear(`${name}.attn.Wo`, { inputs: hidden, outputs: hidden, bias: attention_bias }),
    // The embedding's own normalisation is the first layer's.
    attentionNorm: at === 0 ? undefined : await weights.norm(`${name}.attn_norm`, hidden, epsilon, norm),
    up,
    gate,
    down: await weights.linear(`${name}.mlp.Wo`, { inputs: inner, outputs: hidden, bias: mlp_bias }),
    outputNorm: await weights.norm(`${name}.mlp_norm`, hidden, epsilon, norm),
    places,
  };
}
