// Streaming zstd by the fzstd library, for a Node that has no decoder of its own (before 22.15). It finds a truncated
// file, but verifies no checksum.
import { Decompress } from 'fzstd';

// A block of a few bytes may stand for 128 KiB: small pieces go in, so that little comes out at a time.
const PIECE_BYTES = 1024;

/** Decodes a zstd stream of one or more frames. Throws Error where it is malformed or ends too early. */
export async function* unzstdByLibrary(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let decoded: Buffer[] = [];
  const decoder = new Decompress((bytes) => decoded.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
  const push = (piece: Uint8Array, isLast: boolean): Buffer[] => {
    decoded = [];
    decoder.push(piece, isLast);
    return decoded;
  };
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) yield* push(chunk.subarray(at, at + PIECE_BYTES), false);
  }
  yield* push(new Uint8Array(0), true);
}
