// The keys that memory has no room for: found again by all their bits, whatever the file has grown to, and gone when the run is.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KeyFile } from '#src/job/key-file.js';
import { type KnownVector, VectorIndex } from '#src/job/vector-index.js';
import { fc } from '../properties.js';
import { temporaryFolder } from '../run.js';

/** Few different ones, which meet in their low bits. */
const hash = fc
  .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 40 }))
  .map(([high, low]) => `${high.toString(16).padStart(16, '0')}${low.toString(16).padStart(16, '0')}`);
const stored = fc.record({ file: fc.nat(5), row: fc.nat(), tokenCount: fc.nat(512), truncated: fc.boolean() });

describe('a vector index', () => {
  it('with room for a few keys says what one with room for all says, and what a Map does', () => {
    const path = join(temporaryFolder(), 'known.keys');
    fc.assert(
      fc.property(fc.array(fc.tuple(hash, stored)), fc.array(hash), fc.nat(20), (entries, asked, most) => {
        const expected = new Map<string, KnownVector>();
        const [small, large] = [new VectorIndex(4, { most, spill: path }), new VectorIndex(4)];
        for (const [key, value] of entries) {
          if (!expected.has(key)) expected.set(key, value);
          small.add(key, value);
          large.add(key, value);
        }
        for (const key of asked) expect([small.find(key), large.find(key)]).toEqual([expected.get(key), expected.get(key)]);
        const unwanted = [...expected].filter(([key, { file }]) => file < 3 && !asked.includes(key)).length;
        expect([small.unwanted(3), large.unwanted(3)]).toEqual([unwanted, unwanted]);
        small.close();
        expect(existsSync(path)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });
});

describe('KeyFile', () => {
  it('grows from a few slots, and keeps entries and what was asked for', () => {
    const path = join(temporaryFolder(), 'keys');
    const file = new KeyFile(path, 8);
    const keyOf = (index: number): [bigint, bigint] => [BigInt(index), BigInt(index * 3)];
    for (let index = 0; index < 1000; index++) {
      file.add(keyOf(index), [index % 7, index, ~index]);
      file.add(keyOf(index), [0, 0, 0]);
      if (index % 2 === 0) file.find(keyOf(index));
    }
    for (let index = 0; index < 1000; index += 2) expect(file.find(keyOf(index))).toEqual([index % 7, index, ~index]);
    expect(file.find(keyOf(1001))).toBeUndefined();
    expect(file.unwanted(7)).toBe(500);
    expect(statSync(path).size).toBe(2048 * 32);
    file.close();
  });
});
