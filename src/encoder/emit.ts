// An Encoder becomes an ONNX graph that takes input_ids alone. How numbers are stored and multiplied comes in as an Arithmetic.
import { GraphBuilder } from '../onnx/build.js';
import { DATA_TYPE, type ModelProto } from '../onnx/proto.js';
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

/** How attention and the activation are written: the runtime's fused operators, or standard ONNX alone. */
export interface Form {
  /** rows x queries x hidden from query (already scaled), key and value. */
  attention(graph: GraphBuilder, encoder: Encoder, name: string, inputs: { query: string; key: string; value: string }): string;
  activation(graph: GraphBuilder, encoder: Encoder, name: string, value: string): string;
}

export interface EmitOptions {
  readonly form: Form;
  /**
   * cls: only the first token's vector is wanted, rows x hidden; the last layer then computes only its keys and values for
   * the other tokens, which changes no value. hidden: rows x width x hidden.
   */
  readonly output: 'cls' | 'hidden';
  /** Further values to give out, with their dimensions. */
  readonly taps?: readonly { readonly name: string; readonly dims: readonly (number | string)[] }[];
  /** Further int64 inputs of one dimension that taps read. */
  readonly indexInputs?: readonly string[];
}

// LayerNormalization came with opset 17.
export const OPSET = 17;
export const IDS = 'input_ids';
/** Name of the graph output. */
export const OUTPUT = 'embedding';

/** Emits the graph. Its input is int64 rows x width, all texts of one length. */
export function emitEncoder(encoder: Encoder, arithmetic: Arithmetic, options: EmitOptions, graph = new GraphBuilder()): ModelProto {
  graph.integers('axis.width', [1]);
  graph.integers('zero', [0]);
  graph.integers('one', [1]);
  let value = emitEmbedding(graph, encoder, arithmetic);
  encoder.layers.forEach((layer, at) => {
    const firstOnly = options.output === 'cls' && at === encoder.layers.length - 1;
    value = emitLayer({ graph, encoder, arithmetic, form: options.form, layer, at, firstOnly }, value);
  });
  const isRow = options.output === 'cls';
  graph.node(isRow ? 'Squeeze' : 'Identity', OUTPUT, isRow ? [value, 'axis.width'] : [value]);
  const indexInputs = (options.indexInputs ?? []).map((name) => ({ name, type: DATA_TYPE.INT64, dims: [name] }));
  const dims = isRow ? ['rows', encoder.hidden] : ['rows', 'width', encoder.hidden];
  return graph.model({
    inputs: [{ name: IDS, type: DATA_TYPE.INT64, dims: ['rows', 'width'] }, ...indexInputs],
    outputs: [{ name: OUTPUT, type: DATA_TYPE.FLOAT, dims }, ...(options.taps ?? []).map((tap) => ({ ...tap, type: DATA_TYPE.FLOAT }))],
    opset: OPSET,
  });
}

function emitEmbedding(graph: GraphBuilder, encoder: Encoder, arithmetic: Arithmetic): string {
  const { positions } = encoder;
  const words = arithmetic.words(graph, IDS);
  graph.constant('embedding.positions', positions.data, [positions.rows, positions.dim]);
  const shape = graph.node('Shape', 'embedding.shape', [IDS]);
  const width = graph.node('Gather', 'embedding.width', [shape, 'one']);
  const rows = graph.node('Slice', 'embedding.position_rows', ['embedding.positions', 'zero', width, 'zero']);
  const sum = graph.node('Add', 'embedding.sum', [words, rows]);
  return emitNorm(graph, 'embedding.norm', sum, encoder.embeddingNorm);
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
}

function emitLayer(context: LayerContext, input: string): string {
  const { graph, arithmetic, layer, at, form, encoder } = context;
  const name = `layer${at}`;
  const residual = context.firstOnly ? graph.node('Slice', `${name}.first`, [input, 'zero', 'one', 'axis.width']) : input;
  const attended = emitAttention(context, input, residual);
  const sum = emitSum(graph, `${name}.attention_sum`, attended, residual);
  const middle = emitNorm(graph, `${name}.attention_norm`, sum, layer.attentionNorm);
  const up: Site = { layer: at, kind: 'up' };
  const widened = arithmetic.linear(graph, up, 'up', arithmetic.enter(graph, up, `${name}.up`, middle));
  const active = form.activation(graph, encoder, `${name}.activation`, widened);
  const down: Site = { layer: at, kind: 'down' };
  const narrowed = arithmetic.linear(graph, down, 'down', arithmetic.enter(graph, down, `${name}.down`, active));
  return emitNorm(graph, `${name}.output_norm`, emitSum(graph, `${name}.output_sum`, narrowed, middle), layer.outputNorm);
}

function emitAttention({ graph, encoder, arithmetic, form, at, firstOnly }: LayerContext, input: string, residual: string): string {
  const name = `layer${at}`;
  const site: Site = { layer: at, kind: 'attention' };
  const entered = arithmetic.enter(graph, site, `${name}.attention`, input);
  const enteredQuery = firstOnly ? arithmetic.enter(graph, site, `${name}.attention_first`, residual) : entered;
  const query = arithmetic.linear(graph, site, 'query', enteredQuery);
  const key = arithmetic.linear(graph, site, 'key', entered);
  const value = arithmetic.linear(graph, site, 'value', entered);
  const context = form.attention(graph, encoder, name, { query, key, value });
  const output: Site = { layer: at, kind: 'context' };
  return arithmetic.linear(graph, output, 'output', arithmetic.enter(graph, output, `${name}.context`, context));
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
