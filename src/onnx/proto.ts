// The ONNX messages under short names. onnx-proto generates them from the ONNX schema; encoding is protobufjs.
import onnxProto from 'onnx-proto';

export type ModelProto = onnxProto.onnx.ModelProto;
export type GraphProto = onnxProto.onnx.IGraphProto;
export type NodeProto = onnxProto.onnx.INodeProto;
export type TensorProto = onnxProto.onnx.ITensorProto;
export type ValueInfoProto = onnxProto.onnx.IValueInfoProto;

export const { ModelProto, NodeProto, AttributeProto, TensorProto } = onnxProto.onnx;

export const DATA_TYPE = onnxProto.onnx.TensorProto.DataType;
export const EXTERNAL = onnxProto.onnx.TensorProto.DataLocation.EXTERNAL;
export const DEFAULT_LOCATION = onnxProto.onnx.TensorProto.DataLocation.DEFAULT;

/** An int64 field, which protobufjs gives as a number or a Long. */
export function toNumber(value: number | { toNumber(): number } | null | undefined): number {
  if (value === null || value === undefined) return 0;
  return typeof value === 'number' ? value : value.toNumber();
}

/** The dimensions of a tensor. */
export function dimsOf(tensor: TensorProto): number[] {
  return (tensor.dims ?? []).map(toNumber);
}

/** Number of elements of a tensor; 1 for a scalar. */
export function sizeOf(tensor: TensorProto): number {
  return dimsOf(tensor).reduce((product, dim) => product * dim, 1);
}

/** Every tensor of a graph: initialisers and attributes, those of sub-graphs included. */
export function* allTensors(graph: GraphProto): Generator<TensorProto> {
  yield* graph.initializer ?? [];
  for (const node of graph.node ?? []) {
    for (const attribute of node.attribute ?? []) {
      if (attribute.t) yield attribute.t;
      yield* attribute.tensors ?? [];
      if (attribute.g) yield* allTensors(attribute.g);
      for (const inner of attribute.graphs ?? []) yield* allTensors(inner);
    }
  }
}
