// Reference of the operators that move values without changing them. Source: ONNX docs/Operators.md, opsets 9 to 25.
import { axisOf, broadcastAt, broadcastDims, build, positionOf, reshaped } from './layout.js';
import { type Call, input, integersOf, type Operators } from './operator.js';
import { sizeOfDims, type Tensor, tensor } from './tensor.js';

function gather(call: Call): Tensor {
  const [x, indices] = [input(call, 0), input(call, 1)];
  const axis = axisOf(call.attributes.int('axis', 0), x.dims.length);
  const rank = indices.dims.length;
  return build(x.type, [...x.dims.slice(0, axis), ...indices.dims, ...x.dims.slice(axis + 1)], (coordinates) => {
    const index = indices.data[positionOf(coordinates.slice(axis, axis + rank), indices.dims)] as number;
    const dim = x.dims[axis] as number;
    if (index < -dim || index >= dim) throw new Error(`Gather of index ${index} from ${dim}`);
    const place = [...coordinates.slice(0, axis), index < 0 ? index + dim : index, ...coordinates.slice(axis + rank)];
    return x.data[positionOf(place, x.dims)] as number;
  });
}

interface Cut {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** starts, ends, axes, steps as inputs (opset 10) or attributes. */
function slice(call: Call): Tensor {
  const x = input(call, 0);
  const starts = integersOf(call, 1, 'starts') ?? [];
  const ends = integersOf(call, 2, 'ends') ?? [];
  const axes = integersOf(call, 3, 'axes') ?? starts.map((_, axis) => axis);
  const steps = integersOf(call, 4, 'steps') ?? starts.map(() => 1);
  const cuts: Cut[] = x.dims.map((dim) => ({ start: 0, step: 1, count: dim }));
  axes.forEach((axis, at) => {
    const one = axisOf(axis, x.dims.length);
    cuts[one] = cutOf(x.dims[one] as number, starts[at] as number, ends[at] as number, steps[at] as number);
  });
  return build(
    x.type,
    cuts.map(({ count }) => count),
    (coordinates) => {
      const place = coordinates.map((at, axis) => (cuts[axis] as Cut).start + at * (cuts[axis] as Cut).step);
      return x.data[positionOf(place, x.dims)] as number;
    },
  );
}

/** Negative bounds count from the end, then both are brought into the axis. */
function cutOf(dim: number, start: number, end: number, step: number): Cut {
  const [low, high] = step > 0 ? [0, dim] : [-1, dim - 1];
  const bring = (bound: number, least: number): number => Math.min(high, Math.max(least, bound < 0 ? bound + dim : bound));
  const first = bring(start, Math.max(low, 0));
  return { start: first, step, count: Math.max(0, Math.ceil((bring(end, low) - first) / step)) };
}

function shape(call: Call): Tensor {
  const { dims } = input(call, 0);
  const part = dims.slice(call.attributes.int('start', 0), call.attributes.int('end', dims.length));
  return tensor('int64', [part.length], part);
}

/** 0 keeps a dimension (unless allowzero), -1 takes what is left. */
function reshape(call: Call): Tensor {
  const x = input(call, 0);
  const wanted = integersOf(call, 1, 'shape') ?? [];
  const keepsZero = call.attributes.int('allowzero', 0) === 1;
  const dims = wanted.map((dim, axis) => (dim === 0 && !keepsZero ? (x.dims[axis] as number) : dim));
  const known = sizeOfDims(dims.filter((dim) => dim !== -1));
  return reshaped(
    x,
    dims.map((dim) => (dim === -1 ? x.data.length / known : dim)),
  );
}

function transpose(call: Call): Tensor {
  const x = input(call, 0);
  const perm = call.attributes.ints('perm') ?? x.dims.map((_, axis) => x.dims.length - 1 - axis);
  return build(
    x.type,
    perm.map((axis) => x.dims[axis] as number),
    (coordinates) => {
      const place = new Array<number>(perm.length);
      perm.forEach((axis, at) => {
        place[axis] = coordinates[at] as number;
      });
      return x.data[positionOf(place, x.dims)] as number;
    },
  );
}

function unsqueeze(call: Call): Tensor {
  const x = input(call, 0);
  const given = integersOf(call, 1, 'axes') ?? [];
  const rank = x.dims.length + given.length;
  const added = new Set(given.map((axis) => axisOf(axis, rank)));
  const rest = [...x.dims];
  return reshaped(
    x,
    Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (rest.shift() as number))),
  );
}

function squeeze(call: Call): Tensor {
  const x = input(call, 0);
  const axes = integersOf(call, 1, 'axes')?.map((axis) => axisOf(axis, x.dims.length));
  return reshaped(
    x,
    x.dims.filter((dim, axis) => (axes === undefined ? dim !== 1 : !axes.includes(axis))),
  );
}

function concat(call: Call): Tensor {
  const parts = call.inputs.map((_, at) => input(call, at));
  const [first] = parts as [Tensor];
  const axis = axisOf(call.attributes.int('axis', 0), first.dims.length);
  const total = parts.reduce((sum, part) => sum + (part.dims[axis] as number), 0);
  return build(first.type, first.dims.with(axis, total), (coordinates) => {
    let at = coordinates[axis] as number;
    let part = 0;
    while (at >= ((parts[part] as Tensor).dims[axis] as number)) at -= (parts[part++] as Tensor).dims[axis] as number;
    const from = parts[part] as Tensor;
    return from.data[positionOf(coordinates.with(axis, at), from.dims)] as number;
  });
}

/** Sizes as given; else equal ones, the last smaller where it does not come out even (opset 18). */
function split(call: Call): Tensor[] {
  const x = input(call, 0);
  const axis = axisOf(call.attributes.int('axis', 0), x.dims.length);
  const dim = x.dims[axis] as number;
  const each = Math.ceil(dim / call.outputs);
  const even = Array.from({ length: call.outputs }, (_, at) => Math.min(each, dim - at * each));
  let start = 0;
  return (integersOf(call, 1, 'split') ?? even).map((size) => {
    const from = start;
    start += size;
    return build(x.type, x.dims.with(axis, size), (coordinates) => {
      return x.data[positionOf(coordinates.with(axis, from + (coordinates[axis] as number)), x.dims)] as number;
    });
  });
}

function expand(call: Call): Tensor {
  const x = input(call, 0);
  return build(x.type, broadcastDims(x.dims, [...input(call, 1).data]), (coordinates) => broadcastAt(x, coordinates));
}

function constant({ attributes }: Call): Tensor {
  const value = attributes.tensor('value');
  if (value !== undefined) return value;
  const [int, float] = [attributes.int('value_int'), attributes.float('value_float')];
  if (int !== undefined) return tensor('int64', [], [int]);
  if (float !== undefined) return tensor('float32', [], [float]);
  const [ints, floats] = [attributes.ints('value_ints'), attributes.floats('value_floats')];
  if (ints !== undefined) return tensor('int64', [ints.length], ints);
  if (floats !== undefined) return tensor('float32', [floats.length], floats);
  throw new Error('a Constant of another kind');
}

function constantOfShape(call: Call): Tensor {
  const value = call.attributes.tensor('value') ?? tensor('float32', [1], [0]);
  return build(value.type, [...input(call, 0).data], () => value.data[0] as number);
}

export const SHAPE_OPS: Operators = {
  Gather: gather,
  Slice: slice,
  Shape: shape,
  Reshape: reshape,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
  Squeeze: squeeze,
  Concat: concat,
  Split: split,
  Expand: expand,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Identity: (call) => input(call, 0),
};
