// Small graphs for the reference tests, and the same graph run by ONNX Runtime. Not for shipped code.
import { env, InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node';
import { expect } from 'vitest';
import { ModelProto, NodeProto, type TensorProto } from '#src/onnx/proto.js';
import { interpret } from './interpret.js';
import { codeOf, FLOATS, rawOf, type Tensor, tensor, toProto } from './tensor.js';

type AttributeValue = number | readonly number[] | string | Tensor | { readonly float: number };

export interface NodeSpec {
  readonly op: string;
  /** Default: the standard domain. */
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

export interface GraphSpec {
  readonly nodes: readonly NodeSpec[];
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly constants?: Readonly<Record<string, Tensor>>;
  readonly outputs: readonly string[];
  readonly opset: number;
}

/** A model of these nodes; the inputs take the types and dimensions of what they are fed with. */
export function modelOf({ nodes, feeds, constants = {}, outputs, opset }: GraphSpec): ModelProto {
  const dim = (size: number): object => ({ dimValue: size });
  const graph = {
    name: 'reference',
    node: nodes.map(nodeOf),
    initializer: Object.entries(constants).map(([name, value]): TensorProto => toProto(name, value)),
    input: Object.entries(feeds).map(([name, { type, dims }]) => ({
      name,
      type: { tensorType: { elemType: codeOf(type), shape: { dim: dims.map(dim) } } },
    })),
    output: outputs.map((name) => ({ name })),
  };
  const opsetImport = [
    { domain: '', version: opset },
    { domain: 'com.microsoft', version: 1 },
  ];
  return ModelProto.fromObject({ irVersion: 8, opsetImport, graph });
}

function nodeOf({ op, domain, inputs, outputs, attributes = {} }: NodeSpec): NodeProto {
  const attribute = Object.entries(attributes).map(([name, value]) => ({ name, ...attributeOf(value) }));
  return NodeProto.fromObject({
    opType: op,
    name: `${op} of ${outputs[0]}`,
    domain: domain ?? '',
    input: inputs,
    output: outputs,
    attribute,
  });
}

// The numbers are AttributeProto.AttributeType.
function attributeOf(value: AttributeValue): object {
  if (typeof value === 'number') return { type: 2, i: value };
  if (typeof value === 'string') return { type: 3, s: new TextEncoder().encode(value) };
  if ('float' in value) return { type: 1, f: value.float };
  if ('dims' in value) return { type: 4, t: toProto('value', value) };
  return { type: 7, ints: value };
}

/** How a session is made: the graph as it is, or as the engine runs it. */
const SESSIONS = {
  plain: { graphOptimizationLevel: 'disabled' },
  // Left to itself, the optimizer (1.30) turns DequantizeLinear -> MatMul into a MatMulNBits that quantizes the other factor
  // too; level 1 keeps that in float32.
  optimised: { graphOptimizationLevel: 'all', extra: { session: { qdq_matmulnbits_accuracy_level: '1' } } },
} as const;

/** The outputs of a model by ONNX Runtime on one thread. */
export async function runByRuntime(
  model: ModelProto,
  feeds: Readonly<Record<string, Tensor>>,
  how: keyof typeof SESSIONS = 'plain',
): Promise<Record<string, Tensor>> {
  env.logLevel = 'error';
  const options = { intraOpNumThreads: 1, logSeverityLevel: 3, ...SESSIONS[how] } as const;
  const session = await InferenceSession.create(ModelProto.encode(model).finish(), options);
  const results = await session.run(Object.fromEntries(Object.entries(feeds).map(([name, fed]) => [name, toRuntime(fed)])));
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, result]) => [name, fromRuntime(result)]));
}

function toRuntime(of: Tensor): RuntimeTensor {
  const { buffer } = rawOf(of);
  const dims = [...of.dims];
  if (of.type === 'int64') return new RuntimeTensor('int64', new BigInt64Array(buffer), dims);
  if (of.type === 'bool') return new RuntimeTensor('bool', new Uint8Array(buffer), dims);
  if (of.type === 'float16' || of.type === 'uint64') throw new Error(`not fed to the runtime here: ${of.type}`);
  return new RuntimeTensor(of.type, of.data as Float32Array, dims);
}

function fromRuntime(result: RuntimeTensor): Tensor {
  return tensor(result.type as Tensor['type'], result.dims, result.data as ArrayLike<number | bigint>);
}

/**
 * Types and dimensions alike; integers equal; floats within `tolerance` of the larger of the value and the tensor's root
 * mean square, so that what cancels to near nothing is measured by what it was made of.
 */
export function expectAlike(found: Tensor, expected: Tensor, tolerance: number, of = ''): void {
  expect([of, found.type, found.dims]).toEqual([of, expected.type, expected.dims]);
  if (!FLOATS.has(expected.type)) {
    expect([...found.data], of).toEqual([...expected.data]);
    return;
  }
  const squares = [...expected.data].reduce((sum, value) => sum + value * value, 0);
  const typical = Math.sqrt(squares / Math.max(1, expected.data.length));
  const far = [...expected.data].flatMap((value, at) => {
    const other = found.data[at] as number;
    const isNear = Object.is(value, other) || Math.abs(other - value) <= tolerance * Math.max(Math.abs(value), typical);
    return isNear ? [] : [{ at, found: other, expected: value }];
  });
  expect(far, of).toEqual([]);
}

/** Compares every output by the reference with the runtime's, plain and optimised. Returns what the reference gave. */
export async function expectAgreement(spec: GraphSpec, tolerance = 1e-5): Promise<Record<string, Tensor>> {
  const model = modelOf(spec);
  const reference = interpret(model, spec.feeds);
  for (const how of ['plain', 'optimised'] as const) {
    const runtime = await runByRuntime(model, spec.feeds, how);
    for (const name of spec.outputs) expectAlike(runtime[name] as Tensor, reference[name] as Tensor, tolerance, `${name}, ${how}`);
  }
  return reference;
}
