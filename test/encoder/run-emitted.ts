// An emitted graph run on a batch of ids, by the reference and by the runtime; and the two held together.
import { IDS, OUTPUT } from '#src/encoder/emit.js';
import type { ModelProto } from '#src/onnx/proto.js';
import type { IdBatch } from '#src/quantize/observe.js';
import { cosine } from '#src/vectors/matrix.js';
import { runByRuntime } from '../reference/graphs.js';
import { interpret } from '../reference/interpret.js';
import { type Tensor, tensor } from '../reference/tensor.js';

function feedsOf({ ids, rows, width }: IdBatch): Record<string, Tensor> {
  return { [IDS]: tensor('int64', [rows, width], ids) };
}

export function byReference(model: ModelProto, batch: IdBatch): Tensor {
  return interpret(model, feedsOf(batch))[OUTPUT] as Tensor;
}

export async function byRuntime(model: ModelProto, batch: IdBatch, how: 'plain' | 'optimised'): Promise<Record<string, Tensor>> {
  return runByRuntime(model, feedsOf(batch), how);
}

/** Least cosine of two outputs' vectors, each of `dim` values. */
export function leastCosine(a: Tensor, b: Tensor, dim: number): number {
  const rows = a.data.length / dim;
  const rowOf = ({ data }: Tensor, row: number): Float32Array => Float32Array.from(data.subarray(row * dim, (row + 1) * dim));
  return Math.min(...Array.from({ length: rows }, (_, row) => cosine(rowOf(a, row), rowOf(b, row))));
}

/** Adds values of the graph to its outputs, of these TensorProto types and of whatever dimensions they have. */
export function giveOut(model: ModelProto, names: readonly string[], elemType: number): void {
  for (const name of names) model.graph?.output?.push({ name, type: { tensorType: { elemType } } });
}
