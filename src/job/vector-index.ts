// Vectors known by the hash of their text: keys in fixed-width arrays, then in a file; the vectors themselves left in the files that hold them.
import { EmbedkitError, messageOf } from '../errors.js';
import { type Entry, type Key, KeyFile } from './key-file.js';
import { type VectorFile, VectorFiles } from './vector-files.js';

export interface KnownVector {
  readonly tokenCount: number;
  readonly truncated: boolean;
  readonly file: number;
  readonly row: number;
}

/** Most keys that are held in memory without --max-memory: about 200 MiB of them. */
export const MAX_KNOWN = 1 << 22;

const START = 1 << 10;

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
  private readonly files: VectorFiles;
  private spilled: KeyFile | undefined;

  constructor(
    readonly dim: number,
    private readonly limits: IndexLimits = {},
  ) {
    this.files = new VectorFiles(dim);
  }

  get size(): number {
    return this.count;
  }

  addFile(file: VectorFile): number {
    return this.files.add(file);
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

  private spill(key: Key, entry: Entry): void {
    const { spill } = this.limits;
    if (spill === undefined) return;
    this.spilled ??= new KeyFile(spill);
    this.spilled.add(key, entry);
  }

  private insert(slot: number, key: Key, entry: Entry): void {
    this.keys.set(key, 2 * this.count);
    this.entries.set(entry, 3 * this.count);
    this.slots[slot] = ++this.count;
    if (this.count * 3 === this.entries.length) this.grow();
  }

  /** The vector of a content hash, which counts as wanted from then on. */
  find(contentHash: string): KnownVector | undefined {
    if (this.count === 0 && this.spilled === undefined) return undefined;
    const key = keyOf(contentHash);
    const entry = (this.slots[this.slotOf(...key)] as number) - 1;
    if (entry < 0) {
      const spilled = this.spilled?.find(key);
      return spilled && known(...spilled);
    }
    this.wanted[entry] = 1;
    const { entries } = this;
    return known(entries[3 * entry] as number, entries[3 * entry + 1] as number, entries[3 * entry + 2] as number);
  }

  /** As find, without wanting it. */
  has(contentHash: string): boolean {
    const key = keyOf(contentHash);
    return this.slots[this.slotOf(...key)] !== 0 || (this.spilled?.has(key) ?? false);
  }

  /** Whether a vector stands in an earlier output, where rows may leave it: it is there as long as they may want it. */
  outlives({ file }: KnownVector): boolean {
    return this.files.outlives(file);
  }

  /** Vectors of the first `files` files that were never asked for. */
  unwanted(files: number): number {
    let count = this.spilled?.unwanted(files) ?? 0;
    for (let entry = 0; entry < this.count; entry++) if (this.wanted[entry] === 0 && (this.entries[3 * entry] as number) < files) count++;
    return count;
  }

  get fileCount(): number {
    return this.files.count;
  }

  /**
   * Copies the vector of each entry to its row of `target`; rows of undefined stay as they are. Throws `input-unreadable` where an
   * earlier output cannot be read any more.
   */
  read(entries: readonly (KnownVector | undefined)[], target: Float32Array): void {
    for (let index = 0; index < entries.length; ) {
      const entry = entries[index];
      const count = entry === undefined ? 1 : standingTogether(entries, index);
      if (entry !== undefined) this.readSome(entry, target.subarray(index * this.dim, (index + count) * this.dim));
      index += count;
    }
  }

  private readSome({ file, row }: KnownVector, target: Float32Array): void {
    try {
      this.files.read(file, row, target);
    } catch (error) {
      if (!this.files.outlives(file)) throw error;
      const hint = 'leave it as it is while a run takes vectors from it; run the same command again';
      throw new EmbedkitError('input-unreadable', `--reuse ${this.files.pathOf(file)}: ${messageOf(error)}`, { hint, cause: error });
    }
  }

  /** Lets go of the files. No key in the file is known after that. */
  close(): void {
    this.spilled?.close();
    this.spilled = undefined;
    this.files.close();
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

/** How many entries from `start` on are one after the other in a file: a night's unchanged rows are read in a few pieces. */
function standingTogether(entries: readonly (KnownVector | undefined)[], start: number): number {
  const first = entries[start] as KnownVector;
  let count = 1;
  for (; start + count < entries.length; count++) {
    const next = entries[start + count];
    if (next === undefined || next.file !== first.file || next.row !== first.row + count) break;
  }
  return count;
}

function known(file: number, row: number, tokens: number): KnownVector {
  return { file, row, tokenCount: tokens < 0 ? ~tokens : tokens, truncated: tokens < 0 };
}

const digits = Buffer.from(new ArrayBuffer(16));
const words = new BigUint64Array(digits.buffer);

/** The 128 bits of a content hash, in whatever order of bytes: only this process compares them. */
function keyOf(contentHash: string): Key {
  const written = digits.write(contentHash, 'hex');
  if (written < digits.length) digits.fill(0, written);
  return [words[0] as bigint, words[1] as bigint];
}
