// Where the vectors are that memory has no room to remember: a hash table in a file, of fixed-width slots. It lasts as long as the run.
import { closeSync, ftruncateSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';

/** The 128 bits of a content hash. */
export type Key = readonly [high: bigint, low: bigint];
/** File, row, token count: what is stored for a key, three 32-bit integers. */
export type Entry = readonly [file: number, row: number, tokens: number];

// Key, file + 1 (0 is free), row, tokens, 1 where it was asked for.
const SLOT_BYTES = 32;
const AT = { high: 0, low: 8, file: 16, row: 20, tokens: 24, wanted: 28 } as const;
const BLOCK_SLOTS = 4096;
const START_SLOTS = 1 << 16;

export class KeyFile {
  private handle: number;
  private count = 0;
  private readonly slot = Buffer.alloc(SLOT_BYTES);

  /** `slots` is a power of two; the file doubles when half of them are taken. */
  constructor(
    private readonly path: string,
    private slots = START_SLOTS,
  ) {
    this.handle = this.create(path);
  }

  /** Stores an entry; the first one of a key stands. */
  add(key: Key, entry: Entry): void {
    const at = this.seek(key);
    if (this.isTaken()) return;
    this.write(at, key, entry);
    this.count++;
    if (2 * this.count >= this.slots) this.grow();
  }

  has(key: Key): boolean {
    this.seek(key);
    return this.isTaken();
  }

  /** The entry of a key, which counts as wanted from then on. */
  find(key: Key): Entry | undefined {
    const at = this.seek(key);
    if (!this.isTaken()) return undefined;
    if (this.slot.readInt32LE(AT.wanted) === 0) {
      this.slot.writeInt32LE(1, AT.wanted);
      writeSync(this.handle, this.slot, 0, SLOT_BYTES, at);
    }
    return entryIn(this.slot);
  }

  /** Entries of the first `files` files that were never asked for. */
  unwanted(files: number): number {
    let count = 0;
    for (const slot of slotsIn(this.handle, this.slots)) if (slot.readInt32LE(AT.wanted) === 0 && entryIn(slot)[0] < files) count++;
    return count;
  }

  close(): void {
    closeSync(this.handle);
    rmSync(this.path, { force: true });
  }

  private create(path: string): number {
    const handle = openSync(path, 'w+');
    ftruncateSync(handle, this.slots * SLOT_BYTES);
    return handle;
  }

  private isTaken(): boolean {
    return this.slot.readInt32LE(AT.file) !== 0;
  }

  /** Where a key stands, or would: its slot, or the free one, is in `this.slot` then. */
  private seek([high, low]: Key): number {
    const mask = BigInt(this.slots - 1);
    for (let index = low & mask; ; index = (index + 1n) & mask) {
      const at = Number(index) * SLOT_BYTES;
      readSync(this.handle, this.slot, 0, SLOT_BYTES, at);
      if (!this.isTaken()) return at;
      if (this.slot.readBigUInt64LE(AT.high) === high && this.slot.readBigUInt64LE(AT.low) === low) return at;
    }
  }

  private write(at: number, [high, low]: Key, [file, row, tokens]: Entry, wanted = 0): void {
    this.slot.writeBigUInt64LE(high, AT.high);
    this.slot.writeBigUInt64LE(low, AT.low);
    this.slot.writeInt32LE(file + 1, AT.file);
    this.slot.writeInt32LE(row, AT.row);
    this.slot.writeInt32LE(tokens, AT.tokens);
    this.slot.writeInt32LE(wanted, AT.wanted);
    writeSync(this.handle, this.slot, 0, SLOT_BYTES, at);
  }

  private grow(): void {
    const [old, slots] = [this.handle, this.slots];
    this.slots = 2 * slots;
    this.handle = this.create(`${this.path}.tmp`);
    for (const slot of slotsIn(old, slots)) {
      const key = [slot.readBigUInt64LE(AT.high), slot.readBigUInt64LE(AT.low)] as const;
      this.write(this.seek(key), key, entryIn(slot), slot.readInt32LE(AT.wanted));
    }
    closeSync(old);
    renameSync(`${this.path}.tmp`, this.path);
  }
}

function entryIn(slot: Buffer): Entry {
  return [slot.readInt32LE(AT.file) - 1, slot.readInt32LE(AT.row), slot.readInt32LE(AT.tokens)];
}

/** The slots that are taken, in their order. */
function* slotsIn(handle: number, slots: number): Generator<Buffer> {
  const block = Buffer.alloc(BLOCK_SLOTS * SLOT_BYTES);
  for (let from = 0; from < slots; from += BLOCK_SLOTS) {
    const bytes = readSync(handle, block, 0, block.length, from * SLOT_BYTES);
    for (let at = 0; at < bytes; at += SLOT_BYTES) {
      const slot = block.subarray(at, at + SLOT_BYTES);
      if (slot.readInt32LE(AT.file) !== 0) yield slot;
    }
  }
}
