// A model of 100 MB with five breaks on the way: what the hub sent, and that nothing came twice.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { pull } from '#src/hub/pull.js';
import { noise, plainModel, quickly, temporaryCache } from './cache.js';
import { sha256, startHub } from './hub.js';

const BYTES = 100_000_000;
const BREAKS = 5;
/** Of each answer that breaks; no multiple of any buffer. */
const BROKEN_BYTES = 16_000_123;

it('100 MB with five breaks: resumed each time, hash right, no byte sent twice', async () => {
  temporaryCache();
  // Repeated, for speed; the pieces are told apart by their number.
  const weights = Buffer.concat(Array.from({ length: BYTES / 1_000_000 }, (_, at) => noise(1_000_000, at + 1)));
  const hub = await startHub({
    files: plainModel(weights),
    fault: ({ at }, count) => (at === 'storage' && count <= BREAKS ? { breakAfter: BROKEN_BYTES } : undefined),
  });
  const { folder, fetchedBytes } = await pull('org/tiny', quickly(hub));
  const ranges = hub.seen.filter(({ at }) => at === 'storage').map(({ range }) => range ?? 'from the start');
  const found = sha256(readFileSync(join(folder, 'model.safetensors')));
  console.info(
    [
      `bytes of the file       ${weights.length}`,
      `bytes sent by the hub   ${hub.sent.get('model.safetensors')}`,
      `bytes fetched in all    ${fetchedBytes}`,
      `asked for               ${ranges.join(', ')}`,
      `SHA-256 on the hub      ${sha256(weights)}`,
      `SHA-256 in the cache    ${found}`,
    ].join('\n'),
  );
  expect(ranges).toEqual(['from the start', ...[1, 2, 3, 4, 5].map((n) => `bytes=${n * BROKEN_BYTES}-`)]);
  expect(hub.sent.get('model.safetensors')).toBe(weights.length);
  expect(found).toBe(sha256(weights));
});
