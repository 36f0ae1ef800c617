// Streaming zstd by the fzstd library. Node 22 has a decoder of its own, which takes a truncated file for a whole one
// (22.23); fzstd finds those, but verifies no checksum.
import { Decompress } from 'fzstd';

// A block of a few bytes may stand for 128 KiB: small pieces go in, so that little comes out at a time.
const PIECE_BYTES = 1024;

/** Decodes a zstd stream of one or more frames. Throws Error where it is malformed or ends too early. */
export async function* unzstd(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
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
