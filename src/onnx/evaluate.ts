// The constants of a graph: stored ones and those computed from them, shapes as far as they are known; knows nothing of transformers.
import { EmbedkitError } from '../errors.js';
import { type Constant, readConstant } from './constant.js';
import { type Dims, inferDims, shapeValue } from './dims.js';
import {
  describeNode,
  floatAttribute,
  floatsAttribute,
  type GraphIndex,
  indexGraph,
  integerAttribute,
  integersAttribute,
  tensorAttribute,
} from './lookup.js';
import { OPERATORS } from './operators.js';
import type { NodeProto } from './proto.js';
import type { OnnxFile } from './read.js';
import { fedInputs, shapeOf } from './shapes.js';

export interface KnownGraph extends GraphIndex {
  /** Values that no input changes, and shapes in which NaN stands for what an input changes. */
  readonly constants: ReadonlyMap<string, Constant>;
  /** Value -> the earlier value that it only renames, retypes or regroups; values that are computed afresh are not in it. */
  readonly origins: ReadonlyMap<string, string>;
}

/** Operators whose output holds the numbers of their first input in the same order. */
const SAME_NUMBERS = new Set(['Identity', 'Cast', 'Dropout', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten']);

/** Computed constants may hold this many times the stored elements, and as many again; more is a graph that means harm. */
const GROWTH_LIMIT = 4;
const GROWTH_FLOOR = 1 << 22;
/** Attention has four axes, packed operands five. */
const MAX_RANK = 8;

/**
 * Indexes what the named output depends on and evaluates its constants in one pass, inputs before outputs.
 * Throws as `indexGraph` and `readConstant` do, and `model-unsupported` where the constants unfold without end.
 */
export async function evaluateGraph(file: OnnxFile, outputName: string): Promise<KnownGraph> {
  const graph = file.model.graph ?? {};
  const index = indexGraph(graph, outputName);
  const constants = await storedConstants(index, file.path);
  const stored = [...constants.values()].reduce((total, { data }) => total + data.length, 0);
  const dims = new Map<string, Dims>(
    fedInputs(graph).map((input) => [String(input.name), shapeOf(input).map((size) => size ?? Number.NaN)]),
  );
  for (const [name, constant] of constants) dims.set(name, constant.dims);
  let room = stored * GROWTH_LIMIT + GROWTH_FLOOR;
  for (const node of index.order) {
    const computed = evaluateNode(node, constants, dims);
    if (computed !== undefined) room -= computed.data.length;
    if (room >= 0) continue;
    throw new EmbedkitError('model-unsupported', `the constants of the graph unfold beyond measure at ${describeNode(node)}`, {
      hint: 'export the model again',
    });
  }
  return { ...index, constants, origins: originsOf(index, constants) };
}

function originsOf({ order }: GraphIndex, constants: ReadonlyMap<string, Constant>): Map<string, string> {
  const origins = new Map<string, string>();
  for (const { opType, input, output } of order) {
    const [from = '', to = ''] = [input?.[0], output?.[0]];
    if (SAME_NUMBERS.has(opType ?? '') && !constants.has(to)) origins.set(to, origins.get(from) ?? from);
  }
  return origins;
}

/** Sets what is known of the node's first output; returns it where it was computed. */
function evaluateNode(node: NodeProto, constants: Map<string, Constant>, dims: Map<string, Dims>): Constant | undefined {
  const inputs = (node.input ?? []).map((name) => constants.get(name));
  const inputDims = (node.input ?? []).map((name) => dims.get(name));
  const output = node.output?.[0] ?? '';
  const stored = constants.get(output);
  const value = stored ?? (node.opType === 'Shape' ? shapeValue(node, inputDims[0]) : OPERATORS[node.opType ?? '']?.(node, inputs));
  if (value !== undefined) constants.set(output, value);
  const known = value?.dims ?? inferDims(node, inputDims, inputs);
  if (known !== undefined && known.length <= MAX_RANK) for (const name of node.output ?? []) dims.set(name, known);
  return stored === undefined ? value : undefined;
}

/** Initialisers and the values of Constant nodes. */
async function storedConstants(index: GraphIndex, path: string): Promise<Map<string, Constant>> {
  const constants = new Map<string, Constant>();
  const put = (name: string, constant: Constant | undefined): void => {
    if (constant !== undefined) constants.set(name, constant);
  };
  for (const name of new Set(index.order.flatMap((node) => node.input ?? []))) {
    const tensor = index.initialisers.get(name);
    if (tensor !== undefined) put(name, await readConstant(tensor, path));
  }
  for (const node of index.order) if (node.opType === 'Constant') put(String(node.output?.[0]), await constantNode(node, path));
  return constants;
}

/** Source: ONNX Constant. */
async function constantNode(node: NodeProto, path: string): Promise<Constant | undefined> {
  const tensor = tensorAttribute(node, 'value');
  if (tensor !== undefined) return readConstant(tensor, path);
  const [name] = (node.attribute ?? []).map((attribute) => attribute.name);
  const floats = name === 'value_floats' ? floatsAttribute(node, name) : undefined;
  const integers = name === 'value_ints' ? integersAttribute(node, name) : undefined;
  if (floats !== undefined) return { dims: [floats.length], data: Float32Array.from(floats) };
  if (integers !== undefined) return { dims: [integers.length], data: Float64Array.from(integers) };
  if (name === 'value_float') return { dims: [], data: Float32Array.of(floatAttribute(node, name) ?? 0) };
  return name === 'value_int' ? { dims: [], data: Float64Array.of(integerAttribute(node, name) ?? 0) } : undefined;
}
