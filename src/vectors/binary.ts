// Vectors as one bit a value: set where it is above 0, the first of eight in the highest bit, as numpy.packbits and sentence-transformers' "ubinary" have it.

/** Bytes of signs; the length of the vectors is a multiple of 8, so they may stand row after row. */
export function packSigns(values: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.length / 8);
  for (let index = 0; index < values.length; index++) {
    if ((values[index] as number) > 0) bytes[index >> 3] = (bytes[index >> 3] as number) | (0x80 >> (index & 7));
  }
  return bytes;
}

/** 1 for a set bit and -1 for another: the dot product of two such vectors is their length less twice their Hamming distance, exactly. */
export function unpackSigns(bytes: ArrayLike<number>): Float32Array {
  return Float32Array.from({ length: bytes.length * 8 }, (_, index) => ((bytes[index >> 3] as number) & (0x80 >> (index & 7)) ? 1 : -1));
}
