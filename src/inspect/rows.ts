// What an output file holds, whatever its format: rows some at a time, with their vectors as a matrix.
import { type Data, DataType, type RecordBatch, type Schema, type Vector } from 'apache-arrow';
import { OWN_COLUMNS } from '../columns/row.js';
import { EmbedkitError } from '../errors.js';
import { fromF16 } from '../vectors/f16.js';
import type { Matrix } from '../vectors/matrix.js';

export interface FileRow {
  readonly id: string;
  /** Tokens that went through the model, special tokens included. */
  readonly tokenCount: number;
  readonly truncated: boolean;
  readonly contentHash: string;
}

export interface FileBatch {
  readonly rows: readonly FileRow[];
  /** One row each: float16 widened to float32, codes as whole numbers; without rows where vectors were not asked for. */
  readonly vectors: Matrix;
  /** What a row has in the column that was asked for beside the file's own. */
  readonly textOf: (row: number) => string;
}

/** What is read of a file beside ids, counts and hashes. */
export interface BatchesOptions {
  readonly vectors: boolean;
  /** A kept column; undefined: none. */
  readonly text?: string | undefined;
}

/** Column of an output -> what its Arrow type must be: other tools that rewrite a file change widths, not kinds. */
const KINDS: Record<(typeof OWN_COLUMNS)[number], readonly [string, (type: DataType) => boolean]> = {
  id: ['text', isText],
  embedding: ['a fixed-size list of Float32, Float16, Int8 or Uint8', isVector],
  token_count: ['a whole number', DataType.isInt],
  truncated: ['Bool', DataType.isBool],
  content_hash: ['text', isText],
};

function isText(type: DataType): boolean {
  return DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isUtf8View(type);
}

function isVector(type: DataType): boolean {
  if (!DataType.isFixedSizeList(type)) return false;
  const item = type.children[0]?.type;
  return DataType.isFloat(item) ? item.precision !== 2 : DataType.isInt(item) && item.bitWidth === 8;
}

/** What keeps a table from being an output of embedkit: columns that are missing or of another kind. */
export function columnFaults(schema: Schema): string[] {
  return OWN_COLUMNS.flatMap((name) => {
    const field = schema.fields.find((candidate) => candidate.name === name);
    const [kind, fits] = KINDS[name];
    if (field === undefined) return [`no column "${name}"`];
    return fits(field.type) ? [] : [`a column "${name}" of type ${field.type} where ${kind} should be`];
  });
}

/** A record batch as rows; `path` is for messages, `text` a kept column. Throws `input-unreadable` where a value is null. */
export function batchRows(batch: RecordBatch, path: string, text?: string): FileBatch {
  const own = OWN_COLUMNS.map((name) => batch.getChild(name));
  const holed = OWN_COLUMNS.find((_, index) => (own[index]?.nullCount ?? 0) > 0);
  if (holed !== undefined) throw altered(path, `column "${holed}" has nulls`);
  const [ids, embedding, tokens, truncated, hashes] = own as [Vector, Vector | null, Vector, Vector, Vector];
  const rows = Array.from({ length: batch.numRows }, (_, row) => ({
    id: String(ids.get(row)),
    tokenCount: Number(tokens.get(row)),
    truncated: Boolean(truncated.get(row)),
    contentHash: String(hashes.get(row)),
  }));
  const vectors = embedding === null ? { rows: 0, dim: 0, data: new Float32Array() } : matrixOf(embedding, rows.length, path);
  const texts = text === undefined ? null : batch.getChild(text);
  return { rows, vectors, textOf: (row) => shownValue(texts?.get(row)) };
}

/** A value of any column as text; null is empty. */
export function shownValue(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : String(value);
}

function matrixOf(embedding: Vector, rows: number, path: string): Matrix {
  const dim = (embedding.type as { listSize: number }).listSize;
  const items = (embedding.data[0] as Data | undefined)?.children[0] as Data | undefined;
  const values = (items?.values ?? new Float32Array()) as Float32Array | Uint16Array | Int8Array | Uint8Array;
  if (values.length < rows * dim || (items?.nullCount ?? 0) > 0) throw altered(path, 'column "embedding" has missing values');
  const own = values.subarray(0, rows * dim);
  return { rows, dim, data: own instanceof Float32Array ? own : widened(own) };
}

function widened(values: Uint16Array | Int8Array | Uint8Array): Float32Array {
  return values instanceof Uint16Array ? Float32Array.from(values, fromF16) : Float32Array.from(values);
}

export function altered(path: string, found: string): EmbedkitError {
  return new EmbedkitError('input-unreadable', `${path}: ${found}, which no output of embedkit has`, {
    hint: 'the file was altered: embed the input again',
  });
}
