// Vectors on the wire: as JSON numbers that read back to the same float32, or as base64 of their little-endian bytes.

/** As many significant digits as tell any two float32 apart, also where they are read as doubles first (IEEE 754-2019, 5.12.2). */
const DIGITS = 9;

/** A vector as a JSON array. Nothing is lost; nor is a minus before a zero. Fewer digits than those of the double: less to write, to send and to read. */
export function vectorJson(vector: Float32Array): string {
  let json = '';
  for (const value of vector) json += `,${Object.is(value, -0) ? '-0.0' : value.toPrecision(DIGITS)}`;
  return `[${json.slice(1)}]`;
}

/** As OpenAI sends it. The bytes are little-endian, which is what every machine that Node runs on has. */
export function vectorBase64(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');
}
