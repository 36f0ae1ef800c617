// Which type vectors are stored as, checked against the model; and what makes them of it.
import type { VectorDtype } from '../columns/row.js';
import { EmbedkitError } from '../errors.js';
import type { ModelFolder } from '../model/folder.js';
import { rangesFor } from '../model/settings.js';
import { type Encode, encoderOf, type Storage } from './storage.js';

/** Throws `usage` for a type that the model or the length of the vectors does not allow. */
export function storageOf(folder: Pick<ModelFolder, 'manifest' | 'path'>, dims: number, dtype: VectorDtype): Storage {
  if (dtype === 'binary' && dims % 8 !== 0) {
    const found = `--dtype binary packs eight values into a byte, and ${dims} values are no multiple of 8`;
    throw new EmbedkitError('usage', found, { hint: 'choose another --dims or --dtype' });
  }
  return { dtype, ranges: dtype === 'int8' ? rangesFor(folder, dims) : undefined };
}

/** An encoder, and the values that it found outside the ranges of int8 so far. */
export function countingEncoder(storage: Storage): { readonly encode: Encode; readonly clamped: { values: number } } {
  const clamped = { values: 0 };
  const encode = encoderOf(storage, (values) => {
    clamped.values += values;
  });
  return { encode, clamped };
}
