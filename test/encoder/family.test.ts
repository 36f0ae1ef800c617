// config.json and tensors become an Encoder: names as files of all kinds have them, and what is refused, by name.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Encoder } from '#src/encoder/encoder.js';
import type { ModelConfig } from '#src/encoder/family/config.js';
import { readEncoder } from '#src/encoder/family/read.js';
import { transposed, type WeightSource } from '#src/encoder/family/weights.js';
import { EmbedkitError } from '#src/errors.js';
import { openTensors } from '#src/safetensors/shards.js';
import { familyFolder } from '../model/families.js';

interface Held {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}
type Tensors = Map<string, Held>;

function sourceOf(tensors: Tensors): WeightSource {
  return { places: tensors, read: async (name) => tensors.get(name) as Held };
}

async function readFamily(name: string): Promise<{ config: ModelConfig; tensors: Tensors }> {
  const config = JSON.parse(readFileSync(join(familyFolder(name), 'config.json'), 'utf8'));
  const file = await openTensors(join(familyFolder(name), 'model.safetensors'));
  const tensors: Tensors = new Map();
  for (const key of file.places.keys()) tensors.set(key, await file.read(key));
  await file.close();
  return { config, tensors };
}

function renamed(tensors: Tensors, change: (name: string) => string): Tensors {
  return new Map([...tensors].map(([name, tensor]) => [change(name), tensor]));
}

let bert: { config: ModelConfig; tensors: Tensors };
let encoder: Encoder;

beforeAll(async () => {
  bert = await readFamily('bert');
  encoder = await readEncoder(bert.config, sourceOf(bert.tensors));
});

const read = (config: object, tensors: Tensors = bert.tensors): Promise<Encoder> =>
  readEncoder({ ...bert.config, ...config }, sourceOf(tensors));

describe('names', () => {
  it('below a prefix are the same encoder, with heads for other tasks left out', async () => {
    const tensors = renamed(bert.tensors, (name) => `bert.${name}`);
    tensors.set('cls.predictions.bias', { shape: [3], data: new Float32Array(3) });
    expect(await read({}, tensors)).toEqual(encoder);
  });

  it('of poolers and counted positions are passed over', async () => {
    const tensors = new Map(bert.tensors).set('pooler.dense.bias', { shape: [32], data: new Float32Array(32) });
    tensors.set('embeddings.position_ids', { shape: [1, 160], data: new Float32Array(160) });
    expect(await read({}, tensors)).toEqual(encoder);
  });

  it('of normalisations may be those of TensorFlow', async () => {
    const old = (name: string): string =>
      name.replace(/LayerNorm\.weight$/, 'LayerNorm.gamma').replace(/LayerNorm\.bias$/, 'LayerNorm.beta');
    expect(await read({}, renamed(bert.tensors, old))).toEqual(encoder);
  });

  /** Tensors that hold several maps, apart and under transformers' own names. */
  function apart(tensors: Tensors, joined: readonly (readonly [RegExp, readonly string[]])[], plain: (name: string) => string): Tensors {
    return new Map(
      [...tensors].flatMap(([name, { shape, data }]): [string, Held][] => {
        const rule = joined.find(([pattern]) => pattern.test(name));
        if (rule === undefined) return [[plain(name), { shape, data }]];
        const [pattern, parts] = rule;
        const count = data.length / parts.length;
        return parts.map((part, at) => [
          plain(name.replace(pattern, part)),
          { shape: [(shape[0] as number) / parts.length, ...shape.slice(1)], data: data.slice(at * count, (at + 1) * count) },
        ]);
      }),
    );
  }
  const QKV = ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'];

  it("of GTE are those of its own code or transformers'", async () => {
    const { config, tensors } = await readFamily('gte');
    const plain = apart(
      tensors,
      [
        [/attention\.qkv_proj/, QKV],
        [/mlp\.up_gate_proj/, ['mlp.up_proj', 'mlp.gate_proj']],
      ],
      (name) =>
        name
          .replace('encoder.layer.', 'layers.')
          .replace('attention.o_proj', 'self_attn.o_proj')
          .replace('attn_ln', 'post_attention_layernorm')
          .replace('mlp_ln', 'post_mlp_layernorm'),
    );
    expect(plain.has('layers.1.mlp.gate_proj.weight')).toBe(true);
    expect(await readEncoder(config, sourceOf(plain))).toEqual(await readEncoder(config, sourceOf(tensors)));
  });

  it('of Nomic too', async () => {
    const { config, tensors } = await readFamily('nomic-bert');
    const plain = apart(tensors, [[/attn\.Wqkv/, QKV]], (name) =>
      name
        .replace('encoder.layers.', 'layers.')
        .replace('emb_ln', 'embeddings.LayerNorm')
        .replace('attn.out_proj', 'self_attn.o_proj')
        .replace('fc11', 'up_proj')
        .replace('fc12', 'gate_proj')
        .replace('fc2', 'down_proj')
        .replace('norm1', 'post_attention_layernorm')
        .replace('norm2', 'post_mlp_layernorm'),
    );
    expect(plain.has('layers.1.self_attn.q_proj.weight')).toBe(true);
    expect(await readEncoder(config, sourceOf(plain))).toEqual(await readEncoder(config, sourceOf(tensors)));
  });
});

async function refusal(work: Promise<unknown>): Promise<EmbedkitError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(EmbedkitError);
  expect((error as EmbedkitError).hint).toBeDefined();
  return error as EmbedkitError;
}

const without = (name: string): Tensors => new Map([...bert.tensors].filter(([key]) => key !== name));
const withTensor = (name: string, shape: readonly number[], value = 0): Tensors =>
  new Map(bert.tensors).set(name, { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value) });

