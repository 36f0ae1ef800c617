// Counts values seen before, in bounded memory: 64-bit fingerprints in an open-addressing table.
import { hash } from 'node:crypto';

const START_SLOTS = 1 << 12;
const MAX_LOAD = 0.5;

/** Distinct values remembered; beyond them the count is a lower bound. 4 Mi of them take 64 MiB. */
export const REMEMBERED_VALUES = 1 << 22;

export class DuplicateCounter {
  private slots = new BigUint64Array(START_SLOTS);
  private distinct = 0;
  duplicates = 0;
  isExact = true;

  constructor(private readonly remembered: number = REMEMBERED_VALUES) {}

  add(value: string): void {
    // Zero marks an empty slot.
    const key = hash('sha256', value, 'buffer').readBigUInt64LE() || 1n;
    const at = find(this.slots, key);
    if (this.slots[at] === key) this.duplicates++;
    else if (this.distinct >= this.remembered) this.isExact = false;
    else this.insert(at, key);
  }

  private insert(at: number, key: bigint): void {
    this.slots[at] = key;
    this.distinct++;
    if (this.distinct > this.slots.length * MAX_LOAD) this.grow();
  }

  private grow(): void {
    const larger = new BigUint64Array(this.slots.length * 2);
    for (const key of this.slots) if (key !== 0n) larger[find(larger, key)] = key;
    this.slots = larger;
  }
}

/** The slot that holds `key`, or the empty one where it belongs. */
function find(slots: BigUint64Array, key: bigint): number {
  const mask = slots.length - 1;
  let at = Number(key & BigInt(mask));
  while (slots[at] !== 0n && slots[at] !== key) at = (at + 1) & mask;
  return at;
}
