// Arrow IPC files (Feather 2) and streams, batch by batch, with LZ4 and zstd buffers.
import { type FileHandle, open } from 'node:fs/promises';
import { CompressionType, compressionRegistry, RecordBatch, RecordBatchReader, type Schema } from 'apache-arrow';
import { decompress as unzstd } from 'fzstd';
import lz4 from 'lz4js';
import { EmbedkitError } from '../errors.js';
import { batchReader } from './arrow-rows.js';
import type { Item } from './record.js';
import type { Selection } from './select.js';
import { type ReadProgress, readBytes, type Source, unreadable } from './source.js';

// A copy, because apache-arrow needs values at the start of a buffer of their own.
compressionRegistry.set(CompressionType.ZSTD, { decode: (data) => unzstd(data).slice() });
compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: (data) => lz4.decompress(data).slice() });

const FILE_MAGIC = Buffer.from('ARROW1');
const STREAM_END = Buffer.from('ffffffff00000000', 'hex');

export async function* readArrow(source: Source, selection: Selection, progress: ReadProgress): AsyncGenerator<Item[]> {
  const read = batchReader(selection, source.name);
  let row = 0;
  for await (const batch of readArrowBatches(source, progress)) {
    yield* read(batch, row);
    row += batch.numRows;
  }
}

/** The record batches of a file or stream, in order. Throws `input-unreadable`. */
export async function* readArrowBatches(source: Source, progress: ReadProgress): AsyncGenerator<RecordBatch> {
  const file = await openArrowFile(source);
  const stream = wholeStream(source, readBytes(source, progress));
  try {
    yield* (await openReader((file ?? stream) as AsyncIterable<Buffer>)) as AsyncIterable<RecordBatch>;
  } catch (error) {
    throw unreadable(source, error);
  } finally {
    await stream.return(undefined);
    await file?.close();
    if (file !== undefined) progress.bytesDone += source.bytes;
  }
}

/** An IPC stream whose schema has been read; its batches are to be taken to their end, or the source closed. */
export interface ArrowStream {
  readonly schema: Schema;
  readonly batches: AsyncGenerator<RecordBatch>;
}

/** Reads as far as the schema. Throws `input-unreadable`, and so do the batches. */
export async function openArrowStream(source: Source, progress: ReadProgress): Promise<ArrowStream> {
  try {
    const reader = await openReader(atOnce(wholeStream(source, readBytes(source, progress))));
    return { schema: reader.schema, batches: batchesOf(source, reader as AsyncIterable<RecordBatch>) };
  } catch (error) {
    throw unreadable(source, error);
  }
}

async function* batchesOf(source: Source, reader: AsyncIterable<RecordBatch>): AsyncGenerator<RecordBatch> {
  try {
    // For a stream without batches the library makes one up, of a class of its own.
    for await (const batch of reader) if (batch.constructor === RecordBatch) yield batch;
  } catch (error) {
    throw unreadable(source, error);
  }
}

/**
 * Every chunk with an empty one after it: where a message ends with a chunk, the library reads one more before it hands the message over, and
 * the next real one may not be sent before that.
 */
async function* atOnce(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    yield chunk;
    yield Buffer.alloc(0);
  }
}

async function openReader(bytes: AsyncIterable<Buffer>): Promise<RecordBatchReader> {
  const reader = (await RecordBatchReader.from(bytes)) as unknown as RecordBatchReader;
  return reader.open();
}

/** The file opened for random access where it is in the IPC file format; undefined for the stream format, and for pipes. */
async function openArrowFile(source: Source): Promise<FileHandle | undefined> {
  if (source.path === undefined || source.bytes === 0) return undefined;
  const file = await open(source.path);
  if (!(await readAt(file, 0, FILE_MAGIC.length)).equals(FILE_MAGIC)) {
    await file.close();
    return undefined;
  }
  if ((await readAt(file, source.bytes - FILE_MAGIC.length, FILE_MAGIC.length)).equals(FILE_MAGIC)) return file;
  await file.close();
  throw truncated(source);
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, Math.max(0, position));
  return buffer.subarray(0, bytesRead);
}

/**
 * The stream, checked to end with its end mark: apache-arrow takes one that stops between two messages, or within the first
 * bytes of one, for a whole one. (It swallows errors of a Node stream, not those of a generator.)
 */
async function* wholeStream(source: Source, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let end = Buffer.alloc(0);
  for await (const chunk of chunks) {
    end = Buffer.concat([end, chunk.subarray(-STREAM_END.length)]).subarray(-STREAM_END.length);
    yield chunk;
  }
  if (!end.equals(STREAM_END) && !end.subarray(-FILE_MAGIC.length).equals(FILE_MAGIC)) throw truncated(source);
}

function truncated({ name }: Source): EmbedkitError {
  return new EmbedkitError('input-unreadable', `${name}: the Arrow data has no end mark (a truncated file?)`, {
    hint: 'fetch or write the file again',
  });
}
