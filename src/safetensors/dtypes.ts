// The element types of safetensors files: how long an element is, and how those that hold weights become float32.
import { fromF16 } from '../vectors/f16.js';

/** Element type -> bits of an element. Source: huggingface/safetensors, safetensors/src/tensor.rs. */
export const ELEMENT_BITS: Readonly<Record<string, number>> = {
  ...{ F4: 4, F6_E2M3: 6, F6_E3M2: 6, BOOL: 8, U8: 8, I8: 8, F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8 },
  ...{ F8_E4M3FNUZ: 8, F8_E5M2FNUZ: 8, I16: 16, U16: 16, F16: 16, BF16: 16, I32: 32, U32: 32, F32: 32 },
  ...{ C64: 64, F64: 64, I64: 64, U64: 64 },
};

/** Writes the little-endian elements in `bytes` to `into` from place `at` on. */
export type Decode = (bytes: DataView, into: Float32Array, at: number) => void;

/** Types that are read as weights; F64 is rounded to the nearest float32. */
export const DECODERS: Readonly<Record<string, Decode>> = {
  F32: each(4, (bytes, offset) => bytes.getFloat32(offset, true)),
  F64: each(8, (bytes, offset) => bytes.getFloat64(offset, true)),
  F16: each(2, (bytes, offset) => fromF16(bytes.getUint16(offset, true))),
  BF16: each(2, bfloat16),
};

function each(size: number, valueAt: (bytes: DataView, offset: number) => number): Decode {
  return (bytes, into, at) => {
    for (let offset = 0; offset < bytes.byteLength; offset += size) into[at + offset / size] = valueAt(bytes, offset);
  };
}

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

/** bfloat16 is the upper half of a float32. */
function bfloat16(bytes: DataView, offset: number): number {
  word[0] = bytes.getUint16(offset, true) << 16;
  return float[0] as number;
}
