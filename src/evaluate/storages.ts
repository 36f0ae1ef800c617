// What storing the vectors of a retrieval set as each type costs: which types, and how each is compared. Pure.
import { isCoded, type VectorDtype, vectorBytes } from '../columns/row.js';
import type { Storage } from '../job/storage.js';
import { storageOf } from '../job/storage-plan.js';
import type { ModelFolder } from '../model/folder.js';

/** nDCG@10 of documents stored as a type. */
export interface StorageScore {
  readonly dtype: VectorDtype;
  /** Of a vector. */
  readonly bytes: number;
  readonly ndcg: number;
}

/** A type to measure. */
export interface MeasuredStorage extends Storage {
  /** Of a vector. */
  readonly bytes: number;
}

/** Types that lose something. */
export const LOSSY_DTYPES = ['float16', 'int8', 'binary'] as const satisfies readonly VectorDtype[];

/** What was asked for, with float32 before it. Throws `usage` for a type that the model's vectors cannot be stored as. */
export function storagesOf(folder: ModelFolder, dtypes: readonly VectorDtype[] = []): MeasuredStorage[] {
  const { dim } = folder.manifest;
  const wanted = dtypes.length === 0 ? [] : new Set<VectorDtype>(['float32', ...dtypes]);
  return [...wanted].map((dtype) => ({ ...storageOf(folder, dim, dtype), bytes: vectorBytes(dtype, dim) }));
}

/** How documents of a type are compared with queries. */
export function comparisonOf(dtype: VectorDtype): string {
  if (dtype === 'binary') return 'signs of both, by Hamming distance';
  return isCoded(dtype) ? 'float32 queries, documents decoded' : 'float32 queries';
}
