// A small encoder of seeded random weights, texts for it, and integers for it; no model that anyone trained.
import type { Activation, Encoder, EncoderLayer, LayerNorm, Linear, Table } from '#src/encoder/encoder.js';
import type { QuantizedInput, QuantizedLinear, QuantizedParts, QuantizedSite } from '#src/encoder/quantized.js';
import { type LinearName, linearOf, linearsAt, type Site, siteName, sitesOf } from '#src/encoder/sites.js';
import { quantizedInput } from '#src/quantize/activations.js';
import type { IdBatch } from '#src/quantize/observe.js';
import { quantizeWeights, type WeightRange } from '#src/quantize/weights.js';
import { quantizeRows } from '#src/quantize/words.js';
import { floats, scales, wholes } from '../reference/values.js';

export interface RandomEncoder {
  readonly seed?: number;
  readonly layers?: number;
  readonly hidden?: number;
  readonly heads?: number;
  readonly inner?: number;
  readonly words?: number;
  readonly positions?: number;
  readonly activation?: Activation;
}

/** Weights of both signs such that values stay near 1 and attention is far from even. */
export function randomEncoder(sizes: RandomEncoder = {}): Encoder {
  const { layers = 2, hidden = 32, heads = 4, inner = 64, words = 50, positions = 60, activation = 'gelu' } = sizes;
  let seed = (sizes.seed ?? 1) * 10_000;
  const draw = (dims: readonly number[], spread: number): Float32Array => floats(seed++, dims, spread).data as Float32Array;
  const linear = (inputs: number, outputs: number): Linear => {
    const weight = draw([inputs, outputs], 3 / Math.sqrt(inputs));
    return { inputs, outputs, weight, bias: draw([outputs], 0.5) };
  };
  const norm = (): LayerNorm => ({
    gamma: scales(seed++, [hidden], 1.5).data as Float32Array,
    beta: draw([hidden], 0.3),
    epsilon: Math.fround(1e-12),
  });
  const table = (rows: number): Table => ({ rows, dim: hidden, data: draw([rows, hidden], 1) });
  const layer = (): EncoderLayer => ({
    query: linear(hidden, hidden),
    key: linear(hidden, hidden),
    value: linear(hidden, hidden),
    output: linear(hidden, hidden),
    attentionNorm: norm(),
    up: linear(hidden, inner),
    down: linear(inner, hidden),
    outputNorm: norm(),
  });
  const embedding = { words: table(words), positions: table(positions), embeddingNorm: norm() };
  const scale = 1 / Math.sqrt(hidden / heads);
  return { hidden, heads, inner, activation, scale, ...embedding, layers: Array.from({ length: layers }, layer) };
}

/** Texts of random ids. */
export function randomBatch(encoder: Encoder, rows: number, width: number, seed = 7): IdBatch {
  const drawn = wholes(seed, 'int32', [2 + rows * width], 0, encoder.words.rows - 1).data as Int32Array;
  // The first two are always the lowest and the highest.
  return { ids: drawn.slice(2), rows, width };
}

/** Text `row` of a batch, alone. */
export function textOf({ ids, width }: IdBatch, row: number): IdBatch {
  return { ids: ids.slice(row * width, (row + 1) * width), rows: 1, width };
}

/** Texts of one width as one batch. */
export function joined(texts: readonly IdBatch[]): IdBatch {
  const ids = Int32Array.from(texts.flatMap((text) => [...text.ids]));
  return { ids, rows: texts.length, width: texts[0]?.width ?? 0 };
}

/** Ranges that some values pass, so that integers saturate at both ends. */
const RANGES = { attention: [-2, 2.5], context: [-1.5, 1.5], up: [-2, 2], down: [-0.17, 3] } as const;

export interface RandomParts {
  readonly weights?: WeightRange;
  /** Factor of the ranges: from 4 on hardly a value is cut off. */
  readonly reach?: number;
}

/** Integers of every site by fixed ranges, and with pre-scaling everywhere but for the context: no search, no calibration. */
export function randomParts(encoder: Encoder, options: RandomParts = {}): QuantizedParts {
  const sites = sitesOf(encoder).map((site, at): [string, QuantizedSite] => [siteName(site), randomSite(encoder, site, at, options)]);
  return { words: quantizeRows(encoder.words), sites: new Map(sites) };
}

function randomSite(encoder: Encoder, site: Site, seed: number, { weights = 'safe', reach = 1 }: RandomParts): QuantizedSite {
  const channels = site.kind === 'down' ? encoder.inner : encoder.hidden;
  const divisor = site.kind === 'context' ? undefined : (scales(900 + seed, [channels], 1.2).data as Float32Array).map((one) => one + 0.5);
  const [low, high] = RANGES[site.kind];
  const input: QuantizedInput = quantizedInput({ low: low * reach, high: high * reach }, divisor);
  const linears = linearsAt(encoder, site).map((name): [LinearName, QuantizedLinear] => {
    const linear = linearOf(encoder, site, name);
    const weight = linear.weight.map((value, place) => value * (divisor?.[Math.floor(place / linear.outputs)] ?? 1));
    return [name, { ...linear, ...quantizeWeights({ ...linear, weight }, weights, new Float32Array(channels).fill(1)) }];
  });
  return { input, linears: Object.fromEntries(linears) };
}
