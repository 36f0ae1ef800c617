// Files that hold vectors, read where they stand: flat ones of this run, its parts, and earlier outputs.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { ColumnPlaces } from '../records/parquet-places.js';

/** float32 vectors of a file: from row `firstRows[i]` on they stand one after the other, from byte `at[i]` on. */
export interface VectorFile extends ColumnPlaces {
  readonly path: string;
  /** An earlier output, which is there when this run is not any more: rows may name its vectors instead of holding them. */
  readonly outlives: boolean;
}

/** Vectors without anything between them, from byte `at` on. */
export function contiguous(at: number): ColumnPlaces {
  return { firstRows: Float64Array.of(0), at: Float64Array.of(at) };
}

const OPEN_FILES = 64;

export class VectorFiles {
  private readonly files: VectorFile[] = [];
  private readonly open = new Map<number, number>();
  /** What each file was when it was first opened: another one has other vectors at these places. */
  private readonly identities: string[] = [];

  constructor(private readonly dim: number) {}

  get count(): number {
    return this.files.length;
  }

  /** Opens an earlier output at once, so that another one under its name is noticed from then on. Throws the system's error. */
  add(file: VectorFile): number {
    const index = this.files.push(file) - 1;
    if (file.outlives) this.handleOf(index);
    return index;
  }

  outlives(file: number): boolean {
    return (this.files[file] as VectorFile).outlives;
  }

  pathOf(file: number): string {
    return (this.files[file] as VectorFile).path;
  }

  /** Copies the vectors of rows from `row` on to `target`, a multiple of dim values. Throws the system's error, or Error where the file is not what it was. */
  read(file: number, row: number, target: Float32Array): void {
    const places = this.files[file] as VectorFile;
    const end = row + target.length / this.dim;
    for (let next = row, index = indexOf(places.firstRows, row); next < end; index++) {
      const stop = Math.min(end, places.firstRows[index + 1] ?? Number.POSITIVE_INFINITY);
      const from = (places.at[index] as number) + (next - (places.firstRows[index] as number)) * this.dim * Float32Array.BYTES_PER_ELEMENT;
      this.readAt(file, from, target.subarray((next - row) * this.dim, (stop - row) * this.dim));
      next = stop;
    }
  }

  close(): void {
    for (const handle of this.open.values()) closeSync(handle);
    this.open.clear();
  }

  private readAt(file: number, from: number, target: Float32Array): void {
    const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
    if (readSync(this.handleOf(file), bytes, 0, bytes.length, from) !== bytes.length) throw new Error('it ends before its last vector');
  }

  private handleOf(file: number): number {
    const held = this.open.get(file);
    if (held !== undefined) return held;
    const [oldest] = this.open.entries();
    if (this.open.size >= OPEN_FILES && oldest !== undefined) {
      closeSync(oldest[1]);
      this.open.delete(oldest[0]);
    }
    const handle = openSync((this.files[file] as VectorFile).path, 'r');
    this.open.set(file, handle);
    this.checkIdentity(file, handle);
    return handle;
  }

  private checkIdentity(file: number, handle: number): void {
    const { dev, ino, size, mtimeMs } = fstatSync(handle);
    const identity = [dev, ino, size, mtimeMs].join();
    this.identities[file] ??= identity;
    if (this.identities[file] !== identity) throw new Error('it was written anew during the run');
  }
}

/** The last index whose value is at most `row`. */
function indexOf(firstRows: Float64Array, row: number): number {
  let low = 0;
  for (let high = firstRows.length; high - low > 1; ) {
    const middle = (low + high) >> 1;
    if ((firstRows[middle] as number) <= row) low = middle;
    else high = middle;
  }
  return low;
}
