// Vectors read from the places where files hold them, through more files than are open at a time.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { VectorFiles } from '#src/job/vector-files.js';
import { fc } from '../properties.js';
import { temporaryFolder } from '../run.js';

const DIM = 3;
const GAP = 5;

/** Rows of DIM values that count up from `start`, in pieces with a gap of odd bytes before each. */
function write(path: string, pieces: readonly number[], start = 0): { firstRows: Float64Array; at: Float64Array } {
  const firstRows: number[] = [];
  const at: number[] = [];
  const chunks: Uint8Array[] = [];
  let rows = 0;
  let bytes = 0;
  for (const piece of pieces) {
    const values = Float32Array.from({ length: piece * DIM }, (_, index) => start + rows * DIM + index);
    chunks.push(new Uint8Array(GAP).fill(255), new Uint8Array(values.buffer));
    firstRows.push(rows);
    at.push(bytes + GAP);
    bytes += GAP + values.byteLength;
    rows += piece;
  }
  writeFileSync(path, Buffer.concat(chunks));
  return { firstRows: Float64Array.from(firstRows), at: Float64Array.from(at) };
}

describe('vectors in files', () => {
  it('come whole from any row on, over the gaps between pieces', () => {
    const path = join(temporaryFolder(), 'vectors');
    const cases = fc
      .array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 8 })
      .chain((pieces) => {
        const rows = pieces.reduce((sum, piece) => sum + piece, 0);
        return fc.tuple(fc.constant(pieces), fc.nat(rows - 1), fc.constant(rows));
      })
      .chain(([pieces, row, rows]) => fc.tuple(fc.constant(pieces), fc.constant(row), fc.integer({ min: 1, max: rows - row })));
    fc.assert(
      fc.property(cases, ([pieces, row, count]) => {
        const files = new VectorFiles(DIM);
        const file = files.add({ path, outlives: false, ...write(path, pieces) });
        const target = new Float32Array(count * DIM);
        files.read(file, row, target);
        files.close();
        expect([...target]).toEqual(Array.from({ length: count * DIM }, (_, index) => row * DIM + index));
      }),
    );
  });

  it.each([
    ['refused in an earlier output', true],
    ['none of its business in a file of the run', false],
  ])('under a name that has another file by then: %s', (_, outlives) => {
    const folder = temporaryFolder();
    const files = new VectorFiles(DIM);
    const paths = Array.from({ length: 100 }, (_, index) => join(folder, String(index)));
    for (const [index, path] of paths.entries()) files.add({ path, outlives, ...write(path, [2], index * 100) });
    const target = new Float32Array(DIM);
    const first = paths[0] as string;
    rmSync(first);
    write(first, [2, 2], 7);
    if (outlives) expect(() => files.read(0, 0, target)).toThrow(/written anew/);
    else files.read(0, 0, target);
    for (const index of [99, 50, 1]) {
      files.read(index, 1, target);
      expect([...target]).toEqual([0, 1, 2].map((value) => index * 100 + DIM + value));
    }
    files.close();
  });

  it('that end too early are an error', () => {
    const path = join(temporaryFolder(), 'vectors');
    const files = new VectorFiles(DIM);
    const file = files.add({ path, outlives: false, ...write(path, [2]) });
    expect(() => files.read(file, 1, new Float32Array(2 * DIM))).toThrow(/ends before its last vector/);
    files.close();
  });
});
