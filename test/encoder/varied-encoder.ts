// Random encoders with what BERT has not: distances, rotation, gates, windows, normalisation before the branches.
import type { Encoder, EncoderLayer, Linear, Places } from '#src/encoder/encoder.js';
import { floats } from '../reference/values.js';
import { randomEncoder } from './random-encoder.js';

const HIDDEN = 32;
const HEADS = 4;
const INNER = 64;

const draw = (seed: number, count: number, spread: number): Float32Array => floats(seed, [count], spread).data as Float32Array;

const rotation = (base: number, factor = 1): NonNullable<Places['rotation']> => ({
  frequencies: Float32Array.from({ length: HIDDEN / HEADS / 2 }, (_, at) => base ** (-at / 4)),
  factor,
});

const gate = (seed: number): Linear => ({
  inputs: HIDDEN,
  outputs: INNER,
  weight: draw(seed, HIDDEN * INNER, 0.5),
  bias: draw(seed + 1, INNER, 0.5),
});

function changed(base: Encoder, layer: (one: EncoderLayer, at: number) => EncoderLayer): Encoder {
  return { ...base, layers: base.layers.map(layer) };
}

function withDistances(): Encoder {
  const base = randomEncoder({ layers: 2, seed: 3 });
  const places = { distances: { reach: 59, data: draw(77, HEADS * 119, 2) } };
  return changed(base, (layer) => ({ ...layer, places }));
}

function gatedAndTurned(): Encoder {
  const places = { rotation: rotation(100) };
  const base = { ...randomEncoder({ layers: 2, seed: 4, activation: 'silu' }), positions: undefined, types: draw(5, HIDDEN, 1) };
  return changed(base, (layer, at) => ({ ...layer, gate: gate(90 + at), places }));
}

function normalisedBefore(): Encoder {
  const random = randomEncoder({ layers: 3, seed: 6 });
  const [full, near] = [{ rotation: rotation(1000, 1.25) }, { rotation: rotation(10), window: 3 }];
  const base: Encoder = { ...random, positions: undefined, order: 'pre', finalNorm: random.embeddingNorm };
  return changed(base, (layer, at) => ({
    ...layer,
    attentionNorm: at === 0 ? undefined : layer.attentionNorm,
    gate: gate(190 + at),
    places: at === 1 ? near : full,
  }));
}

/** A window and distances at once, which the families do not have, but the data may. */
function windowAndDistances(): Encoder {
  const base = withDistances();
  const places = { ...base.layers[0]?.places, window: 2 };
  return changed(base, (layer) => ({ ...layer, places }));
}

export const VARIED: Readonly<Record<string, () => Encoder>> = {
  'distances (MPNet)': withDistances,
  'rotation and gates (Nomic, GTE)': gatedAndTurned,
  'normalisation before, windows (ModernBERT)': normalisedBefore,
  'a window and distances': windowAndDistances,
};
