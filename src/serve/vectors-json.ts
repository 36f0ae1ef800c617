// Vectors on the wire: as JSON numbers that read back to the same float32, or as base64 of their little-endian bytes.

/** A vector as a JSON array. Every number is the double nearest to the float32, so nothing is lost; nor is a minus before a zero. */
export function vectorJson(vector: Float32Array): string {
  const numbers = Array.from(vector);
  const hasMinusZero = numbers.some((value) => Object.is(value, -0));
  return `[${(hasMinusZero ? numbers.map((value) => (Object.is(value, -0) ? '-0.0' : value)) : numbers).join(',')}]`;
}

/** As OpenAI sends it. The bytes are little-endian, which is what every machine that Node runs on has. */
export function vectorBase64(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');
}
