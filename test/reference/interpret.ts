// Runs an ONNX graph node by node on the reference operators: what the runtime's answers are compared with. No sub-graphs.
import { EXTERNAL, type GraphProto, type ModelProto, type NodeProto, type TensorProto, toNumber } from '#src/onnx/proto.js';
import { ELEMENTWISE_OPS, MICROSOFT_ELEMENTWISE_OPS } from './elementwise-ops.js';
import { INTEGER_MATRIX_OPS, MICROSOFT_INTEGER_MATRIX_OPS } from './integer-matrix-ops.js';
import { MATRIX_OPS, MICROSOFT_MATRIX_OPS } from './matrix-ops.js';
import { Attributes, type Operator, type Operators } from './operator.js';
import { QUANTIZE_OPS } from './quantize-ops.js';
import { MICROSOFT_REDUCE_OPS, REDUCE_OPS } from './reduce-ops.js';
import { SHAPE_OPS } from './shape-ops.js';
import { elementType, fromProto, type Tensor } from './tensor.js';

const STANDARD = { ...QUANTIZE_OPS, ...INTEGER_MATRIX_OPS, ...MATRIX_OPS, ...ELEMENTWISE_OPS, ...REDUCE_OPS, ...SHAPE_OPS };

/** Domain -> its operators. The runtime takes the 8-bit QuantizeLinear and DequantizeLinear in its own domain too. */
const DOMAINS: Readonly<Record<string, Operators>> = {
  '': STANDARD,
  'ai.onnx': STANDARD,
  'com.microsoft': {
    ...{ QuantizeLinear: STANDARD.QuantizeLinear as Operator, DequantizeLinear: STANDARD.DequantizeLinear as Operator },
    ...MICROSOFT_INTEGER_MATRIX_OPS,
    ...MICROSOFT_MATRIX_OPS,
    ...MICROSOFT_ELEMENTWISE_OPS,
    ...MICROSOFT_REDUCE_OPS,
  },
};

/** The names of all operators, with their domain where it is not the standard one. */
export const COVERED: readonly string[] = ['', 'com.microsoft'].flatMap((domain) =>
  Object.keys(DOMAINS[domain] ?? {}).map((opType) => nameOf({ domain, opType })),
);

function operatorOf(node: NodeProto): Operator | undefined {
  const operators = DOMAINS[node.domain ?? ''] ?? {};
  return Object.hasOwn(operators, node.opType ?? '') ? operators[node.opType as string] : undefined;
}

function nameOf(node: NodeProto): string {
  return node.domain ? `${node.domain} ${node.opType}` : String(node.opType);
}

/** What of a model the reference does not cover: `operator X`, `element type 17`; empty where it covers all. */
export function uncovered(model: ModelProto): string[] {
  const graph = model.graph as GraphProto;
  const operators = (graph.node ?? []).filter((node) => operatorOf(node) === undefined).map((node) => `operator ${nameOf(node)}`);
  const ports = [...(graph.input ?? []), ...(graph.output ?? [])].map((port) => port.type?.tensorType?.elemType ?? 0);
  const codes = [...ports, ...(graph.initializer ?? []).map((one) => one.dataType ?? 0)];
  // A port may leave its type open, which is 0.
  const types = codes.filter((code) => code !== 0 && elementType(code) === undefined).map((code) => `element type ${code}`);
  return [...new Set([...operators, ...types])];
}

/**
 * The outputs of a model, and every named value of `also`, from its inputs. Throws an Error that names the node where an
 * operator is not covered or refuses its inputs.
 */
export function interpret(
  model: ModelProto,
  feeds: Readonly<Record<string, Tensor>>,
  also: readonly string[] = [],
): Record<string, Tensor> {
  const graph = model.graph as GraphProto;
  const opsets = new Map((model.opsetImport ?? []).map((entry) => [entry.domain || '', toNumber(entry.version)]));
  const values = new Map<string, Tensor>();
  for (const initialiser of graph.initializer ?? []) values.set(String(initialiser.name), inlineTensor(initialiser));
  for (const [name, fed] of Object.entries(feeds)) values.set(name, fed);
  for (const node of graph.node ?? []) runNode(node, opsets, values);
  const wanted = [...(graph.output ?? []).map((output) => String(output.name)), ...also];
  return Object.fromEntries(wanted.map((name) => [name, namedValue(values, name)]));
}

function inlineTensor(proto: TensorProto): Tensor {
  if (proto.dataLocation === EXTERNAL) throw new Error(`initialiser "${proto.name}" is kept in another file`);
  return fromProto(proto);
}

function runNode(node: NodeProto, opsets: ReadonlyMap<string, number>, values: Map<string, Tensor>): void {
  const run = operatorOf(node);
  if (run === undefined) throw new Error(`the reference has no operator ${nameOf(node)}`);
  const names = node.output ?? [];
  const inputs = (node.input ?? []).map((name) => (name === '' ? undefined : namedValue(values, name)));
  const domain = node.domain === 'ai.onnx' ? '' : (node.domain ?? '');
  const call = { inputs, attributes: new Attributes(node), opset: opsets.get(domain) ?? 1, outputs: names.length };
  const results = asList(attempt(node, () => run(call)));
  names.forEach((name, at) => {
    if (name === '') return;
    const result = results[at];
    if (result === undefined) throw new Error(`${nameOf(node)} "${node.name}" gives no output ${at}`);
    values.set(name, result);
  });
}

function asList(result: Tensor | Tensor[]): Tensor[] {
  return Array.isArray(result) ? result : [result];
}

function attempt<T>(node: NodeProto, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new Error(`${nameOf(node)} "${node.name}": ${(error as Error).message}`, { cause: error });
  }
}

function namedValue(values: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const found = values.get(name);
  if (found === undefined) throw new Error(`no value "${name}"`);
  return found;
}
