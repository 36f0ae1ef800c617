// Probe vectors: what a model gave a few texts when it was made, held against what it gives them here and now.
import { EmbedkitError } from '../errors.js';
import { cosine } from '../vectors/matrix.js';

/** The same file on another processor sums in another order; beyond this it computes something else. */
export const PROBE_COSINE = 0.9995;

/** Little-endian float32 in base64. */
export function encodeProbe(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');
}

/** A copy, so that the bytes start at a multiple of four. */
export function decodeProbe(text: string): Float32Array {
  const bytes = new Uint8Array(Buffer.from(text, 'base64'));
  return new Float32Array(bytes.buffer, 0, bytes.byteLength >> 2);
}

/** Throws `engine-failed` where a vector is not the one that the manifest has. */
export function checkProbe(text: string, expected: Float32Array, found: Float32Array): void {
  const similarity = expected.length === found.length ? cosine(expected, found) : Number.NaN;
  if (similarity >= PROBE_COSINE) return;
  const what = `this processor or runtime gives "${text.slice(0, 40)}" another vector than the model was made with (cosine ${similarity.toFixed(5)})`;
  throw new EmbedkitError('engine-failed', what, {
    hint: 'use --precision fp32, or quantize with --weights safe, which every processor computes alike',
  });
}
