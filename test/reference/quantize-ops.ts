// Reference of the operators between floats and small integers. Source: ONNX docs/Operators.md, opsets 10 to 25.
import { axisOf, build } from './layout.js';
import { type Call, input, type Operators } from './operator.js';
import { roundHalfEven, saturate } from './rounding.js';
import { type ElementType, elementType, type Tensor, tensor } from './tensor.js';

/**
 * The scale or zero point that belongs to coordinates of x: one for all, one for each place of the axis, or one for a
 * block of places along it.
 */
function parameterAt(parameter: Tensor, x: Tensor, call: Call, coordinates: readonly number[]): number {
  if (parameter.data.length === 1) return parameter.data[0] as number;
  const axis = axisOf(call.attributes.int('axis', 1), x.dims.length);
  const block = call.attributes.int('block_size', 0);
  const place = coordinates[axis] as number;
  if (block === 0) {
    if (parameter.dims.length !== 1 || parameter.dims[0] !== x.dims[axis]) {
      throw new Error(`[${parameter.dims}] is not one for each of axis ${axis} of [${x.dims}]`);
    }
    return parameter.data[place] as number;
  }
  let at = 0;
  parameter.dims.forEach((dim, one) => {
    at = at * dim + (one === axis ? Math.floor(place / block) : (coordinates[one] as number));
  });
  return parameter.data[at] as number;
}

/** One value quantized: the quotient in float32 and rounded half to even, the zero point added, then saturated. */
export function quantized(value: number, scale: number, zeroPoint: number, type: ElementType): number {
  return saturate(roundHalfEven(Math.fround(value / scale)) + zeroPoint, type);
}

function quantizeLinear(call: Call): Tensor {
  const x = input(call, 0);
  const scale = input(call, 1);
  const zeroPoint = call.inputs[2];
  const type = zeroPoint?.type ?? elementType(call.attributes.int('output_dtype', 0)) ?? 'uint8';
  return build(type, x.dims, (coordinates, at) => {
    const zero = zeroPoint === undefined ? 0 : parameterAt(zeroPoint, x, call, coordinates);
    return quantized(x.data[at] as number, parameterAt(scale, x, call, coordinates), zero, type);
  });
}

function dequantizeLinear(call: Call): Tensor {
  const x = input(call, 0);
  const scale = input(call, 1);
  const zeroPoint = call.inputs[2];
  return build(scale.type, x.dims, (coordinates, at) => {
    const zero = zeroPoint === undefined ? 0 : parameterAt(zeroPoint, x, call, coordinates);
    return Math.fround((x.data[at] as number) - zero) * parameterAt(scale, x, call, coordinates);
  });
}

/** y, scale and zero point: the range of x, widened to hold 0, over the 256 values of uint8. */
export function quantizeDynamically(x: Tensor): { y: Tensor; scale: Tensor; zeroPoint: Tensor } {
  const lowest = Math.min(0, ...x.data);
  const highest = Math.max(0, ...x.data);
  // All zeros have no range; the runtime takes 1.
  const scale = highest === lowest ? 1 : Math.fround(Math.fround(highest - lowest) / 255);
  const zero = saturate(roundHalfEven(Math.fround(-lowest / scale)), 'uint8');
  const y = tensor(
    'uint8',
    x.dims,
    Array.from(x.data, (value) => quantized(value, scale, zero, 'uint8')),
  );
  return { y, scale: tensor('float32', [], [scale]), zeroPoint: tensor('uint8', [], [zero]) };
}

export const QUANTIZE_OPS: Operators = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
  DynamicQuantizeLinear: (call) => {
    const { y, scale, zeroPoint } = quantizeDynamically(input(call, 0));
    return [y, scale, zeroPoint];
  },
};
