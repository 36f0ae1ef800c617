// Reference of the operators that work place by place. Sources: ONNX docs/Operators.md; ONNX Runtime docs/ContribOperators.md.
import { broadcastAt, broadcastDims, build } from './layout.js';
import { type Call, input, type Operator, type Operators } from './operator.js';
import { erf, roundHalfEven } from './rounding.js';
import { elementType, FLOATS, type Tensor, tensor } from './tensor.js';

function unary(compute: (x: number) => number): Operator {
  return (call) => {
    const x = input(call, 0);
    return tensor(x.type, x.dims, Array.from(x.data, compute));
  };
}

function binary(compute: (a: number, b: number) => number): Operator {
  return (call) => {
    const [a, b] = [input(call, 0), input(call, 1)];
    return build(a.type, broadcastDims(a.dims, b.dims), (at) => compute(broadcastAt(a, at), broadcastAt(b, at)));
  };
}

function comparison(holds: (a: number, b: number) => boolean): Operator {
  return (call) => ({ ...compare(call, holds), type: 'bool' });
}

function compare(call: Call, holds: (a: number, b: number) => boolean): Tensor {
  const [a, b] = [input(call, 0), input(call, 1)];
  return build('bool', broadcastDims(a.dims, b.dims), (at) => (holds(broadcastAt(a, at), broadcastAt(b, at)) ? 1 : 0));
}

/** Any number of inputs, broadcast together; each step is rounded to the type, as the operator on two would. */
function variadic(compute: (a: number, b: number) => number): Operator {
  return (call) => {
    const all = call.inputs.map((_, at) => input(call, at));
    const join = (a: Tensor, b: Tensor): Tensor =>
      build(a.type, broadcastDims(a.dims, b.dims), (at) => compute(broadcastAt(a, at), broadcastAt(b, at)));
    return all.slice(1).reduce(join, all[0] as Tensor);
  };
}

/** Whole quotients are cut towards zero. */
function divide(call: Call): Tensor | Tensor[] {
  const isFloat = FLOATS.has(input(call, 0).type);
  return binary(isFloat ? (a, b) => a / b : (a, b) => Math.trunc(a / b))(call);
}

const gelu = (x: number): number => 0.5 * x * (1 + erf(x / Math.SQRT2));

/** Source: Hendrycks and Gimpel 2016. */
const geluTanh = (x: number): number => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

/** Limits from attributes (opset 6) or inputs. */
function clip(call: Call): Tensor | Tensor[] {
  const low = call.inputs[1]?.data[0] ?? call.attributes.float('min', Number.NEGATIVE_INFINITY);
  const high = call.inputs[2]?.data[0] ?? call.attributes.float('max', Number.POSITIVE_INFINITY);
  return unary((x) => Math.min(high, Math.max(low, x)))(call);
}

/** Floats to integers by cutting towards zero; integers to narrower ones by wrapping. */
function cast(call: Call): Tensor {
  const x = input(call, 0);
  const type = elementType(call.attributes.int('to'));
  if (type === undefined) throw new Error(`Cast to ${call.attributes.int('to')}`);
  const cut = FLOATS.has(x.type) && !FLOATS.has(type) && type !== 'bool';
  return tensor(type, x.dims, cut ? Array.from(x.data, Math.trunc) : x.data);
}

function where(call: Call): Tensor {
  const [condition, yes, no] = [input(call, 0), input(call, 1), input(call, 2)];
  const dims = broadcastDims(condition.dims, yes.dims, no.dims);
  return build(yes.type, dims, (at) => broadcastAt(broadcastAt(condition, at) === 0 ? no : yes, at));
}

export const ELEMENTWISE_OPS: Operators = {
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: divide,
  Pow: binary((a, b) => a ** b),
  Sum: variadic((a, b) => a + b),
  Min: variadic(Math.min),
  Max: variadic(Math.max),
  Sqrt: unary(Math.sqrt),
  Erf: unary(erf),
  Tanh: unary(Math.tanh),
  Relu: unary((x) => Math.max(0, x)),
  Round: unary(roundHalfEven),
  Gelu: (call) => unary(call.attributes.text('approximate', 'none') === 'tanh' ? geluTanh : gelu)(call),
  Clip: clip,
  Cast: cast,
  Where: where,
  Equal: comparison((a, b) => a === b),
  Less: comparison((a, b) => a < b),
};

export const MICROSOFT_ELEMENTWISE_OPS: Operators = {
  Gelu: unary(gelu),
  // With its optional bias.
  FastGelu: (call) => {
    const bias = call.inputs[1];
    const x = input(call, 0);
    return build(x.type, x.dims, (at, place) => geluTanh((x.data[place] as number) + (bias ? broadcastAt(bias, at) : 0)));
  },
};
