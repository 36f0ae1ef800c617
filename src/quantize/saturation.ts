// Proof, by integer arithmetic on a finished file, that no processor's 16-bit sums can saturate. Needs no particular machine.
import { EmbedkitError } from '../errors.js';
import { DATA_TYPE, dimsOf, type GraphProto, type NodeProto, type TensorProto } from '../onnx/proto.js';
import { rawBytes, readOnnx } from '../onnx/read.js';
import { SAFE_PAIR_SUM } from './weights.js';

export interface SaturationProof {
  /** int8 weight matrices that were checked. */
  readonly matrices: number;
  /** Adjacent pairs of rows, over all columns. */
  readonly pairs: number;
  /** Largest |a + b| of a same-sign pair. */
  readonly largestSum: number;
  /** Pairs beyond the limit, by matrix; empty: proven. */
  readonly unsafe: readonly { readonly matrix: string; readonly pairs: number }[];
}

/** Operator -> the input that holds the int8 weights. */
const WEIGHT_INPUT: Readonly<Record<string, number>> = {
  MatMulIntegerToFloat: 1,
  MatMulInteger: 1,
  DynamicQuantizeMatMul: 1,
  QLinearMatMul: 3,
  DequantizeLinear: 0,
};

/**
 * Checks every int8 weight matrix of a model: uint8 activations go up to 255, and x86 without VNNI adds the products of rows
 * 2k and 2k+1 in 16 bits, so that same-sign neighbours may not sum beyond 128 (255 x 128 = 32,640 <= 32,767).
 * @throws EmbedkitError `model-invalid` for no ONNX file, `model-unsupported` for one without int8 weights
 */
export async function proveSaturation(path: string): Promise<SaturationProof> {
  const { model } = await readOnnx(path);
  const graph = model.graph as GraphProto;
  const matrices = weightMatrices(graph);
  if (matrices.length === 0) {
    throw new EmbedkitError('model-unsupported', `${path}: no int8 weight matrix in it`, { hint: 'name a model that quantize made' });
  }
  const proof = { matrices: matrices.length, pairs: 0, largestSum: 0, unsafe: [] as { matrix: string; pairs: number }[] };
  for (const tensor of matrices) {
    const bytes = (await rawBytes(tensor, path)) ?? Int8Array.from(tensor.int32Data ?? []);
    const found = checkPairs(new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), dimsOf(tensor)[1] as number);
    proof.pairs += found.pairs;
    proof.largestSum = Math.max(proof.largestSum, found.largestSum);
    if (found.unsafe > 0) proof.unsafe.push({ matrix: String(tensor.name), pairs: found.unsafe });
  }
  return proof;
}

function weightMatrices(graph: GraphProto): TensorProto[] {
  const names = new Set((graph.node ?? []).map(weightOf));
  const isMatrix = (tensor: TensorProto): boolean => tensor.dataType === DATA_TYPE.INT8 && dimsOf(tensor).length === 2;
  return (graph.initializer ?? []).filter((tensor) => names.has(tensor.name ?? '') && isMatrix(tensor));
}

function weightOf(node: NodeProto): string | undefined {
  return node.input?.[WEIGHT_INPUT[node.opType ?? ''] ?? -1] || undefined;
}

/** @param weight inputs x outputs, row-major */
export function checkPairs(weight: Int8Array, outputs: number): { pairs: number; largestSum: number; unsafe: number } {
  const found = { pairs: 0, largestSum: 0, unsafe: 0 };
  for (let start = 0; start + outputs < weight.length; start += 2 * outputs) {
    for (let column = 0; column < outputs; column++) {
      const a = weight[start + column] as number;
      const b = weight[start + outputs + column] as number;
      found.pairs++;
      if (a > 0 !== b > 0) continue;
      const sum = Math.abs(a + b);
      found.largestSum = Math.max(found.largestSum, sum);
      if (sum > SAFE_PAIR_SUM) found.unsafe++;
    }
  }
  return found;
}
