// A finished window as one Arrow IPC file: rows with all that a writer needs of them, and their vectors, bit for bit.
import {
  Bool,
  type Data,
  Field,
  Float32,
  Float64,
  Int32,
  List,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  RecordBatchReader,
  Schema,
  Struct,
  Utf8,
  type Vector,
  vectorFromArray,
} from 'apache-arrow';
import { decodeKept, encodeKept } from './part-kept.js';
import { CHUNK_COLUMNS, type KeepColumn, type OutputRow, type RowVectors } from './row.js';
import { chunkColumns, chunkFields } from './row-groups.js';
import { utf8Column } from './utf8.js';

export interface Part {
  readonly rows: readonly OutputRow[];
  readonly vectors: RowVectors;
}

/** As a file holds it: a row may leave its vector in an earlier output, where its content hash finds it. */
export interface StoredPart {
  readonly rows: readonly OutputRow[];
  /** 1 at rows whose vector is not here. */
  readonly borrowed: Uint8Array;
  /** Of the other rows, in their order. */
  readonly vectors: RowVectors;
}

export interface PartLayout {
  readonly keep: readonly KeepColumn[];
  /** What the vectors are rounded for: those of one type are not those of another, and a content hash does not tell. */
  readonly storedAs: string;
}

const STORED_AS = 'stored_as';
const OWN = ['id', 'source', 'unit', 'number', 'token_count', 'truncated', 'content_hash', 'embedding'] as const;

/** Encodes rows (at least one) and their vectors. Throws `bad-row` where the kept columns of the rows are of different kinds. */
export function encodePart({ rows, borrowed, vectors }: StoredPart, { keep, storedAs }: PartLayout): Uint8Array {
  const columns = [
    ...ownColumns(rows),
    ...(rows[0]?.chunk === undefined ? [] : chunksOf(rows)),
    embeddings(vectors, borrowed),
    ...(keep.length === 0 ? [] : encodeKept(rows, keep)),
  ];
  const schema = new Schema(
    columns.map(([field]) => field),
    new Map([[STORED_AS, storedAs]]),
  );
  const children = columns.map(([, data]) => data);
  const batch = new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: rows.length, nullCount: 0, children }));
  return new RecordBatchFileWriter().writeAll([batch]).toUint8Array(true);
}

function chunksOf(rows: readonly OutputRow[]): [Field, Data][] {
  const data = chunkColumns(rows);
  return chunkFields().map((field, index) => [field, data[index] as Data]);
}

function ownColumns(rows: readonly OutputRow[]): [Field, Data][] {
  const text = (name: string, value: (row: OutputRow) => string): [Field, Data] => textColumn(name, rows.map(value));
  const of = (name: string, type: Float64 | Int32 | Bool, value: (row: OutputRow) => unknown): [Field, Data] =>
    column(name, type, rows.map(value));
  return [
    text('id', (row) => row.id),
    text('source', (row) => row.place.source),
    text('unit', (row) => row.place.unit),
    of('number', new Float64(), (row) => row.place.number),
    of('token_count', new Int32(), (row) => row.tokenCount),
    of('truncated', new Bool(), (row) => row.truncated),
    text('content_hash', (row) => row.contentHash),
  ];
}

function textColumn(name: string, values: readonly string[]): [Field, Data] {
  return [new Field(name, new Utf8(), false), utf8Column(values)];
}

function column(name: string, type: Float64 | Int32 | Bool, values: readonly unknown[]): [Field, Data] {
  return [new Field(name, type, false), vectorFromArray(values, type).data[0] as Data];
}

/** A list a row, empty where the vector is borrowed. */
function embeddings({ dim, data }: RowVectors, borrowed: Uint8Array): [Field, Data] {
  const type = new List(new Field('item', new Float32(), false));
  const child = makeData({ type: new Float32(), data, nullCount: 0 });
  const valueOffsets = new Int32Array(borrowed.length + 1);
  for (const [row, isBorrowed] of borrowed.entries()) valueOffsets[row + 1] = (valueOffsets[row] as number) + (isBorrowed ? 0 : dim);
  return [new Field('embedding', type, false), makeData({ type, length: borrowed.length, nullCount: 0, valueOffsets, child }) as Data];
}

/** The only batch of a part. Throws where the bytes are none. */
function batchIn(bytes: Uint8Array): RecordBatch {
  const [batch] = [...RecordBatchReader.from(bytes)] as RecordBatch[];
  if (batch === undefined || OWN.some((name) => batch.getChild(name) === null)) throw new Error('not a finished window');
  return batch;
}

function vectorsIn(batch: RecordBatch): Omit<StoredPart, 'rows'> {
  const list = batch.getChild('embedding')?.data[0] as Data;
  const offsets = list.valueOffsets;
  const borrowed = Uint8Array.from({ length: batch.numRows }, (_, row) => Number(offsets[row] === offsets[row + 1]));
  const rows = batch.numRows - borrowed.reduce((sum, one) => sum + one, 0);
  const values = offsets[batch.numRows] as number;
  const data = (list.children[0] as Data).values.subarray(0, values);
  return { borrowed, vectors: { rows, dim: rows === 0 ? 0 : values / rows, data } };
}

/** Content hashes, token counts and where the vectors stand, of the rows that have theirs here: what is needed to take them into another run. */
export function readPartKeys(bytes: Uint8Array): {
  keys: Pick<OutputRow, 'contentHash' | 'tokenCount' | 'truncated'>[];
  vectorsAt: number;
  dim: number;
  storedAs: string | undefined;
} {
  const batch = batchIn(bytes);
  const [hash, tokens, truncated] = ['content_hash', 'token_count', 'truncated'].map((name) => batch.getChild(name)) as [
    Vector,
    Vector,
    Vector,
  ];
  const { borrowed, vectors } = vectorsIn(batch);
  const own = [...borrowed.keys()].filter((row) => borrowed[row] === 0);
  const keys = own.map((row) => ({ contentHash: hash.get(row), tokenCount: tokens.get(row), truncated: truncated.get(row) }));
  // The library hands out views of the bytes that it was given.
  return { keys, vectorsAt: vectors.data.byteOffset - bytes.byteOffset, dim: vectors.dim, storedAs: batch.schema.metadata.get(STORED_AS) };
}

type Columns = [Vector, Vector, Vector, Vector, Vector, Vector, Vector];

/** Reads what `encodePart` made. Throws what apache-arrow does for other bytes. */
export function decodePart(bytes: Uint8Array, keep: readonly KeepColumn[]): StoredPart {
  const batch = batchIn(bytes);
  const [id, source, unit, number, tokenCount, truncated, contentHash] = OWN.map((name) => batch.getChild(name)) as Columns;
  const keptOf = decodeKept(batch, keep);
  const chunkOf = decodeChunks(batch);
  const rows = Array.from(
    { length: batch.numRows },
    (_, row): OutputRow => ({
      id: id.get(row),
      kept: keptOf(row),
      place: { source: source.get(row), unit: unit.get(row), number: number.get(row) },
      tokenCount: tokenCount.get(row),
      truncated: truncated.get(row),
      contentHash: contentHash.get(row),
      ...chunkOf(row),
    }),
  );
  return { rows, ...vectorsIn(batch) };
}

function decodeChunks(batch: RecordBatch): (row: number) => Pick<OutputRow, 'chunk'> {
  const [parent, start, end] = CHUNK_COLUMNS.map((name) => batch.getChild(name));
  if (!parent || !start || !end) return () => ({});
  return (row) => ({ chunk: { parentId: parent.get(row), start: start.get(row), end: end.get(row) } });
}
