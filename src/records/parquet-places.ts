// Where the values of a column of fixed-size lists stand in a Parquet file that holds them as they are (PLAIN, uncompressed): the rows
// of a page are then the last bytes of it, and the offset index says which rows those are (parquet.thrift: ColumnChunk, OffsetIndex, PageLocation).
import { type FileHandle, open } from 'node:fs/promises';
import { type ColumnChunk, parquetMetadataAsync, type RowGroup, readOffsetIndex } from 'hyparquet';

export interface ColumnPlaces {
  /** First rows of the pages, ascending from 0. */
  readonly firstRows: Float64Array;
  /** Bytes from the start of the file to the values of each page's first row: those of its other rows follow. */
  readonly at: Float64Array;
}

/**
 * @param values float32 values a row
 * @returns undefined for a file whose column is of another kind, is encoded otherwise, or has no offset index
 */
export async function placesOf(path: string, column: string, values: number): Promise<ColumnPlaces | undefined> {
  const file = await open(path);
  try {
    return await placesIn(file, column, values);
  } catch {
    // Whoever reads the whole file says what is wrong with it.
    return undefined;
  } finally {
    await file.close();
  }
}

async function placesIn(file: FileHandle, column: string, values: number): Promise<ColumnPlaces | undefined> {
  const { size } = await file.stat();
  const slice = (start: number, end = size): Promise<ArrayBuffer> => bytesOf(file, start, end - start);
  const { row_groups: groups } = await parquetMetadataAsync({ byteLength: size, slice });
  const firstRows: number[] = [];
  const at: number[] = [];
  let before = 0;
  for (const group of groups) {
    const chunk = group.columns.find(({ meta_data: meta }) => meta?.path_in_schema[0] === column);
    if (chunk === undefined || !isPlain(chunk, group, values)) return undefined;
    for (const [firstRow, rows, end] of await pagesOf(file, chunk, Number(group.num_rows))) {
      firstRows.push(before + firstRow);
      at.push(end - rows * values * Float32Array.BYTES_PER_ELEMENT);
    }
    before += Number(group.num_rows);
  }
  return { firstRows: Float64Array.from(firstRows), at: Float64Array.from(at) };
}

/** Levels are RLE in every file; without a dictionary, compression or nulls the values are as they are in memory. */
function isPlain({ meta_data: meta, offset_index_offset: index }: ColumnChunk, { num_rows: rows }: RowGroup, values: number): boolean {
  if (meta === undefined || index === undefined || meta.type !== 'FLOAT' || meta.codec !== 'UNCOMPRESSED') return false;
  const encodings = meta.encodings.every((encoding) => encoding === 'PLAIN' || encoding === 'RLE');
  return encodings && meta.dictionary_page_offset === undefined && Number(meta.num_values) === Number(rows) * values;
}

/** First row in the row group, rows, and the byte after the last one, of each page. */
async function pagesOf(file: FileHandle, chunk: ColumnChunk, groupRows: number): Promise<[number, number, number][]> {
  const bytes = await bytesOf(file, Number(chunk.offset_index_offset), chunk.offset_index_length ?? 0);
  const { page_locations: pages } = readOffsetIndex({ view: new DataView(bytes), offset: 0 });
  return pages.map(({ offset, compressed_page_size: size, first_row_index: first }, index) => {
    const next = pages[index + 1]?.first_row_index ?? groupRows;
    return [Number(first), Number(next) - Number(first), Number(offset) + size];
  });
}

async function bytesOf(file: FileHandle, start: number, length: number): Promise<ArrayBuffer> {
  const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, start);
  if (bytesRead !== length) throw new Error('the file is shorter than its footer says');
  return buffer.buffer;
}
