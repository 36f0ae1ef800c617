// The thread that encodes Parquet: it ends with its writer, and what goes wrong in it is an error here.
import { type RecordBatch, RecordBatchStreamWriter, tableFromArrays } from 'apache-arrow';
import { ParquetFile } from 'parquet-wasm';
import { describe, expect, it } from 'vitest';
import { ParquetEncoder } from '#src/columns/parquet-encoder.js';

const SETTINGS = { rowGroupRows: 4, kept: [], chunks: false, isCoded: false, metadata: new Map([['k', 'v']]) };
/** Threads of this process. */
const threads = (): number => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;

function ipc(values: readonly number[]): Uint8Array<ArrayBuffer> {
  const [batch] = tableFromArrays({ id: Int32Array.from(values) }).batches;
  return new RecordBatchStreamWriter().writeAll([batch as RecordBatch]).toUint8Array(true) as Uint8Array<ArrayBuffer>;
}

function encoder(): { encoder: ParquetEncoder; bytes: () => Buffer } {
  const chunks: Uint8Array[] = [];
  const sink = async (chunk: Uint8Array): Promise<void> => void chunks.push(chunk);
  return { encoder: new ParquetEncoder(SETTINGS, sink), bytes: () => Buffer.concat(chunks) };
}

describe('the encoder', () => {
  it('writes what it was given, in its order, and ends its thread', async () => {
    const before = threads();
    const { encoder: one, bytes } = encoder();
    for (let start = 0; start < 40; start += 4) await one.write(ipc([start, start + 1, start + 2, start + 3]));
    await one.finish();
    const file = await ParquetFile.fromFile(new Blob([bytes()]));
    expect([file.metadata().numRowGroups(), file.metadata().fileMetadata().keyValueMetadata().get('k')]).toEqual([10, 'v']);
    expect(threads()).toBe(before);
  });

  it('says what is wrong with a batch, and ends its thread', async () => {
    const before = threads();
    const { encoder: one } = encoder();
    await one.write(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    await expect(one.finish()).rejects.toThrow();
    await expect(one.write(ipc([1]))).rejects.toThrow();
    expect(threads()).toBe(before);
  });

  it('is let go of in the middle', async () => {
    const before = threads();
    const { encoder: one } = encoder();
    await one.write(ipc([1, 2, 3, 4]));
    await one.abort();
    expect(threads()).toBe(before);
    await expect(one.finish()).rejects.toThrow('the Parquet writer stopped');
  });
});
