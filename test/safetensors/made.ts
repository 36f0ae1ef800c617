// Safetensors files put together byte by byte, sound and broken; no library that would refuse to break a rule.

export interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** A file of a header as given, and data. `claimed`: the length of the header that it states. */
export function fileOf(header: string | Uint8Array, data: Uint8Array = new Uint8Array(0), claimed?: bigint): Buffer {
  const text = typeof header === 'string' ? Buffer.from(header, 'utf8') : Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(claimed ?? BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

/** The bytes of float32 values. */
export function floats(...values: number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

/** A sound file of one tensor of two values. */
export const TWO: Record<string, Entry> = { weight: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } };

export function soundFile(entries: Record<string, unknown> = TWO, data: Uint8Array = floats(1, 2)): Buffer {
  return fileOf(JSON.stringify(entries), data);
}
