// What storing the vectors of a retrieval set as each type costs: which types, and how each is compared. Pure.
import { isCoded, type VectorDtype } from '../columns/row.js';
import type { Storage } from '../job/storage.js';
import { storageOf } from '../job/storage-plan.js';
import type { Manifest } from '../model/manifest.js';

/** nDCG@10 of documents stored as a type. */
export interface StorageScore {
  readonly dtype: VectorDtype;
  readonly ndcg: number;
}

/** Types that lose something. */
export const LOSSY_DTYPES = ['float16', 'int8', 'binary'] as const satisfies readonly VectorDtype[];

/** Throws `usage` for a type that the model's vectors cannot be stored as. */
export function storagesOf(manifest: Manifest, dtypes: readonly VectorDtype[] = []): Storage[] {
  return dtypes.map((dtype) => storageOf(manifest, manifest.dim, dtype));
}

/** How documents of a type are compared with queries. */
export function comparisonOf(dtype: VectorDtype): string {
  if (dtype === 'binary') return 'signs of both, by Hamming distance';
  return isCoded(dtype) ? 'float32 queries, documents decoded' : 'float32 queries';
}
