// Compressed bytes become plain ones, told by name or by their first bytes; bounded in memory whatever the ratio.
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { unzstd } from './zstd.js';

export type Compression = 'none' | 'gzip' | 'zstd';

type Bytes = AsyncGenerator<Buffer>;

const MAGIC: readonly (readonly [Compression, Buffer])[] = [
  ['gzip', Buffer.from([0x1f, 0x8b])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
];
const LONGEST_MAGIC = 4;

const DECODERS: Record<Compression, (chunks: Bytes) => Bytes> = {
  none: (chunks) => chunks,
  gzip: (chunks) => through(chunks, createGunzip()),
  zstd: unzstd,
};

/** Decompresses a byte stream; `named` undefined: as its first bytes say. Throws what the decoder throws. */
export async function* decompress(chunks: Bytes, named: Compression | undefined): Bytes {
  const start = await firstBytes(chunks);
  yield* DECODERS[named ?? sniff(start)](prepend(start, chunks));
}

/** As many chunks as it takes to tell the compression: a pipe may hand over a byte at a time. */
async function firstBytes(chunks: Bytes): Promise<Buffer> {
  let start = Buffer.alloc(0);
  while (start.length < LONGEST_MAGIC) {
    const step = await chunks.next();
    if (step.done) break;
    start = Buffer.concat([start, step.value]);
  }
  return start;
}

function sniff(start: Buffer): Compression {
  return MAGIC.find(([, magic]) => start.subarray(0, magic.length).equals(magic))?.[0] ?? 'none';
}

async function* prepend(start: Buffer, rest: Bytes): Bytes {
  if (start.length > 0) yield start;
  yield* rest;
}

async function* through(chunks: Bytes, decoder: Duplex): Bytes {
  // The decoder's own iterator below rejects with the same error; this handler only keeps it from going unhandled too.
  const fed = pipeline(chunks, decoder).catch(() => undefined);
  for await (const chunk of decoder) yield chunk as Buffer;
  await fed;
}
