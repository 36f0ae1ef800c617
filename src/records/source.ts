// Bytes of one input: a file or a stream, decompressed, with what was read so far counted for progress.
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { EmbedkitError, messageOf, systemCode } from '../errors.js';
import { type Compression, decompress } from './decompress.js';

export interface Source {
  /** What messages call it: the path as given, or "standard input". */
  readonly name: string;
  /** The file, or undefined for a stream. */
  readonly path: string | undefined;
  readonly stream: Readable | undefined;
  /** Undefined: found out from the first bytes. */
  readonly compression: Compression | undefined;
  /** Size of the file in bytes, 0 for a stream. */
  readonly bytes: number;
}

/** Counts bytes as they are taken from the inputs, before decompression. */
export interface ReadProgress {
  bytesDone: number;
}

const READ_BYTES = 1 << 18;

/** The decompressed bytes of a source. Throws `input-unreadable` where they cannot be read to their end. */
export async function* readBytes(source: Source, progress: ReadProgress): AsyncGenerator<Buffer> {
  const raw = source.stream ?? createReadStream(source.path ?? '', { highWaterMark: READ_BYTES });
  try {
    yield* decompress(counted(raw, progress), source.compression);
  } catch (error) {
    throw unreadable(source, error);
  } finally {
    // A reader that stops early may stop between two chunks, where nothing else closes the file.
    raw.destroy();
  }
}

export function unreadable(source: Source, error: unknown): EmbedkitError {
  if (error instanceof EmbedkitError) return error;
  const code = systemCode(error);
  if (code === 'Z_BUF_ERROR' || messageOf(error) === 'unexpected EOF') {
    const found = `${source.name}: the compressed data ends too early (a truncated file?)`;
    return new EmbedkitError('input-unreadable', found, { hint: 'fetch or write the file again', cause: error });
  }
  const hint = 'check that the file is whole and of the format that its name (or --from) says';
  return new EmbedkitError('input-unreadable', `${source.name}: cannot be read: ${messageOf(error)}`, { hint, cause: error });
}

async function* counted(chunks: AsyncIterable<Buffer | string>, progress: ReadProgress): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    progress.bytesDone += bytes.length;
    yield bytes;
  }
}
