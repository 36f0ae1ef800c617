// Arrow IPC files (Feather 2) and streams, batch by batch, with LZ4 and zstd buffers.
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { CompressionType, compressionRegistry, type RecordBatch, RecordBatchReader } from 'apache-arrow';
import { decompress as unzstd } from 'fzstd';
import lz4 from 'lz4js';
import { batchReader } from './arrow-rows.js';
import type { OnBadRow } from './bad-rows.js';
import type { TextRecord } from './record.js';
import type { Selection } from './select.js';
import { type ReadProgress, readBytes, type Source, unreadable } from './source.js';

compressionRegistry.set(CompressionType.ZSTD, { decode: (data) => unzstd(data) });
compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: (data) => lz4.decompress(data) });

const FILE_MAGIC = 'ARROW1';

export async function* readArrow(
  source: Source,
  selection: Selection,
  progress: ReadProgress,
  onBadRow: OnBadRow,
): AsyncGenerator<TextRecord[]> {
  const read = batchReader(selection, source.name, onBadRow);
  let row = 0;
  for await (const batch of readBatches(source, progress)) {
    yield* read(batch, row);
    row += batch.numRows;
  }
}

async function* readBatches(source: Source, progress: ReadProgress): AsyncGenerator<RecordBatch> {
  const file = await openArrowFile(source);
  const input = file ?? Readable.from(readBytes(source, progress), { objectMode: false });
  try {
    const reader = (await RecordBatchReader.from(input as Parameters<typeof RecordBatchReader.from>[0])) as RecordBatchReader;
    for await (const batch of await reader.open()) yield batch as RecordBatch;
  } catch (error) {
    throw unreadable(source, error);
  } finally {
    if (input instanceof Readable) input.destroy();
    await file?.close();
    if (file !== undefined) progress.bytesDone += source.bytes;
  }
}

/** The file opened for random access where it is in the IPC file format; undefined for the stream format, and for pipes. */
async function openArrowFile({ path, bytes }: Source): Promise<FileHandle | undefined> {
  if (path === undefined || bytes === 0) return undefined;
  const file = await open(path);
  const start = Buffer.alloc(FILE_MAGIC.length);
  await file.read(start, 0, start.length, 0);
  if (start.toString('latin1') === FILE_MAGIC) return file;
  await file.close();
  return undefined;
}
