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
  readonly queries: QueryType;
  readonly ndcg: number;
}

/** What queries are held against the documents as. */
export type QueryType = 'float32' | 'binary';

/** A type to measure. */
export interface MeasuredStorage extends Storage {
  /** Of a vector. */
  readonly bytes: number;
  readonly queries: QueryType;
}

/** Types that lose something. */
export const LOSSY_DTYPES = ['float16', 'int8', 'binary'] as const satisfies readonly VectorDtype[];

/** What was asked for, with float32 before it; binary as indexes of bits compare it, and as what they found is ordered again. Throws `usage` for a type that the model's vectors cannot be stored as. */
export function storagesOf(folder: ModelFolder, dtypes: readonly VectorDtype[] = []): MeasuredStorage[] {
  const { dim } = folder.manifest;
  const wanted = dtypes.length === 0 ? [] : new Set<VectorDtype>(['float32', ...dtypes]);
  return [...wanted].flatMap((dtype) => {
    const storage = { ...storageOf(folder, dim, dtype), bytes: vectorBytes(dtype, dim) };
    const queries: readonly QueryType[] = dtype === 'binary' ? ['binary', 'float32'] : ['float32'];
    return queries.map((type) => ({ ...storage, queries: type }));
  });
}

/** How documents of a type are compared with queries. */
export function comparisonOf({ dtype, queries }: Pick<StorageScore, 'dtype' | 'queries'>): string {
  if (queries === 'binary') return 'signs of both, by Hamming distance';
  if (dtype === 'binary') return 'float32 queries, signs of documents';
  return isCoded(dtype) ? 'float32 queries, documents decoded' : 'float32 queries';
}
