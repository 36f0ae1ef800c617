// Where the weights of a model being written go: into the ONNX file, or beside it where that would pass protobuf's 2 GiB.
import { type FileHandle, open, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { DEFAULT_LOCATION, EXTERNAL, ModelProto, type TensorProto } from './proto.js';

/** Weights beyond this total go to an external data file: protobuf messages end at 2 GiB, and one message is held whole, twice while it is written. */
export const INLINE_LIMIT_BYTES = 1_000_000_000;
// Page-aligned, so that a runtime can map the file (ONNX docs/ExternalData.md).
const ALIGNMENT_BYTES = 4096;

export interface TensorStore {
  /** Gives `tensor` these bytes as its data; earlier data of the tensor is dropped. */
  put(tensor: TensorProto, bytes: Uint8Array): Promise<void>;
  /** Writes the model; no `put` may follow. Returns the paths written. */
  finish(model: ModelProto): Promise<string[]>;
}

/** A store that keeps up to `limit` bytes of weights (of the `total` announced) in the file at `path`. */
export async function createStore(path: string, total: number, limit: number = INLINE_LIMIT_BYTES): Promise<TensorStore> {
  return total <= limit ? new InlineStore(path) : new ExternalStore(path, await open(`${path}.data`, 'w'));
}

class InlineStore implements TensorStore {
  constructor(private readonly path: string) {}

  async put(tensor: TensorProto, bytes: Uint8Array): Promise<void> {
    clearData(tensor);
    tensor.rawData = bytes;
  }

  async finish(model: ModelProto): Promise<string[]> {
    await writeFile(this.path, ModelProto.encode(model).finish());
    return [this.path];
  }
}

class ExternalStore implements TensorStore {
  private offset = 0;

  constructor(
    private readonly path: string,
    private readonly file: FileHandle,
  ) {}

  async put(tensor: TensorProto, bytes: Uint8Array): Promise<void> {
    clearData(tensor);
    await writeFully(this.file, bytes, this.offset);
    const location = `${basename(this.path)}.data`;
    const entries = { location, offset: String(this.offset), length: String(bytes.length) };
    tensor.dataLocation = EXTERNAL;
    tensor.externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
    this.offset = Math.ceil((this.offset + bytes.length) / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
  }

  async finish(model: ModelProto): Promise<string[]> {
    await this.file.close();
    await writeFile(this.path, ModelProto.encode(model).finish());
    return [this.path, `${this.path}.data`];
  }
}

function clearData(tensor: TensorProto): void {
  tensor.rawData = new Uint8Array(0);
  tensor.floatData = [];
  tensor.int32Data = [];
  tensor.externalData = [];
  tensor.dataLocation = DEFAULT_LOCATION;
}

const WRITE_BYTES = 1 << 30;

async function writeFully(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, Math.min(WRITE_BYTES, bytes.length - done), offset + done);
    done += bytesWritten;
  }
}
