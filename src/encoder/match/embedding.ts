// The foot of the encoder: words, positions and token types looked up, summed and normalised.
import type { Constant } from '../../onnx/constant.js';
import type { KnownGraph } from '../../onnx/evaluate.js';
import { floatAttribute } from '../../onnx/lookup.js';
import type { NodeProto } from '../../onnx/proto.js';
import type { Encoder, LayerNorm, Table } from '../encoder.js';
import { matchNorm } from './norm.js';
import { type Lookup, lookupOf } from './table.js';
import { addendsOf, contradiction, producerOf, unrecognised, weightOf } from './trace.js';

export type EmbeddingMatch = Pick<Encoder, 'words' | 'positions' | 'embeddingNorm'>;

/** The embedding that gives the value; undefined where it is none. */
export function matchEmbedding(graph: KnownGraph, name: string): EmbeddingMatch | undefined {
  const node = producerOf(graph, name);
  if (node?.opType === 'EmbedLayerNormalization') return fused(graph, node);
  const match = matchNorm(graph, name);
  if (match === undefined) return undefined;
  const { values, constants } = addendsOf(graph, match.terms);
  const lookups = values.map((value) => lookupOf(graph, value));
  if (lookups.every((lookup) => lookup === undefined)) return undefined;
  const missing = lookups.indexOf(undefined);
  if (missing >= 0) throw unrecognised(graph, 'a part of the embedding', values[missing] as string);
  return joined(graph, name, { lookups: lookups as Lookup[], constants, norm: match.norm });
}

interface Parts {
  readonly lookups: readonly Lookup[];
  readonly constants: readonly Constant<Float32Array>[];
  readonly norm: LayerNorm;
}

function joined(graph: KnownGraph, name: string, { lookups, constants, norm }: Parts): EmbeddingMatch {
  const words = lookups.filter((lookup) => lookup.kind === 'word');
  const [word] = words;
  const position = lookups.find((lookup) => lookup.kind === 'position')?.table ?? constants.map(asTable).find((table) => table.rows > 1);
  if (word === undefined || words.length > 1)
    throw unrecognised(graph, `the word table among ${words.length} tables looked up by an input`, name);
  if (position === undefined) throw unrecognised(graph, 'the table of positions', name);
  const rows = [
    ...lookups.filter((lookup) => lookup.kind === 'type').map((lookup) => lookup.table),
    ...constants.map(asTable).filter((table) => table.rows === 1),
  ];
  return { words: word.table, positions: rows.reduce(withFirstRow, position), embeddingNorm: norm };
}

/** A constant of the sum: all its leading axes as one. */
function asTable({ dims, data }: Constant<Float32Array>): Table {
  const dim = dims.at(-1) ?? 1;
  return { rows: data.length / dim, dim, data };
}

/** Adds the first row of the types to every position. */
function withFirstRow(positions: Table, types: Table): Table {
  const { dim } = positions;
  if (types.dim !== dim) throw contradiction(`token types of ${types.dim} values are added to positions of ${dim}`);
  return { ...positions, data: positions.data.map((value, at) => value + (types.data[at % dim] as number)) };
}

/** com.microsoft EmbedLayerNormalization. Source: ONNX Runtime docs/ContribOperators.md. */
function fused(graph: KnownGraph, node: NodeProto): EmbeddingMatch {
  const [, , words, positions, types, gamma, beta] = (node.input ?? []).map((name) => weightOf(graph, name));
  if (!words || !positions || !gamma || !beta) throw unrecognised(graph, 'the embedding', String(node.output?.[0]));
  const norm = { gamma: gamma.data, beta: beta.data, epsilon: floatAttribute(node, 'epsilon') ?? 1e-12 };
  const table = asTable(positions);
  return { words: asTable(words), positions: types === undefined ? table : withFirstRow(table, asTable(types)), embeddingNorm: norm };
}
