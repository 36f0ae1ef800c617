// Reference of the matrix products of integers: sums exact, then scaled. Sources: ONNX docs/Operators.md; ONNX Runtime docs/ContribOperators.md.
import { broadcastAt, build, reshaped } from './layout.js';
import { type Product, product } from './matrix-ops.js';
import { type Call, input, type Operators } from './operator.js';
import { quantizeDynamically } from './quantize-ops.js';
import { roundHalfEven, saturate } from './rounding.js';
import { type Tensor, tensor } from './tensor.js';

/** A list of several values belongs to the rows of a left factor, as a column; to the columns of a right one as it is. */
function asColumn(parameter: Tensor): Tensor {
  return parameter.dims.length === 1 && parameter.data.length > 1 ? reshaped(parameter, [...parameter.dims, 1]) : parameter;
}

/** x less its zero point, as int32. */
function centred(x: Tensor, zeroPoint: Tensor | undefined): Tensor {
  return build('int32', x.dims, (coordinates, at) => (x.data[at] as number) - (zeroPoint ? broadcastAt(zeroPoint, coordinates) : 0));
}

function matMulInteger(call: Call): Tensor {
  const aZero = call.inputs[2];
  const { dims, sums } = product(centred(input(call, 0), aZero && asColumn(aZero)), centred(input(call, 1), call.inputs[3]));
  return tensor('int32', dims, sums);
}

/** Quantized product of quantized factors; scales and zero points for all, or for each row of a and column of b. */
function qLinearMatMul(call: Call): Tensor {
  const [a, aScale, aZero, b, bScale, bZero, yScale, yZero] = Array.from({ length: 8 }, (_, at) => input(call, at)) as [
    ...[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor],
  ];
  const { dims, sums } = product(centred(a, asColumn(aZero)), centred(b, bZero));
  const [rowScale, outScale, outZero] = [asColumn(aScale), asColumn(yScale), asColumn(yZero)];
  return build(yZero.type, dims, (coordinates, at) => {
    const factor = (broadcastAt(rowScale, coordinates) * broadcastAt(bScale, coordinates)) / broadcastAt(outScale, coordinates);
    const rounded = roundHalfEven(Math.fround((sums[at] as number) * factor));
    return saturate(rounded + broadcastAt(outZero, coordinates), yZero.type);
  });
}

interface Scaling {
  readonly aScale: Tensor;
  readonly bScale: Tensor;
  readonly bias: Tensor | undefined;
}

/** sums * (aScale * bScale) + bias, each step in float32. */
function scaled({ dims, sums }: Product, { aScale, bScale, bias }: Scaling): Tensor {
  return build('float32', dims, (coordinates, at) => {
    const factor = Math.fround(broadcastAt(aScale, coordinates) * broadcastAt(bScale, coordinates));
    const value = Math.fround((sums[at] as number) * factor);
    return bias === undefined ? value : value + broadcastAt(bias, coordinates);
  });
}

/** A, B, a_scale, b_scale (one, or one a column), a_zero_point, b_zero_point, bias. */
function matMulIntegerToFloat(call: Call): Tensor {
  const sums = product(centred(input(call, 0), call.inputs[4]), centred(input(call, 1), call.inputs[5]));
  return scaled(sums, { aScale: input(call, 2), bScale: input(call, 3), bias: call.inputs[6] });
}

/** A in float32, B, b_scale, b_zero_point, bias: one scale over the whole of A. */
function dynamicQuantizeMatMul(call: Call): Tensor {
  const { y, scale, zeroPoint } = quantizeDynamically(input(call, 0));
  const sums = product(centred(y, zeroPoint), centred(input(call, 1), call.inputs[3]));
  return scaled(sums, { aScale: scale, bScale: input(call, 2), bias: call.inputs[4] });
}

export const INTEGER_MATRIX_OPS: Operators = { MatMulInteger: matMulInteger, QLinearMatMul: qLinearMatMul };

export const MICROSOFT_INTEGER_MATRIX_OPS: Operators = {
  MatMulIntegerToFloat: matMulIntegerToFloat,
  DynamicQuantizeMatMul: dynamicQuantizeMatMul,
};
