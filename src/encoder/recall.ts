// An encoder that embedkit itself emitted, read back from its graph by the names of its weights and by what its metadata says of it.
import { z } from 'zod';
import { EmbedkitError } from '../errors.js';
import type { KnownGraph } from '../onnx/evaluate.js';
import { floatAttribute } from '../onnx/lookup.js';
import type { ModelProto } from '../onnx/proto.js';
import { checkEncoder } from './check.js';
import type { Encoder, EncoderLayer, LayerNorm, Linear, Places, Table } from './encoder.js';

/** Key in the metadata of a model. */
export const ENCODER_KEY = 'embedkit.encoder';

const traitsSchema = z.object({
  hidden: z.number().int().positive(),
  heads: z.number().int().positive(),
  inner: z.number().int().positive(),
  activation: z.enum(['gelu', 'gelu-tanh', 'relu', 'silu']),
  scale: z.number(),
  order: z.enum(['post', 'pre']),
  /** One a layer: which of `places` it sees by, or null. */
  layers: z.array(z.number().int().nonnegative().nullable()).max(1024),
  places: z.array(z.object({ factor: z.number().optional(), window: z.number().int().positive().optional() })),
});
type Traits = z.infer<typeof traitsSchema>;

/** What weights do not say of an encoder, for the metadata of its graph. */
export function describeEncoder(encoder: Encoder): string {
  const { hidden, heads, inner, activation, scale, order = 'post', layers } = encoder;
  const places = [...new Set(layers.map((layer) => layer.places))].filter((one) => one !== undefined);
  const traits: Traits = {
    ...{ hidden, heads, inner, activation, scale, order },
    layers: layers.map((layer) => (layer.places === undefined ? null : places.indexOf(layer.places))),
    places: places.map(({ rotation, window }) => ({
      ...(rotation === undefined ? {} : { factor: rotation.factor }),
      ...(window === undefined ? {} : { window }),
    })),
  };
  return JSON.stringify(traits);
}

/** The description in a model's metadata, if it has one. */
export function encoderDescription(model: ModelProto): string | undefined {
  return model.metadataProps?.find((entry) => entry.key === ENCODER_KEY)?.value ?? undefined;
}

/** Throws `model-invalid` where the graph is not as described, as one that was changed since may be. */
export function recallEncoder(graph: KnownGraph, description: string): Encoder {
  const traits = traitsOf(description);
  const weights = new GraphWeights(graph);
  const shared = traits.places.map((place, at) => placesAt(weights, place, at, traits));
  const { hidden, heads, inner, activation, scale, order } = traits;
  const encoder: Encoder = {
    ...{ hidden, heads, inner, activation, scale, order },
    words: weights.table('embedding.table'),
    positions: weights.has('embedding.positions') ? weights.table('embedding.positions') : undefined,
    ...(weights.has('embedding.types') ? { types: weights.values('embedding.types') } : {}),
    embeddingNorm: weights.norm('embedding.norm'),
    layers: traits.layers.map((place, at) => layerAt(weights, traits, at, place === null ? undefined : shared[place])),
    ...(weights.has('final_norm.gamma') ? { finalNorm: weights.norm('final_norm') } : {}),
  };
  checkEncoder(encoder);
  return encoder;
}

function traitsOf(description: string): Traits {
  try {
    return traitsSchema.parse(JSON.parse(description));
  } catch (error) {
    throw changed('its description of an encoder cannot be read', error);
  }
}

function layerAt(weights: GraphWeights, traits: Traits, at: number, places: Places | undefined): EncoderLayer {
  const name = `layer${at}`;
  const { hidden, inner } = traits;
  const linear = (part: string, inputs: number, outputs: number): Linear => weights.linear(`${name}.${part}`, inputs, outputs);
  return {
    query: linear('query', hidden, hidden),
    key: linear('key', hidden, hidden),
    value: linear('value', hidden, hidden),
    output: linear('output', hidden, hidden),
    attentionNorm: weights.has(`${name}.attention_norm.gamma`) ? weights.norm(`${name}.attention_norm`) : undefined,
    up: linear('up', hidden, inner),
    ...(weights.has(`${name}.gate.weight`) ? { gate: linear('gate', hidden, inner) } : {}),
    down: linear('down', inner, hidden),
    outputNorm: weights.norm(`${name}.output_norm`),
    ...(places === undefined ? {} : { places }),
  };
}

function placesAt(weights: GraphWeights, { factor, window }: Traits['places'][number], at: number, { heads }: Traits): Places {
  const name = `places${at}`;
  const byDistance = weights.has(`${name}.by_distance`) ? weights.values(`${name}.by_distance`) : undefined;
  return {
    ...(factor === undefined ? {} : { rotation: { frequencies: weights.values(`${name}.frequencies`), factor } }),
    ...(byDistance === undefined ? {} : { distances: { reach: (byDistance.length / heads - 1) / 2, data: byDistance } }),
    ...(window === undefined ? {} : { window }),
  };
}

/** Constants of the graph by the names that emit.ts gives them. */
class GraphWeights {
  constructor(private readonly graph: KnownGraph) {}

  has(name: string): boolean {
    return this.graph.constants.get(name)?.data instanceof Float32Array;
  }

  values(name: string): Float32Array {
    const data = this.graph.constants.get(name)?.data;
    if (data instanceof Float32Array) return data;
    throw changed(`it has no weights ${JSON.stringify(name)}`);
  }

  table(name: string): Table {
    const dims = this.graph.constants.get(name)?.dims ?? [];
    return { rows: dims[0] ?? 0, dim: dims[1] ?? 0, data: this.values(name) };
  }

  linear(name: string, inputs: number, outputs: number): Linear {
    return { inputs, outputs, weight: this.values(`${name}.weight`), bias: this.values(`${name}.bias`) };
  }

  norm(name: string): LayerNorm {
    const node = this.graph.producers.get(name);
    const epsilon = node?.opType === 'LayerNormalization' ? floatAttribute(node, 'epsilon') : undefined;
    if (epsilon === undefined) throw changed(`it has no normalisation ${JSON.stringify(name)}`);
    return { gamma: this.values(`${name}.gamma`), beta: this.values(`${name}.beta`), epsilon };
  }
}

function changed(what: string, cause?: unknown): EmbedkitError {
  return new EmbedkitError('model-invalid', `the graph is not as embedkit wrote it: ${what}`, { hint: 'export the model again', cause });
}
