// A streaming zstd decoder: the runtime's own where it has one, else the fzstd library.
import { Transform, type TransformCallback } from 'node:stream';
import * as zlib from 'node:zlib';
import { Decompress } from 'fzstd';

type Decoder = NodeJS.ReadWriteStream & AsyncIterable<unknown>;

/**
 * Node 22.15 and later decode zstd natively and check its checksums; fzstd serves older ones. It finds a truncated file
 * but verifies no checksum.
 */
export function createZstdDecoder(): Decoder {
  const native = (zlib as { createZstdDecompress?: () => Decoder }).createZstdDecompress;
  return native === undefined ? new FzstdDecoder() : native();
}

class FzstdDecoder extends Transform {
  private readonly decoder = new Decompress((chunk) => {
    if (chunk.length > 0) this.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  });

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.attempt(() => this.decoder.push(chunk), done);
  }

  override _flush(done: TransformCallback): void {
    this.attempt(() => this.decoder.push(new Uint8Array(0), true), done);
  }

  private attempt(work: () => void, done: TransformCallback): void {
    try {
      work();
      done();
    } catch (error) {
      done(error as Error);
    }
  }
}
