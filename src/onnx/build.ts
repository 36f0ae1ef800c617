// A graph put together node by node, every value named; knows nothing of transformers.
import { AttributeProto, DATA_TYPE, ModelProto, NodeProto, type TensorProto } from './proto.js';

/** Domain of the runtime's own operators. Source: ONNX Runtime docs/ContribOperators.md. */
export const MICROSOFT = 'com.microsoft';

export type AttributeValue = number | readonly number[] | string | { readonly float: number };

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly domain?: string;
  /** Names of all outputs, where there are several; else one output is named after the node. */
  readonly outputs?: readonly string[];
}

/** A graph input or output; a string is a free dimension's name. */
export interface PortSpec {
  readonly name: string;
  readonly type: number;
  readonly dims: readonly (number | string)[];
}

export interface ModelOptions {
  readonly inputs: readonly PortSpec[];
  readonly outputs: readonly PortSpec[];
  readonly opset: number;
  /** What the model says of itself: key -> text. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export type TensorData = Float32Array | Float64Array | Uint8Array | Int8Array | Int32Array | BigInt64Array;

function elementType(data: TensorData): number {
  if (data instanceof Float32Array) return DATA_TYPE.FLOAT;
  if (data instanceof Float64Array) return DATA_TYPE.DOUBLE;
  if (data instanceof Uint8Array) return DATA_TYPE.UINT8;
  if (data instanceof Int8Array) return DATA_TYPE.INT8;
  return data instanceof Int32Array ? DATA_TYPE.INT32 : DATA_TYPE.INT64;
}

/** Collects nodes and initialisers; `model` closes them into a ModelProto. Equal calls make equal bytes. */
export class GraphBuilder {
  private readonly nodes: NodeProto[] = [];
  readonly initialisers: TensorProto[] = [];

  get nodeCount(): number {
    return this.nodes.length;
  }

  /** The nodes added since there were `count`. */
  nodesFrom(count: number): readonly NodeProto[] {
    return this.nodes.slice(count);
  }

  /** Adds a node; returns the name of its (first) output. An undefined input is an optional one left out. */
  node(opType: string, name: string, inputs: readonly (string | undefined)[], options: NodeOptions = {}): string {
    const output = options.outputs ?? [name];
    const attribute = Object.entries(options.attributes ?? {}).map(([key, value]) => attributeOf(key, value));
    const input = inputs.map((one) => one ?? '');
    this.nodes.push(NodeProto.create({ opType, name, input, output: [...output], attribute, domain: options.domain ?? '' }));
    return output[0] as string;
  }

  /** Adds a constant; returns its name. The bytes are not copied. */
  constant(name: string, data: TensorData, dims: readonly number[] = [data.length]): string {
    const dataType = elementType(data);
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.initialisers.push({ name, dims: [...dims], dataType, rawData });
    return name;
  }

  scalar(name: string, value: number): string {
    return this.constant(name, Float32Array.of(value), []);
  }

  /** Whole numbers as int64, such as axes, starts and shapes. */
  integers(name: string, values: readonly number[]): string {
    return this.constant(name, BigInt64Array.from(values, BigInt));
  }

  model(options: ModelOptions): ModelProto {
    const usesMicrosoft = this.nodes.some((node) => node.domain === MICROSOFT);
    const opsetImport = [{ domain: '', version: options.opset }, ...(usesMicrosoft ? [{ domain: MICROSOFT, version: 1 }] : [])];
    const graph = {
      name: 'embedkit',
      node: this.nodes,
      initializer: this.initialisers,
      input: options.inputs.map(valueInfo),
      output: options.outputs.map(valueInfo),
    };
    // Not fromObject, which would copy every weight. IR 8 is what opset 17 and 18 files carry.
    const metadataProps = Object.entries(options.metadata ?? {}).map(([key, value]) => ({ key, value }));
    return ModelProto.create({ irVersion: 8, producerName: 'embedkit', opsetImport, graph, metadataProps });
  }
}

function attributeOf(name: string, value: AttributeValue): InstanceType<typeof AttributeProto> {
  const { INT, INTS, FLOAT, STRING } = AttributeProto.AttributeType;
  if (typeof value === 'number') return AttributeProto.create({ name, type: INT, i: value });
  if (typeof value === 'string') return AttributeProto.create({ name, type: STRING, s: new TextEncoder().encode(value) });
  if ('float' in value) return AttributeProto.create({ name, type: FLOAT, f: value.float });
  return AttributeProto.create({ name, type: INTS, ints: [...value] });
}

function valueInfo({ name, type, dims }: PortSpec): object {
  const dim = dims.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: type, shape: { dim } } } };
}
