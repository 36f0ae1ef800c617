// GTE: gated layers with biases, as transformers configures them and as the model's own code (type "new") does.
// Source: huggingface/transformers, models/gte and conversion_mapping.py; of NTK scaling, https://kexue.fm/archives/9706.
import { z } from 'zod';
import type { Encoder, Rotation } from '../encoder.js';
import { type ModelConfig, readFields, requireFields } from './config.js';
import { type GatedNames, gatedFields, PLAIN_NAMES, readGated, shapeOf } from './gated.js';
import { frequencies, rotationOf } from './rotation.js';
import type { Weights } from './weights.js';

const GTE_NAMES: GatedNames = {
  embeddingNorm: 'embeddings.LayerNorm',
  layer: (at) => `encoder.layer.${at}`,
  attention: { joined: 'attention.qkv_proj' },
  output: 'attention.o_proj',
  attentionNorm: 'attn_ln',
  feed: { joined: 'mlp.up_gate_proj' },
  down: 'mlp.down_proj',
  outputNorm: 'mlp_ln',
};

const THETA = 160_000;

export function readGte(config: ModelConfig, weights: Weights): Promise<Encoder> {
  const fields = readFields(config, gatedFields);
  const headSize = fields.hidden_size / fields.num_attention_heads;
  const isOwn = config['model_type'] === 'new';
  const rotation = isOwn ? ownRotation(config, headSize) : rotationOf(fields.rope_parameters, headSize, THETA);
  const names = weights.has('encoder.layer.0.attention.qkv_proj.weight') ? GTE_NAMES : PLAIN_NAMES;
  return readGated(shapeOf(fields, { rotation }, true), names, weights);
}

const ownFields = z.object({
  rope_theta: z.number().positive(),
  rope_scaling: z.object({ type: z.literal('ntk'), factor: z.number().positive(), mixed_b: z.null().optional() }).nullish(),
});

/** NTK scaling as that code has it: a larger base, and all angles smaller. */
function ownRotation(config: ModelConfig, size: number): Rotation {
  requireFields(config, {
    position_embedding_type: ['rope'],
    layer_norm_type: ['layer_norm'],
    logn_attention_scale: [false],
    pack_qkv: [true],
  });
  const { rope_theta: theta, rope_scaling: scaling } = readFields(config, ownFields);
  if (!scaling) return { frequencies: frequencies(theta, size), factor: 1 };
  const shrink = scaling.factor ** (2 / size);
  return { frequencies: frequencies(theta * scaling.factor, size).map((one) => one / shrink), factor: 1 };
}
