// An Encoder becomes an ONNX graph that takes input_ids alone. How numbers are stored and multiplied comes in as an Arithmetic.
import { GraphBuilder } from '../onnx/build.js';
import { DATA_TYPE, type ModelProto } from '../onnx/proto.js';
import { type Angles, type EmittedPlaces, emitPlaces } from './emit-places.js';
import type { Encoder, EncoderLayer, LayerNorm } from './encoder.js';
import type { LinearName, Site } from './sites.js';

/** One way to look words up and to multiply by weights: fp32, fused INT8, QDQ. Returned strings name values of the graph. */
export interface Arithmetic {
  /** rows x width x hidden: the word table's rows of the ids. */
  words(graph: GraphBuilder, ids: string): string;
  /** Makes `value` what the linear maps of the site take; `name` is unique to the call. */
  enter(graph: GraphBuilder, site: Site, name: string, value: string): string;
  /** x W + b of what `enter` gave. */
  linear(graph: GraphBuilder, site: Site, linear: LinearName, entered: string): string;
}

export interface AttentionInputs {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly bias: string | undefined;
}

/** How attention and the activation are written: the runtime's fused operators, or standard ONNX alone. */
export interface Form {
  /** rows x queries x hidden from query, key and value; `bias` is added to the scaled products. */
  attention(graph: GraphBuilder, encoder: Encoder, name: string, inputs: AttentionInputs): string;
  /** Query or key of every token, turned. */
  rotate(graph: GraphBuilder, encoder: Encoder, name: string, value: string, angles: Angles): string;
  activation(graph: GraphBuilder, encoder: Encoder, name: string, value: string): string;
}

export interface EmitOptions {
  readonly form: Form;
  /**
   * cls: only the first token's vector is wanted, rows x hidden; the last layer then computes only its keys and values for
   * the other tokens, which changes no value. hidden: rows x width x hidden.
   */
  readonly output: 'cls' | 'hidden';
  /** What the model says of itself: key -> text. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Further values to give out, with their dimensions. */
  readonly taps?: readonly { readonly name: string; readonly dims: readonly (number | string)[] }[];
  /** Further int64 inputs of one dimension that taps read. */
  readonly indexInputs?: readonly string[];
}

// LayerNormalization came with opset 17.
export const OPSET = 17;
export const IDS = 'input_ids';
const WIDTH = 'embedding.width';
/** Name of the graph output. */
export const OUTPUT = 'embedding';

/** Emits the graph. Its input is int64 rows x width, all texts of one length. */
export function emitEncoder(encoder: Encoder, arithmetic: Arithmetic, options: EmitOptions, graph = new GraphBuilder()): ModelProto {
  graph.integers('axis.width', [1]);
  graph.integers('zero', [0]);
  graph.integers('one', [1]);
  let value = emitEmbedding(graph, encoder, arithmetic);
  const placesOf = placesEmitter(graph, encoder);
  encoder.layers.forEach((layer, at) => {
    const firstOnly = options.output === 'cls' && at === encoder.layers.length - 1;
    const places = placesOf(layer, firstOnly);
    value = emitLayer({ graph, encoder, arithmetic, form: options.form, layer, at, firstOnly, places }, value);
  });
  if (encoder.finalNorm !== undefined) value = emitNorm(graph, 'final_norm', value, encoder.finalNorm);
  const isRow = options.output === 'cls';
  graph.node(isRow ? 'Squeeze' : 'Identity', OUTPUT, isRow ? [value, 'axis.width'] : [value]);
  const indexInputs = (options.indexInputs ?? []).map((name) => ({ name, type: DATA_TYPE.INT64, dims: [name] }));
  const dims = isRow ? ['rows', encoder.hidden] : ['rows', 'width', encoder.hidden];
  return graph.model({
    inputs: [{ name: IDS, type: DATA_TYPE.INT64, dims: ['rows', 'width'] }, ...indexInputs],
    outputs: [{ name: OUTPUT, type: DATA_TYPE.FLOAT, dims }, ...(options.taps ?? []).map((tap) => ({ ...tap, type: DATA_TYPE.FLOAT }))],
    opset: OPSET,
    ...(options.metadata === undefined ? {} : { metadata: options.metadata }),
  });
}

function emitEmbedding(graph: GraphBuilder, encoder: Encoder, arithmetic: Arithmetic): string {
  const { positions, types } = encoder;
  const words = arithmetic.words(graph, IDS);
  if (positions !== undefined) graph.constant('embedding.positions', positions.data, [positions.rows, positions.dim]);
  const needsWidth = positions !== undefined || encoder.layers.some(({ places }) => places !== undefined);
  const shape = needsWidth ? graph.node('Shape', 'embedding.shape', [IDS]) : undefined;
  if (shape !== undefined) graph.node('Gather', WIDTH, [shape, 'one']);
  let sum = words;
  if (positions !== undefined) {
    const rows = graph.node('Slice', 'embedding.position_rows', ['embedding.positions', 'zero', WIDTH, 'zero']);
    sum = graph.node('Add', 'embedding.sum', [words, rows]);
  }
  if (types !== undefined) sum = graph.node('Add', 'embedding.typed', [sum, graph.constant('embedding.types', types)]);
  return emitNorm(graph, 'embedding.norm', sum, encoder.embeddingNorm);
}

const NOWHERE: EmittedPlaces = {};

