// Vectors as an output stores them, and back to what is compared: the one place that knows how for each type.
import { hash } from 'node:crypto';
import { isCoded, type StoredValues, type VectorDtype } from '../columns/row.js';
import { packSigns, unpackSigns } from '../vectors/binary.js';
import { encodeF16, fromF16 } from '../vectors/f16.js';
import { decodeInt8, encodeInt8, type Int8Ranges } from '../vectors/int8.js';
import type { Matrix } from '../vectors/matrix.js';
import { normalise } from '../vectors/normalise.js';

/** A type with the ranges that int8 needs. */
export interface Storage {
  readonly dtype: VectorDtype;
  readonly ranges: Int8Ranges | undefined;
}

/** A name for a type, by its ranges where it has them. */
export function storageName({ dtype, ranges }: Storage): string {
  if (ranges === undefined) return dtype;
  return `${dtype} ${hash('sha256', JSON.stringify(ranges), 'hex').slice(0, 16)}`;
}

export type Encode = (values: Float32Array) => StoredValues;

/** What makes stored values of float32 ones. `onClamped` is told how many were outside their ranges. Throws RangeError for int8 without ranges. */
export function encoderOf({ dtype, ranges }: Storage, onClamped?: (values: number) => void): Encode {
  if (dtype === 'int8') return (values) => encodeInt8(values, rangesIn(ranges), onClamped);
  if (dtype === 'binary') return packSigns;
  return dtype === 'float16' ? encodeF16 : (values) => values as Float32Array<ArrayBuffer>;
}

/** Stored values as float32: int8 as what its codes stand for, the bits of binary as 1 and -1. Storing those gives the same values again. */
export function floatsOf(stored: StoredValues, { dtype, ranges }: Storage): Float32Array {
  if (dtype === 'int8') return decodeInt8(stored, rangesIn(ranges));
  if (dtype === 'binary') return unpackSigns(stored);
  return stored instanceof Float32Array ? stored : Float32Array.from(stored, fromF16);
}

/**
 * Vectors of a file as those that dot products compare.
 * @param stored codes and bytes as whole numbers, float16 widened
 */
export function decoded(stored: Matrix, storage: Storage): Matrix {
  if (!isCoded(storage.dtype)) return stored;
  const dim = storage.dtype === 'binary' ? stored.dim * 8 : stored.dim;
  return { rows: stored.rows, dim, data: floatsOf(stored.data as StoredValues, storage) };
}

/** Vectors as they come back from a file of this type. */
export function throughStorage({ rows, dim, data }: Matrix, storage: Storage): Matrix {
  return { rows, dim, data: floatsOf(encoderOf(storage)(data), storage) };
}

/** A query as it is held against stored documents: its signs for binary, and itself for all others. */
export function queryFor(query: Matrix, storage: Storage): Matrix {
  return storage.dtype === 'binary' ? throughStorage(query, storage) : query;
}

/**
 * A copy of length 1: float16 and int8 round lengths, and not every model normalises. Signs stay 1 and -1, whose sums are exact.
 * @param vectors decoded
 */
export function comparable(vectors: Matrix, { dtype }: Storage): Matrix {
  if (dtype === 'binary') return vectors;
  const unit = { ...vectors, data: vectors.data.slice() };
  normalise(unit);
  return unit;
}

function rangesIn(ranges: Int8Ranges | undefined): Int8Ranges {
  if (ranges === undefined) throw new RangeError('int8 without ranges');
  return ranges;
}
