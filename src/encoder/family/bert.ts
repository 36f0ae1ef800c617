// BERT, and RoBERTa, XLM-RoBERTa and CamemBERT, which differ from it in where positions begin.
// Source: huggingface/transformers, models/bert/modeling_bert.py and models/roberta/modeling_roberta.py.
import { z } from 'zod';
import type { Encoder, EncoderLayer } from '../encoder.js';
import { activationOf, type ModelConfig, readFields, requireFields, rowsFrom, size } from './config.js';
import type { Weights } from './weights.js';

export const bertFields = z.object({
  hidden_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  intermediate_size: size,
  vocab_size: size,
  max_position_embeddings: size,
  type_vocab_size: size.default(2),
  hidden_act: z.string().default('gelu'),
  layer_norm_eps: z.number().positive().default(1e-12),
});
type BertFields = z.infer<typeof bertFields>;

/** `start`: the row of the first token's position. */
export async function readBert(config: ModelConfig, weights: Weights, start = 0): Promise<Encoder> {
  requireFields(config, { position_embedding_type: ['absolute'], is_decoder: [false], add_cross_attention: [false] });
  const fields = readFields(config, bertFields);
  const { hidden_size: hidden } = fields;
  const positions = rowsFrom(await weights.table('embeddings.position_embeddings', fields.max_position_embeddings, hidden), start);
  const types = await weights.table('embeddings.token_type_embeddings', fields.type_vocab_size, hidden);
  const layers: EncoderLayer[] = [];
  for (let at = 0; at < fields.num_hidden_layers; at++) layers.push(await readLayer(fields, weights, `encoder.layer.${at}`));
  return {
    ...(await readFrame(fields, weights)),
    positions,
    // Apart from the positions: their sum may be none that FP16 can hold.
    types: types.data.slice(0, hidden),
    layers,
  };
}

type Frame = Pick<Encoder, 'hidden' | 'heads' | 'inner' | 'activation' | 'scale' | 'words' | 'embeddingNorm'>;

/** What stands around the layers, whatever positions and types there are. */
export async function readFrame(fields: Omit<BertFields, 'type_vocab_size'>, weights: Weights): Promise<Frame> {
  const { hidden_size: hidden, num_attention_heads: heads, layer_norm_eps: epsilon } = fields;
  return {
    hidden,
    heads,
    inner: fields.intermediate_size,
    activation: activationOf(fields.hidden_act),
    scale: 1 / Math.sqrt(hidden / heads),
    words: await weights.table('embeddings.word_embeddings', fields.vocab_size, hidden),
    embeddingNorm: await weights.norm('embeddings.LayerNorm', hidden, epsilon),
  };
}

const paddingField = z.object({ pad_token_id: z.number().int().min(0).max(64).default(1) });

/** Positions are numbered from the padding id on: the rows up to it belong to no token of a text. */
export function readRoberta(config: ModelConfig, weights: Weights): Promise<Encoder> {
  return readBert(config, weights, readFields(config, paddingField).pad_token_id + 1);
}

async function readLayer(fields: BertFields, weights: Weights, name: string): Promise<EncoderLayer> {
  const { hidden_size: hidden, layer_norm_eps: epsilon } = fields;
  const square = { inputs: hidden, outputs: hidden, bias: true };
  return {
    query: await weights.linear(`${name}.attention.self.query`, square),
    key: await weights.linear(`${name}.attention.self.key`, square),
    value: await weights.linear(`${name}.attention.self.value`, square),
    output: await weights.linear(`${name}.attention.output.dense`, square),
    attentionNorm: await weights.norm(`${name}.attention.output.LayerNorm`, hidden, epsilon),
    ...(await readFeed(fields, weights, name)),
    outputNorm: await weights.norm(`${name}.output.LayerNorm`, hidden, epsilon),
  };
}

type FeedSizes = Pick<BertFields, 'hidden_size' | 'intermediate_size'>;

export async function readFeed(sizes: FeedSizes, weights: Weights, name: string): Promise<Pick<EncoderLayer, 'up' | 'down'>> {
  const { hidden_size: hidden, intermediate_size: inner } = sizes;
  return {
    up: await weights.linear(`${name}.intermediate.dense`, { inputs: hidden, outputs: inner, bias: true }),
    down: await weights.linear(`${name}.output.dense`, { inputs: inner, outputs: hidden, bias: true }),
  };
}
