// A run cut to the memory it is given: never more than asked for, never more than fits, refused with a least that then does.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fitMemory, type MemoryNeeds, parseBytes } from '#src/job/memory.js';
import { fc } from '../properties.js';
import { runCli, temporaryFolder } from '../run.js';

const MIB = 2 ** 20;
const NEEDS: MemoryNeeds = {
  precision: 'int8',
  modelBytes: 33 * MIB,
  auditBytes: 0,
  dims: 384,
  threads: 4,
  window: { rows: 4096, bytes: 32 * MIB, tokens: 262_144 },
  maxLineBytes: 32 * MIB,
};

const needs: fc.Arbitrary<MemoryNeeds> = fc.record({
  precision: fc.constantFrom('int8', 'fp32'),
  modelBytes: fc.integer({ min: MIB, max: 2 ** 31 }),
  auditBytes: fc.constantFrom(0, 67 * MIB),
  dims: fc.integer({ min: 32, max: 4096 }),
  threads: fc.integer({ min: 1, max: 64 }),
  window: fc.record({
    rows: fc.integer({ min: 256, max: 1e6 }),
    bytes: fc.integer({ min: MIB, max: 2 ** 30 }),
    tokens: fc.integer({ min: 1e5, max: 1e7 }),
  }),
  maxLineBytes: fc.integer({ min: 65_536, max: 2 ** 30 }),
});

describe('fitMemory', () => {
  it('gives at most what was asked for, and more of it for more memory', () => {
    fc.assert(
      fc.property(needs, fc.integer({ min: 0, max: 64 }), fc.integer({ min: 0, max: 2 ** 34 }), (asked, step, extra) => {
        const least = leastFor(asked);
        const small = fitMemory(least + step * MIB, asked);
        const large = fitMemory(least + step * MIB + extra, asked);
        for (const plan of [small, large]) {
          expect(plan.threads).toBeGreaterThanOrEqual(1);
          expect(plan.threads).toBeLessThanOrEqual(asked.threads);
          for (const name of ['rows', 'bytes', 'tokens'] as const) {
            expect(plan.window[name]).toBeGreaterThan(0);
            expect(plan.window[name]).toBeLessThanOrEqual(asked.window[name]);
          }
          expect(plan.window.rows).toBeGreaterThanOrEqual(Math.min(asked.window.rows, 256));
          expect(plan.maxLineBytes).toBeLessThanOrEqual(asked.maxLineBytes);
          expect(Math.min(plan.maxLineBytes, plan.mostKnown, plan.mostIds)).toBeGreaterThan(0);
        }
        expect(large.threads).toBeGreaterThanOrEqual(small.threads);
      }),
    );
  });

  it('cuts threads first where the engines alone would pass the bound', () => {
    expect([360, 450, 540, 640, 4000].map((mib) => fitMemory(mib * MIB, NEEDS).threads)).toEqual([1, 2, 3, 4, 4]);
    expect(fitMemory(4000 * MIB, NEEDS)).toMatchObject({ window: NEEDS.window, maxLineBytes: NEEDS.maxLineBytes });
  });

  /** What the refusal of next to nothing says would do. */
  function leastFor(asked: MemoryNeeds): number {
    try {
      fitMemory(1, asked);
    } catch (error) {
      const { code, hint } = error as { code: string; hint: string };
      expect(code).toBe('usage');
      return Number(/at least (\d+)MiB$/.exec(hint)?.[1]) * MIB;
    }
    throw new Error('not refused');
  }
});

describe('parseBytes', () => {
  it.each([
    ['512MB', 512e6],
    ['512 mb', 512e6],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['4096', 4096],
    ['600MiB', 600 * MIB],
    ['lots', undefined],
    ['12XB', undefined],
    ['-1MB', undefined],
    ['', undefined],
  ])('%j is %s', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });
});

describe('embed --max-memory', () => {
  it('is kept by a real run, which gives the bytes of an unbounded one, or refused before anything is read', async () => {
    const cwd = temporaryFolder();
    const words = 'river stone window paper light engine garden market'.split(' ');
    const text = (row: number): string => words.map((_, index) => words[(row * (index + 3)) % words.length]).join(' ');
    writeFileSync(join(cwd, 'in.txt'), Array.from({ length: 600 }, (_, row) => `${text(row)} ${row}\n`).join(''));
    const bounded = await runCli(['embed', 'in.txt', '-o', 'a.jsonl', '--max-memory', '400MiB', '--summary', 's.json'], { cwd });
    expect([bounded.code, bounded.stderr]).toEqual([0, expect.not.stringMatching(/more than --max-memory/)]);
    const { readFileSync } = await import('node:fs');
    expect(JSON.parse(readFileSync(join(cwd, 's.json'), 'utf8')).peakMemoryBytes).toBeLessThan(400 * MIB);
    await runCli(['embed', 'in.txt', '-o', 'b.jsonl', '--quiet'], { cwd });
    expect(readFileSync(join(cwd, 'a.jsonl')).equals(readFileSync(join(cwd, 'b.jsonl')))).toBe(true);
    const refused = await runCli(['embed', 'in.txt', '-o', 'c.jsonl', '--max-memory', '100MB'], { cwd });
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/^embedkit: --max-memory 95 MiB is not enough for this model; give it at least \d+MiB\n$/),
    ]);
  });
});
