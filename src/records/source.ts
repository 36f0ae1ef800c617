// Bytes of one input: a file or a stream, decompressed, with what was read so far counted for progress.
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { EmbedkitError, messageOf, systemCode } from '../errors.js';
import { createZstdDecoder } from './zstd.js';

export type Compression = 'none' | 'gzip' | 'zstd';

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
const MAGIC: readonly (readonly [Compression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
];
const DECODERS = { gzip: createGunzip, zstd: createZstdDecoder };

/** The decompressed bytes of a source. Throws `input-unreadable` where they cannot be read to their end. */
export async function* readBytes(source: Source, progress: ReadProgress): AsyncGenerator<Buffer> {
  const raw = source.stream ?? createReadStream(source.path ?? '', { highWaterMark: READ_BYTES });
  try {
    yield* decompress(counted(raw, progress), source.compression);
  } catch (error) {
    throw unreadable(source, error);
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

async function* counted(chunks: AsyncIterable<Buffer>, progress: ReadProgress): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    progress.bytesDone += chunk.length;
    yield chunk;
  }
}

async function* decompress(chunks: AsyncGenerator<Buffer>, named: Compression | undefined): AsyncGenerator<Buffer> {
  const first = await chunks.next();
  const start = first.done ? Buffer.alloc(0) : first.value;
  const compression = named ?? sniff(start);
  const all = prepend(start, chunks);
  if (compression === 'none') yield* all;
  else yield* through(all, DECODERS[compression]());
}

function sniff(start: Buffer): Compression {
  for (const [compression, magic] of MAGIC) {
    if (magic.every((byte, index) => start[index] === byte)) return compression;
  }
  return 'none';
}

async function* prepend(start: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (start.length > 0) yield start;
  yield* rest;
}

async function* through(chunks: AsyncGenerator<Buffer>, decoder: NodeJS.ReadWriteStream & AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  const { pipeline } = await import('node:stream/promises');
  // The decoder's own iterator below rejects with the same error; this handler only keeps it from going unhandled too.
  const fed = pipeline(chunks, decoder).catch(() => undefined);
  for await (const chunk of decoder) yield chunk as Buffer;
  await fed;
}
