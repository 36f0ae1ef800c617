// Weights stored as FP16 and cast back to FP32 where the graph uses them: half the file, the same arithmetic.
import { encodeF16, F16_MAX, fromF16 } from '../vectors/f16.js';
import { AttributeProto, DATA_TYPE, type GraphProto, NodeProto, sizeOf, type TensorProto } from './proto.js';
import { floatValues } from './read.js';
import type { TensorStore } from './store.js';

export interface StorageReport {
  /** Weights stored (elements, not tensors). */
  total: number;
  /** Of these, how many FP16 represents exactly. */
  exact: number;
  /** Largest |stored - original| over all weights. */
  maxDifference: number;
}

const SUFFIX = '_fp16';

/**
 * Whether a tensor is a weight that FP16 can hold: scalars (epsilons, scales) stay FP32, for rounding one of them could
 * turn an epsilon into zero.
 */
export function isHalvable(tensor: TensorProto): boolean {
  return tensor.dataType === DATA_TYPE.FLOAT && sizeOf(tensor) > 1;
}

/**
 * Rewrites the FP32 initialisers of a graph in place as FP16 ones, each followed by a Cast to FP32 under the old name,
 * and puts their bytes into the store. A tensor with a value beyond FP16's range stays FP32. Operator: ONNX Cast.
 */
export async function storeAsHalf(graph: GraphProto, modelPath: string, store: TensorStore): Promise<StorageReport> {
  const report: StorageReport = { total: 0, exact: 0, maxDifference: 0 };
  const casts: NodeProto[] = [];
  for (const tensor of graph.initializer ?? []) {
    if (!isHalvable(tensor)) continue;
    const values = await floatValues(tensor, modelPath);
    const halves = encodeF16(values);
    report.total += values.length;
    if (!fits(values)) {
      report.exact += values.length;
      await store.put(tensor, bytesOf(values));
      continue;
    }
    compare(values, halves, report);
    casts.push(castBack(tensor));
    tensor.dataType = DATA_TYPE.FLOAT16;
    await store.put(tensor, bytesOf(halves));
  }
  graph.node = [...casts, ...(graph.node ?? [])];
  return report;
}

/** Puts the FP32 initialisers into the store as they are. */
export async function storeAsFloat(graph: GraphProto, modelPath: string, store: TensorStore): Promise<StorageReport> {
  let total = 0;
  for (const tensor of graph.initializer ?? []) {
    if (!isHalvable(tensor)) continue;
    const values = await floatValues(tensor, modelPath);
    total += values.length;
    await store.put(tensor, bytesOf(values));
  }
  return { total, exact: total, maxDifference: 0 };
}

function fits(values: Float32Array): boolean {
  return values.every((value) => Math.abs(value) <= F16_MAX || !Number.isFinite(value));
}

function compare(values: Float32Array, halves: Uint16Array, report: StorageReport): void {
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    const stored = fromF16(halves[index] as number);
    if (Object.is(stored, value) || stored === value) report.exact++;
    else report.maxDifference = Math.max(report.maxDifference, Math.abs(stored - value));
  }
}

/** Renames the tensor and returns the node that gives the FP32 values its old name. */
function castBack(tensor: TensorProto): NodeProto {
  const name = String(tensor.name);
  tensor.name = name + SUFFIX;
  return NodeProto.create({
    opType: 'Cast',
    name: `${name}_cast`,
    input: [tensor.name],
    output: [name],
    attribute: [AttributeProto.create({ name: 'to', type: AttributeProto.AttributeType.INT, i: DATA_TYPE.FLOAT })],
  });
}

function bytesOf(values: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
