// Where the elements of a tensor lie: strides, coordinates, broadcasting. Row-major, the last axis fastest.
import { type ElementType, sizeOfDims, type Tensor, tensor } from './tensor.js';

/** An axis counted from the end where negative. */
export function axisOf(axis: number, rank: number): number {
  const found = axis < 0 ? axis + rank : axis;
  if (!(found >= 0 && found < Math.max(rank, 1))) throw new Error(`axis ${axis} of a tensor of rank ${rank}`);
  return found;
}

/** The coordinates of the element at a flat position. */
export function coordinatesOf(position: number, dims: readonly number[]): number[] {
  const coordinates = new Array<number>(dims.length);
  for (let axis = dims.length - 1, rest = position; axis >= 0; axis--) {
    const dim = dims[axis] as number;
    coordinates[axis] = rest % dim;
    rest = Math.floor(rest / dim);
  }
  return coordinates;
}

/** The flat position of coordinates. */
export function positionOf(coordinates: readonly number[], dims: readonly number[]): number {
  return dims.reduce((position, dim, axis) => position * dim + (coordinates[axis] as number), 0);
}

/** The dimensions that all of these broadcast to. Source: ONNX docs/Broadcasting.md. */
export function broadcastDims(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((dims) => dims.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((dims) => dims[axis - rank + dims.length] ?? 1).filter((dim) => dim !== 1);
    if (new Set(sizes).size > 1) throw new Error(`[${shapes.join('] and [')}] do not broadcast`);
    return sizes[0] ?? 1;
  });
}

/** The value that a broadcast tensor has at coordinates of the dimensions it broadcasts to. */
export function broadcastAt(of: Tensor, coordinates: readonly number[]): number {
  const own = of.dims.map((dim, axis) => (dim === 1 ? 0 : (coordinates[axis - of.dims.length + coordinates.length] as number)));
  return of.data[positionOf(own, of.dims)] as number;
}

/** A tensor whose value at every place is computed from its coordinates. */
export function build(type: ElementType, dims: readonly number[], valueAt: (coordinates: number[], position: number) => number): Tensor {
  const values = Array.from({ length: sizeOfDims(dims) }, (_, at) => valueAt(coordinatesOf(at, dims), at));
  return tensor(type, dims, values);
}

/** The tensor with other dimensions over the same elements. */
export function reshaped(of: Tensor, dims: readonly number[]): Tensor {
  return tensor(of.type, dims, of.data);
}
