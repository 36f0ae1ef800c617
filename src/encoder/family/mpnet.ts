// MPNet: BERT with a bias of attention by the distance of two tokens, one for all layers, and without token types.
// Source: huggingface/transformers, models/mpnet/modeling_mpnet.py.
import type { Distances, Encoder, EncoderLayer } from '../encoder.js';
import { bertFields, readFeed, readFrame } from './bert.js';
import { type ModelConfig, readFields, requireFields, rowsFrom } from './config.js';
import type { Weights } from './weights.js';

// The source computes with these whatever config.json says.
const BUCKETS = 32;
const MAX_DISTANCE = 128;
const FIRST_POSITION = 2;

const mpnetFields = bertFields.omit({ type_vocab_size: true });

export async function readMpnet(config: ModelConfig, weights: Weights): Promise<Encoder> {
  requireFields(config, { relative_attention_num_buckets: [BUCKETS] });
  const fields = readFields(config, mpnetFields);
  const { hidden_size: hidden, num_attention_heads: heads, layer_norm_eps: epsilon } = fields;
  const square = { inputs: hidden, outputs: hidden, bias: true };
  const positions = rowsFrom(await weights.table('embeddings.position_embeddings', fields.max_position_embeddings, hidden), FIRST_POSITION);
  const buckets = await weights.values('encoder.relative_attention_bias.weight', [BUCKETS, heads]);
  const places = { distances: spread(buckets, heads, positions.rows - 1) };
  const layers: EncoderLayer[] = [];
  for (let at = 0; at < fields.num_hidden_layers; at++) {
    const name = `encoder.layer.${at}`;
    layers.push({
      query: await weights.linear(`${name}.attention.attn.q`, square),
      key: await weights.linear(`${name}.attention.attn.k`, square),
      value: await weights.linear(`${name}.attention.attn.v`, square),
      output: await weights.linear(`${name}.attention.attn.o`, square),
      attentionNorm: await weights.norm(`${name}.attention.LayerNorm`, hidden, epsilon),
      ...(await readFeed(fields, weights, name)),
      outputNorm: await weights.norm(`${name}.output.LayerNorm`, hidden, epsilon),
      places,
    });
  }
  return { ...(await readFrame(fields, weights)), positions, layers };
}

/** buckets x heads -> a value for every distance up to `reach`. */
function spread(buckets: Float32Array, heads: number, reach: number): Distances {
  const columns = 2 * reach + 1;
  const data = new Float32Array(heads * columns);
  for (let column = 0; column < columns; column++) {
    const bucket = bucketOf(column - reach);
    for (let head = 0; head < heads; head++) data[head * columns + column] = buckets[bucket * heads + head] as number;
  }
  return { reach, data };
}

/** Near distances have buckets of their own, far ones share them by their logarithm, rounded as the source does in float32. */
function bucketOf(distance: number): number {
  const half = BUCKETS / 2;
  const exact = half / 2;
  const side = distance > 0 ? half : 0;
  const apart = Math.abs(distance);
  if (apart < exact) return side + apart;
  const share = Math.fround(Math.fround(Math.log(apart / exact)) / Math.fround(Math.log(MAX_DISTANCE / exact)));
  return side + Math.min(exact + Math.floor(Math.fround(share * exact)), half - 1);
}