describe('what is refused, by name', () => {
  it.each([
    ['another family', { model_type: 't5' }, /asks for a model of type "t5"/],
    ['no family', { model_type: undefined }, /a model of type "undefined"/],
    ['a family out of the prototype', { model_type: 'constructor' }, /a model of type "constructor"/],
    ['relative positions', { position_embedding_type: 'relative_key' }, /position_embedding_type "relative_key"/],
    ['a decoder', { is_decoder: true }, /is_decoder true/],
    ['an unknown activation', { hidden_act: 'quick_gelu' }, /the activation "quick_gelu"/],
  ])('%s', async (_, config, sentence) => {
    const error = await refusal(read(config));
    expect([error.code, error.message]).toEqual(['model-unsupported', expect.stringMatching(sentence)]);
  });

  it.each([
    ['a size that is no number', { hidden_size: '32' }, /config.json: hidden_size/],
    ['a size of zero', { num_attention_heads: 0 }, /num_attention_heads/],
    ['a size beyond measure', { num_hidden_layers: 2 ** 40 }, /num_hidden_layers/],
    ['heads that do not divide the width', { num_attention_heads: 5 }, /5 heads do not divide a width of 32/],
    ['more layers than the weights have', { num_hidden_layers: 3 }, /the weights lack "encoder.layer.2/],
    ['another width than the weights have', { hidden_size: 64 }, /is of shape \[160, 32\] where config.json makes it \[160, 64\]/],
  ])('%s', async (_, config, sentence) => {
    const error = await refusal(read(config));
    expect([error.code, error.message]).toEqual(['model-invalid', expect.stringMatching(sentence)]);
  });

  it.each([
    ['a missing bias', () => without('encoder.layer.1.output.dense.bias'), /lack "encoder.layer.1.output.dense.bias"/],
    ['no word table', () => without('embeddings.word_embeddings.weight'), /no word table/],
    ['two encoders in one file', () => withTensor('other.embeddings.word_embeddings.weight', [1]), /2 word tables/],
    ['a layer that config.json leaves out', () => withTensor('encoder.layer.2.output.dense.bias', [32]), /no part of a bert encoder/],
    ['an adapter', () => withTensor('encoder.layer.0.attention.self.query.lora_A.weight', [4, 32]), /lora_A.weight", which is no part/],
    ['weights that are not finite', () => withTensor('encoder.layer.0.output.dense.bias', [32], Number.NaN), /down of layer 0 holds NaN/],
  ])('%s', async (_, tensors, sentence) => {
    expect((await refusal(read({}, tensors()))).message).toMatch(sentence);
  });

  it.each([
    [
      'modernbert',
      { rope_parameters: { full_attention: { rope_type: 'yarn' }, sliding_attention: {} } },
      /rotary positions of type "yarn"/,
    ],
    ['mpnet', { relative_attention_num_buckets: 64 }, /relative_attention_num_buckets 64/],
    ['nomic-bert', { rope_parameters: { rope_type: 'dynamic', factor: 2 } }, /rotary positions of type "dynamic"/],
    ['gte', { model_type: 'new', rope_theta: 1, position_embedding_type: 'absolute' }, /position_embedding_type "absolute"/],
  ])('%s with what it may also have', async (name, change, sentence) => {
    const { config, tensors } = await readFamily(name);
    expect((await refusal(readEncoder({ ...config, ...change }, sourceOf(tensors)))).message).toMatch(sentence);
  });
});

describe("configurations of the models' own code", () => {
  it('of Nomic are the same encoder', async () => {
    const { config, tensors } = await readFamily('nomic-bert');
    const own = {
      ...{ model_type: 'nomic_bert', n_embd: 32, n_head: 4, n_inner: 48, n_layer: 2, vocab_size: config['vocab_size'], type_vocab_size: 2 },
      ...{ rotary_emb_base: 1000, rotary_emb_fraction: 1, activation_function: 'swiglu', qkv_proj_bias: false },
      ...{ mlp_fc1_bias: false, mlp_fc2_bias: false, prenorm: false, rotary_scaling_factor: null, layer_norm_epsilon: 1e-12 },
    };
    expect(await readEncoder(own, sourceOf(tensors))).toEqual(await readEncoder(config, sourceOf(tensors)));
    const scaled = { ...own, rotary_scaling_factor: 2 };
    expect((await refusal(readEncoder(scaled, sourceOf(tensors)))).message).toContain('rotary_scaling_factor 2');
  });

  it('of GTE scale angles as NTK does', async () => {
    const { config, tensors } = await readFamily('gte');
    const own = { ...config, model_type: 'new', rope_theta: 20_000, rope_scaling: { type: 'ntk', factor: 8 } };
    const { layers } = await readEncoder(own, sourceOf(tensors));
    const expected = [0, 2, 4, 6].map((two) => (20_000 * 8) ** (-two / 8) / 8 ** (2 / 8));
    const found = layers[0]?.places?.rotation?.frequencies ?? new Float32Array(0);
    expect(found).toHaveLength(4);
    found.forEach((value, at) => {
      expect(value / (expected[at] as number)).toBeCloseTo(1, 6);
    });
  });
});

it('turns matrices of any shape', () => {
  for (const [rows, columns] of [
    [1, 7],
    [33, 31],
    [64, 96],
    [5, 1],
  ] as const) {
    const values = Float32Array.from({ length: rows * columns }, (_, at) => at);
    const turned = transposed(values, rows, columns);
    const expected = Float32Array.from(values, (_, at) => values[(at % rows) * columns + Math.floor(at / rows)] as number);
    expect(turned).toEqual(expected);
  }
});
