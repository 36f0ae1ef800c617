// The reference operators against ONNX's own node tests for quantization: every case that they cover, and which they do not.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ModelProto, TensorProto } from '#src/onnx/proto.js';
import { describeShared, hasShared, sharedPath } from '../shared.js';
import { expectAlike } from './graphs.js';
import { interpret, uncovered } from './interpret.js';
import { fromProto, type Tensor } from './tensor.js';

const ROOT = sharedPath('data/onnx-quant-ops');

// Element types that no pass of embedkit emits.
const FLOAT8_E4M3FN = 'element type 17';
const FLOAT8_E5M2 = 'element type 19';
const UINT4 = 'element type 21';
const INT4 = 'element type 22';
const FLOAT4_E2M1 = 'element type 23';
const UINT2 = 'element type 25';
const INT2 = 'element type 26';

/** Folders passed over -> why. */
const PASSED_OVER: Readonly<Record<string, string>> = {
  test_dequantizelinear_e4m3fn: FLOAT8_E4M3FN,
  test_dequantizelinear_e4m3fn_float16: FLOAT8_E4M3FN,
  test_dequantizelinear_e4m3fn_zero_point: FLOAT8_E4M3FN,
  test_dequantizelinear_e5m2: FLOAT8_E5M2,
  test_dequantizelinear_float4e2m1: FLOAT4_E2M1,
  test_dequantizelinear_int2: INT2,
  test_dequantizelinear_int4: INT4,
  test_dequantizelinear_uint2: UINT2,
  test_dequantizelinear_uint4: UINT4,
  test_qlinearconv: 'operator QLinearConv',
  test_quantizelinear_e4m3fn: FLOAT8_E4M3FN,
  test_quantizelinear_e5m2: FLOAT8_E5M2,
  test_quantizelinear_float4e2m1: FLOAT4_E2M1,
  test_quantizelinear_int2: INT2,
  test_quantizelinear_int4: INT4,
  test_quantizelinear_uint2: UINT2,
  test_quantizelinear_uint4: UINT4,
};

interface Case {
  readonly folder: string;
  readonly model: ModelProto;
  readonly missing: string[];
}

const cases: Case[] = (hasShared ? readdirSync(ROOT) : [])
  .filter((folder) => folder.startsWith('test_'))
  .sort()
  .map((folder) => {
    const model = ModelProto.decode(readFileSync(join(ROOT, folder, 'model.onnx')));
    return { folder, model, missing: uncovered(model) };
  });
const covered = cases.filter(({ missing }) => missing.length === 0);

/** input_0.pb, input_1.pb ... or output_0.pb ..., as many as there are. */
function tensorsOf(folder: string, kind: 'input' | 'output'): Tensor[] {
  const data = join(ROOT, folder, 'test_data_set_0');
  const count = readdirSync(data).filter((name) => name.startsWith(kind)).length;
  return Array.from({ length: count }, (_, at) => fromProto(TensorProto.decode(readFileSync(join(data, `${kind}_${at}.pb`)))));
}

function fedWith(model: ModelProto, inputs: readonly Tensor[]): Record<string, Tensor> {
  const names = (model.graph?.input ?? []).map((port) => String(port.name));
  expect(inputs.length).toBe(names.length);
  return Object.fromEntries(names.map((name, at) => [name, inputs[at] as Tensor]));
}

describeShared('ONNX node tests of quantization', () => {
  it('passes over exactly the folders listed, for the reasons listed', () => {
    const found = cases.filter(({ missing }) => missing.length > 0).map(({ folder, missing }) => [folder, missing.join(', ')]);
    expect(Object.fromEntries(found)).toEqual(PASSED_OVER);
    expect(covered.length).toBeGreaterThanOrEqual(26);
  });

  it.each(covered.map((one) => [one.folder, one] as const))('%s', (folder, { model }) => {
    const expected = tensorsOf(folder, 'output');
    const names = (model.graph?.output ?? []).map((port) => String(port.name));
    expect(names.length).toBe(expected.length);
    const found = interpret(model, fedWith(model, tensorsOf(folder, 'input')));
    names.forEach((name, at) => {
      const tensor = expected[at] as Tensor;
      expectAlike(found[name] as Tensor, tensor, tensor.type === 'float16' ? 1e-3 : 1e-5, name);
    });
  });
});
