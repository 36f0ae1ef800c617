// Vectors known by the hash of their text: keys in fixed-width arrays, then in a file; the vectors themselves left in the files that hold them.
import { closeSync, openSync, readSync } from 'node:fs';
import { type Entry, KeyFile } from './key-file.js';

/** rows x dim float32 values, row after row, at a place in a file. */
export interface VectorFile {
  readonly path: string;
  readonly at: number;
}

export interface KnownVector {
  readonly tokenCount: number;
  readonly truncated: boolean;
  readonly file: number;
  readonly row: number;
}

/** Most keys that are held in memory without --max-memory: about 200 MiB of them. */
export const MAX_KNOWN = 1 << 22;

const START = 1 << 10;
const OPEN_FILES = 64;

export interface IndexLimits {
  /** Most keys in memory. */
  readonly most?: number;
  /** A file for the keys beyond; without one they are forgotten, and their texts computed again. */
  readonly spill?: string;
}

export class VectorIndex {
  /** Two words a key: the 128 bits of a content hash. */
  private keys = new BigUint64Array(2 * START);
  /** Three words an entry: file, row, token count (its complement for a truncated text). */
  private entries = new Int32Array(3 * START);
  /** Entry + 1 at the slot of its key; 0 is free. Twice as many as entries. */
  private slots = new Int32Array(2 * START);
  private count = 0;
  /** 1 at entries that a row of this run has. */
  private wanted = new Uint8Array(START);
  private readonly files: VectorFile[] = [];
  private readonly open = new Map<number, number>();
  private spilled: KeyFile | undefined;

  constructor(
    readonly dim: number,
    private readonly limits: IndexLimits = {},
  ) {}

  get size(): number {
    return this.count;
  }

  addFile(file: VectorFile): number {
    return this.files.push(file) - 1;
  }

  /** Remembers where the vector of a content hash is. The first one of a hash stands. */
  add(contentHash: string, known: KnownVector): void {
    const key = keyOf(contentHash);
    const slot = this.slotOf(...key);
    if (this.slots[slot] !== 0) return;
    const { file, row, truncated, tokenCount } = known;
    const entry: Entry = [file, row, truncated ? ~tokenCount : tokenCount];
    if (this.count < (this.limits.most ?? MAX_KNOWN)) this.insert(slot, key, entry);
    else this.spill(key, entry);
  }

  private spill(key: readonly [bigint, bigint], entry: Entry): void {
    const { spill } = this.limits;
    if (spill === undefined) return;
    this.spilled ??= new KeyFile(spill);
    this.spilled.add(key, entry);
  }

  private insert(slot: number, key: readonly [bigint, bigint], entry: Entry): void {
    this.keys.set(key, 2 * this.count);
    this.entries.set(entry, 3 * this.count);
    this.slots[slot] = ++this.count;
    if (this.count * 3 === this.entries.length) this.grow();
  }

  find(contentHash: string): KnownVector | undefined {
    if (this.count === 0 && this.spilled === undefined) return undefined;
    const key = keyOf(contentHash);
    const found = this.inMemory(key) ?? this.spilled?.find(key);
    if (found === undefined) return undefined;
    const [file, row, tokens] = found;
    return { file, row, tokenCount: tokens < 0 ? ~tokens : tokens, truncated: tokens < 0 };
  }

  private inMemory(key: readonly [bigint, bigint]): Entry | undefined {
    const entry = (this.slots[this.slotOf(...key)] as number) - 1;
    if (entry < 0) return undefined;
    this.wanted[entry] = 1;
    return this.entries.subarray(3 * entry, 3 * entry + 3) as unknown as Entry;
  }

  /** Vectors of the first `files` files that were never asked for. */
  unwanted(files: number): number {
    let count = this.spilled?.unwanted(files) ?? 0;
    for (let entry = 0; entry < this.count; entry++) if (this.wanted[entry] === 0 && (this.entries[3 * entry] as number) < files) count++;
    return count;
  }

  get fileCount(): number {
    return this.files.length;
  }

  /** Copies the vector of an entry, and those after it, to `target`, a multiple of dim values. Throws the system's error where its file cannot be read. */
  read({ file, row }: KnownVector, target: Float32Array): void {
    const { at } = this.files[file] as VectorFile;
    const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
    const from = at + row * this.dim * Float32Array.BYTES_PER_ELEMENT;
    if (readSync(this.handleOf(file), bytes, 0, bytes.length, from) !== bytes.length) throw new Error('a file of vectors ends too early');
  }

  /** Lets go of the files. No key in the file is known after that. */
  close(): void {
    this.spilled?.close();
    this.spilled = undefined;
    for (const handle of this.open.values()) closeSync(handle);
    this.open.clear();
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
    return handle;
  }

  /** The slot that holds a key, or the free one where it belongs. */
  private slotOf(high: bigint, low: bigint): number {
    const mask = this.slots.length - 1;
    let slot = Number(low & BigInt(mask));
    for (let entry = this.slots[slot] as number; entry !== 0; entry = this.slots[slot] as number) {
      if (this.keys[2 * entry - 2] === high && this.keys[2 * entry - 1] === low) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private grow(): void {
    const { keys, entries, wanted } = this;
    this.wanted = new Uint8Array(2 * wanted.length);
    this.wanted.set(wanted);
    this.keys = new BigUint64Array(2 * keys.length);
    this.keys.set(keys);
    this.entries = new Int32Array(2 * entries.length);
    this.entries.set(entries);
    this.slots = new Int32Array(2 * this.slots.length);
    for (let entry = 0; entry < this.count; entry++) {
      const slot = this.slotOf(keys[2 * entry] as bigint, keys[2 * entry + 1] as bigint);
      this.slots[slot] = entry + 1;
    }
  }
}

function keyOf(contentHash: string): [bigint, bigint] {
  return [BigInt(`0x${contentHash.slice(0, 16)}`), BigInt(`0x${contentHash.slice(16, 32)}`)];
}
