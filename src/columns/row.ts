// What columns/ takes: rows without their vectors, which come beside them as a matrix.
import type { Vector } from 'apache-arrow';

/** Where a row stands in its source, for messages. */
export interface RowPlace {
  readonly source: string;
  readonly unit: 'line' | 'row';
  readonly number: number;
}

/** Kept values of one row: plain values, or a row of an Arrow batch. */
export type KeptCells =
  | { readonly kind: 'values'; readonly values: readonly unknown[] }
  | { readonly kind: 'arrow'; readonly columns: readonly Vector[]; readonly row: number };

export interface OutputRow {
  readonly id: string;
  readonly kept: KeptCells;
  readonly place: RowPlace;
  /** Tokens that went through the model, special tokens included. */
  readonly tokenCount: number;
  readonly truncated: boolean;
  readonly contentHash: string;
  /** Set where the row is a piece of a longer text, or may be: in a layout with chunks. */
  readonly chunk?: RowChunk | undefined;
}

/** Which part of its document a row is: characters (Unicode code points) from the start, end exclusive. */
export interface RowChunk {
  readonly parentId: string;
  readonly start: number;
  readonly end: number;
}

/** n x dim values of the rows, in their order; already rounded to binary16 values where the dtype is float16. */
export interface RowVectors {
  readonly rows: number;
  readonly dim: number;
  readonly data: Float32Array;
}

export const VECTOR_DTYPES = ['float32', 'float16', 'int8', 'binary'] as const;
export type VectorDtype = (typeof VECTOR_DTYPES)[number];

/** Values as a file holds them: of binary each is eight signs. */
export type StoredValues = Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Int8Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** Whether a file holds whole numbers that stand for values, and not the values. */
export function isCoded(dtype: VectorDtype): dtype is 'int8' | 'binary' {
  return dtype === 'int8' || dtype === 'binary';
}

/** How many numbers of a file are a vector of `dim` values. */
export function storedLength(dtype: VectorDtype, dim: number): number {
  return dtype === 'binary' ? dim / 8 : dim;
}

const ITEM_BYTES: Record<VectorDtype, number> = { float32: 4, float16: 2, int8: 1, binary: 1 };

/** Bytes of a vector of `dim` values. */
export function vectorBytes(dtype: VectorDtype, dim: number): number {
  return storedLength(dtype, dim) * ITEM_BYTES[dtype];
}

export const KEPT_TYPES = ['string', 'int64', 'float64', 'bool', 'json'] as const;
export type KeptTypeName = (typeof KEPT_TYPES)[number];

/** A column carried through; `type` undefined: as the source has it. */
export interface KeepColumn {
  readonly name: string;
  readonly type: KeptTypeName | undefined;
}

/** A writer of one output format. Rows come in input order; `finish` or `abort` ends it. */
export interface ColumnsWriter {
  append(rows: readonly OutputRow[], vectors: RowVectors): Promise<void>;
  /** Completes the file. */
  finish(): Promise<void>;
  /** Lets go of what the writer holds; what the sink has stays there. */
  abort(): Promise<void>;
}

/** Where bytes go. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
}

export interface LayoutOptions {
  readonly keep: readonly KeepColumn[];
  /** Whether rows say which part of their document they are. */
  readonly chunks: boolean;
  readonly dtype: VectorDtype;
  readonly dim: number;
  /** Makes values of `dtype` of float32 ones, whole vectors at a time. */
  readonly encode: (values: Float32Array) => StoredValues;
  /** File metadata: key -> text. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** Names that the output gives its own columns. */
export const OWN_COLUMNS = ['id', 'embedding', 'token_count', 'truncated', 'content_hash'] as const;
export const CHUNK_COLUMNS = ['parent_id', 'chunk_start', 'chunk_end'] as const;
