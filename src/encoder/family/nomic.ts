// Nomic: gated layers without biases, as transformers names and configures them and as the model's own code does.
// Source: huggingface/transformers, models/nomic_bert and conversion_mapping.py.
import { z } from 'zod';
import type { Encoder } from '../encoder.js';
import { type ModelConfig, readFields, requireFields, size } from './config.js';
import { type GatedNames, type GatedShape, gatedFields, PLAIN_NAMES, readGated, shapeOf } from './gated.js';
import { rotationOf } from './rotation.js';
import type { Weights } from './weights.js';

const NOMIC_NAMES: GatedNames = {
  embeddingNorm: 'emb_ln',
  layer: (at) => `encoder.layers.${at}`,
  attention: { joined: 'attn.Wqkv' },
  output: 'attn.out_proj',
  attentionNorm: 'norm1',
  feed: { up: 'mlp.fc12', gate: 'mlp.fc11' },
  down: 'mlp.fc2',
  outputNorm: 'norm2',
};

/** Fields of the model's own code, which are GPT-2's. */
const ownFields = z.object({
  n_embd: size,
  n_layer: size,
  n_head: size,
  n_inner: size,
  vocab_size: size,
  type_vocab_size: z.number().int().min(0).max(64).default(2),
  layer_norm_epsilon: z.number().positive().default(1e-12),
  rotary_emb_base: z.number().positive().default(10_000),
  activation_function: z.string().default('swiglu'),
  qkv_proj_bias: z.boolean().default(true),
  mlp_fc1_bias: z.boolean().default(true),
  mlp_fc2_bias: z.boolean().default(true),
});

const GATED_ACTIVATIONS: Readonly<Record<string, string>> = { swiglu: 'silu', geglu: 'gelu' };
const THETA = 1000;

export function readNomic(config: ModelConfig, weights: Weights): Promise<Encoder> {
  const names = weights.has('emb_ln.weight') ? NOMIC_NAMES : PLAIN_NAMES;
  return readGated('n_embd' in config ? ownShape(config) : plainShape(config), names, weights);
}

function plainShape(config: ModelConfig): GatedShape {
  const fields = readFields(config, gatedFields);
  const headSize = fields.hidden_size / fields.num_attention_heads;
  requireFields(config, { head_dim: [headSize] });
  return shapeOf(fields, { rotation: rotationOf(fields.rope_parameters, headSize, THETA) }, false);
}

function ownShape(config: ModelConfig): GatedShape {
  requireFields(config, {
    rotary_emb_fraction: [1],
    rotary_emb_interleaved: [false],
    rotary_emb_scale_base: [],
    rotary_scaling_factor: [],
    prenorm: [false],
    parallel_block: [false],
    use_rms_norm: [false],
    causal: [false],
    num_experts: [0],
    moe_every_n_layers: [0],
    activation_function: Object.keys(GATED_ACTIVATIONS),
  });
  const fields = readFields(config, ownFields);
  const { n_embd: hidden, n_head: heads, rotary_emb_base: rope_theta } = fields;
  return {
    hidden,
    heads,
    inner: fields.n_inner,
    layers: fields.n_layer,
    words: fields.vocab_size,
    types: fields.type_vocab_size,
    activation: GATED_ACTIVATIONS[fields.activation_function] as string,
    epsilon: fields.layer_norm_epsilon,
    places: { rotation: rotationOf({ rope_theta }, hidden / heads, THETA) },
    biases: { attention: fields.qkv_proj_bias, up: fields.mlp_fc1_bias, down: fields.mlp_fc2_bias },
  };
}
