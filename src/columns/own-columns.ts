// The columns that embedkit adds to a row: fields and arrays, the same in every Arrow layout.
import {
  Bool,
  type Data,
  type DataType,
  Field,
  FixedSizeList,
  Float16,
  Float32,
  Int8,
  Int32,
  makeData,
  Uint8,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import { type LayoutOptions, type OutputRow, storedLength, type VectorDtype } from './row.js';
import { utf8Column } from './utf8.js';

type VectorLayout = Pick<LayoutOptions, 'dtype' | 'dim' | 'encode'>;

const ITEM_TYPES: Record<VectorDtype, DataType> = {
  float32: new Float32(),
  float16: new Float16(),
  int8: new Int8(),
  binary: new Uint8(),
};

/** The vector and what the model saw of the text; the id comes before, where there is one. */
export function vectorFields(layout: VectorLayout): Field[] {
  return [
    new Field('embedding', embeddingType(layout), false),
    new Field('token_count', new Int32(), false),
    new Field('truncated', new Bool(), false),
    new Field('content_hash', new Utf8(), false),
  ];
}

/** The arrays of `vectorFields`; `values` holds a vector a row, and is not copied. */
export function vectorColumns(rows: readonly OutputRow[], values: Float32Array<ArrayBuffer>, layout: VectorLayout): Data[] {
  const truncated = vectorFromArray(
    rows.map((row) => row.truncated),
    new Bool(),
  );
  return [
    embeddings(rows.length, values, layout),
    makeData({ type: new Int32(), data: Int32Array.from(rows, (row) => row.tokenCount), nullCount: 0 }) as Data,
    truncated.data[0] ?? (makeData({ type: new Bool(), length: 0, nullCount: 0, data: new Uint8Array(0) }) as Data),
    utf8Column(rows.map((row) => row.contentHash)),
  ];
}

function embeddings(rows: number, values: Float32Array<ArrayBuffer>, layout: VectorLayout): Data {
  const data = layout.encode(values);
  const child = makeData({ type: ITEM_TYPES[layout.dtype], data, nullCount: 0 } as Parameters<typeof makeData>[0]) as Data;
  return makeData({ type: embeddingType(layout), length: rows, nullCount: 0, child }) as Data;
}

function embeddingType({ dtype, dim }: Pick<VectorLayout, 'dtype' | 'dim'>): FixedSizeList {
  return new FixedSizeList(storedLength(dtype, dim), new Field('item', ITEM_TYPES[dtype], false));
}
