// Which type vectors are stored as, checked against the model and the rest of what was asked for.
import { isCoded, type VectorDtype } from '../columns/row.js';
import { EmbedkitError } from '../errors.js';
import type { Manifest } from '../model/manifest.js';
import { rangesFor } from '../model/settings.js';
import type { Storage } from './storage.js';

/** Throws `usage` for a type that the model or the length of the vectors does not allow, and for --reuse with codes. */
export function vectorStorage(manifest: Manifest, dims: number, dtype: VectorDtype, reuse: readonly string[] = []): Storage {
  if (isCoded(dtype) && reuse.length > 0) {
    const found = `--reuse takes float vectors over, and those of --dtype ${dtype} cannot be taken back to float32`;
    throw new EmbedkitError('usage', found, { hint: 'leave --reuse out, or write float32 and convert that' });
  }
  return storageOf(manifest, dims, dtype);
}

/** Throws `usage`. */
export function storageOf(manifest: Manifest, dims: number, dtype: VectorDtype): Storage {
  if (dtype === 'binary' && dims % 8 !== 0) {
    const found = `--dtype binary packs eight values into a byte, and vectors of ${dims} are no multiple of 8`;
    throw new EmbedkitError('usage', found, { hint: 'choose another --dims or --dtype' });
  }
  return { dtype, ranges: dtype === 'int8' ? rangesFor(manifest, dims) : undefined };
}
