// IEEE 754 binary16 and back, by bits; rounding to nearest, ties to even, as the standard and ONNX's Cast do.

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Largest finite binary16 value. */
export const F16_MAX = 65504;

/** One float32 value as binary16 bits; beyond the range it becomes an infinity, NaN stays NaN. */
export function toF16(value: number): number {
  float[0] = value;
  const word = bits[0] as number;
  const sign = (word >>> 16) & 0x8000;
  const exponent = (word >>> 23) & 0xff;
  const mantissa = word & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (mantissa === 0 ? 0 : 0x200);
  const scale = exponent - 112;
  if (scale >= 31) return sign | 0x7c00;
  if (scale > 0) return sign | roundShift((scale << 23) | mantissa, 13);
  if (scale < -10) return sign;
  return sign | roundShift(mantissa | 0x800000, 14 - scale);
}

/** Shifts right, rounding to nearest and ties to even; a carry runs into the exponent as it should. */
function roundShift(value: number, shift: number): number {
  const half = 1 << (shift - 1);
  const rest = value & ((1 << shift) - 1);
  const floor = value >>> shift;
  return rest > half || (rest === half && (floor & 1) === 1) ? floor + 1 : floor;
}

/** The value of binary16 bits. */
export function fromF16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0x1f) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

/** A whole array as binary16 bits. */
export function encodeF16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const halves = new Uint16Array(values.length);
  for (let index = 0; index < values.length; index++) halves[index] = toF16(values[index] as number);
  return halves;
}

/** Rounds every value to the nearest binary16 value, in place. */
export function roundToF16(values: Float32Array): void {
  for (let index = 0; index < values.length; index++) values[index] = fromF16(toF16(values[index] as number));
}