/** Emits places when a layer first asks for them; layers that share them share the nodes. */
function placesEmitter(graph: GraphBuilder, encoder: Encoder): (layer: EncoderLayer, firstOnly: boolean) => EmittedPlaces {
  const all = [...new Set(encoder.layers.map((layer) => layer.places))].filter((one) => one !== undefined);
  const emitted = new Map<string, EmittedPlaces>();
  return ({ places }, firstOnly) => {
    if (places === undefined) return NOWHERE;
    const name = `places${all.indexOf(places)}${firstOnly ? '.first' : ''}`;
    const made = emitted.get(name) ?? emitPlaces(graph, places, { name, width: WIDTH, firstOnly });
    emitted.set(name, made);
    return made;
  };
}

interface LayerContext {
  readonly graph: GraphBuilder;
  readonly encoder: Encoder;
  readonly arithmetic: Arithmetic;
  readonly form: Form;
  readonly layer: EncoderLayer;
  readonly at: number;
  /** Whether what follows reads the first token alone. */
  readonly firstOnly: boolean;
  readonly places: EmittedPlaces;
}

function emitLayer(context: LayerContext, input: string): string {
  const { graph, layer, at, encoder } = context;
  const name = `layer${at}`;
  const residual = firstOf(context, `${name}.first`, input);
  if (encoder.order === 'pre') {
    const { attentionNorm } = layer;
    const read = attentionNorm === undefined ? input : emitNorm(graph, `${name}.attention_norm`, input, attentionNorm);
    const asking = attentionNorm === undefined ? residual : firstOf(context, `${name}.attention_first_norm`, read);
    const sum = emitSum(graph, `${name}.attention_sum`, emitAttention(context, read, asking), residual);
    return emitSum(graph, `${name}.output_sum`, emitFeed(context, emitNorm(graph, `${name}.output_norm`, sum, layer.outputNorm)), sum);
  }
  const sum = emitSum(graph, `${name}.attention_sum`, emitAttention(context, input, residual), residual);
  const middle = emitNorm(graph, `${name}.attention_norm`, sum, layer.attentionNorm as LayerNorm);
  return emitNorm(graph, `${name}.output_norm`, emitSum(graph, `${name}.output_sum`, emitFeed(context, middle), middle), layer.outputNorm);
}

function firstOf({ graph, firstOnly }: LayerContext, name: string, value: string): string {
  return firstOnly ? graph.node('Slice', name, [value, 'zero', 'one', 'axis.width']) : value;
}

function emitFeed({ graph, arithmetic, form, encoder, layer, at }: LayerContext, value: string): string {
  const name = `layer${at}`;
  const up: Site = { layer: at, kind: 'up' };
  const entered = arithmetic.enter(graph, up, `${name}.up`, value);
  const active = form.activation(graph, encoder, `${name}.activation`, arithmetic.linear(graph, up, 'up', entered));
  const gated =
    layer.gate === undefined ? active : graph.node('Mul', `${name}.gated`, [active, arithmetic.linear(graph, up, 'gate', entered)]);
  const down: Site = { layer: at, kind: 'down' };
  return arithmetic.linear(graph, down, 'down', arithmetic.enter(graph, down, `${name}.down`, gated));
}

function emitAttention({ graph, encoder, arithmetic, form, at, firstOnly, places }: LayerContext, input: string, asking: string): string {
  const name = `layer${at}`;
  const site: Site = { layer: at, kind: 'attention' };
  const { angles, bias } = places;
  const turned = (what: string, value: string): string =>
    angles === undefined ? value : form.rotate(graph, encoder, `${name}.${what}_turned`, value, angles);
  const entered = arithmetic.enter(graph, site, `${name}.attention`, input);
  const enteredQuery = firstOnly ? arithmetic.enter(graph, site, `${name}.attention_first`, asking) : entered;
  const query = arithmetic.linear(graph, site, 'query', enteredQuery);
  const key = arithmetic.linear(graph, site, 'key', entered);
  const value = arithmetic.linear(graph, site, 'value', entered);
  // The first token is turned by no angle, only by the factor.
  const factored = firstOnly
    ? emitFactor(graph, encoder.layers[at] as EncoderLayer, `${name}.query_scaled`, query)
    : turned('query', query);
  const context = form.attention(graph, encoder, name, { query: factored, key: turned('key', key), value, bias });
  const output: Site = { layer: at, kind: 'context' };
  return arithmetic.linear(graph, output, 'output', arithmetic.enter(graph, output, `${name}.context`, context));
}

function emitFactor(graph: GraphBuilder, { places }: EncoderLayer, name: string, query: string): string {
  const factor = places?.rotation?.factor ?? 1;
  return factor === 1 ? query : graph.node('Mul', name, [query, graph.scalar(`${name}.factor`, factor)]);
}

// Sum and not Add: the runtime's optimizer turns Add + LayerNormalization into SkipLayerNormalization, which is slower.
function emitSum(graph: GraphBuilder, name: string, a: string, b: string): string {
  return graph.node('Sum', name, [a, b]);
}

function emitNorm(graph: GraphBuilder, name: string, value: string, norm: LayerNorm): string {
  graph.constant(`${name}.gamma`, norm.gamma);
  graph.constant(`${name}.beta`, norm.beta);
  const attributes = { axis: -1, epsilon: { float: norm.epsilon } };
  return graph.node('LayerNormalization', name, [value, `${name}.gamma`, `${name}.beta`], { attributes });
}
