// Shards: disjoint, together the whole, and stable where the corpus changes.

import { describe, expect, it } from 'vitest';
import { type ItemOptions, identify, inShard, type RunItem } from '#src/job/items.js';
import { planJob } from '#src/job/plan.js';
import type { TextRecord } from '#src/records/record.js';
import { fc } from '../properties.js';

const options: ItemOptions = { prompt: '', fingerprint: 'f', limit: Number.MAX_SAFE_INTEGER };

async function* recordsOf(texts: readonly string[]): AsyncGenerator<TextRecord[]> {
  yield texts.map((text, row) => ({
    id: undefined,
    text,
    kept: { kind: 'values', values: [] },
    place: { source: 'in.txt', unit: 'line', number: row + 1 },
  }));
}

async function shard(texts: readonly string[], index: number, of: number): Promise<RunItem[]> {
  const items: RunItem[] = [];
  for await (const some of inShard(identify(recordsOf(texts), options), { index, of })) items.push(...some);
  return items;
}

const keyOf = (item: RunItem): string => `${item.id} ${'text' in item ? item.text : ''}`;

describe('inShard', () => {
  it('puts every row into one shard, in its order, with the number it has in the whole', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ maxLength: 5 }), { maxLength: 60 }), fc.integer({ min: 1, max: 9 }), async (texts, of) => {
        const shards = await Promise.all(Array.from({ length: of }, (_, index) => shard(texts, index, of)));
        const rows = shards.flat().sort((a, b) => Number(a.id) - Number(b.id));
        expect(rows.map(keyOf)).toEqual(texts.map((text, row) => `${row} ${text}`));
        for (const items of shards)
          expect(items.map(({ id }) => Number(id))).toEqual(items.map(({ id }) => Number(id)).sort((a, b) => a - b));
      }),
    );
  });

  it('leaves a row where it is when others come and go', async () => {
    const texts = Array.from({ length: 200 }, (_, row) => `text ${row}`);
    const before = await shard(texts, 1, 4);
    const after = await shard(['a new one', ...texts.filter((_, row) => row % 7 !== 0)], 1, 4);
    const kept = new Set(texts.filter((_, row) => row % 7 !== 0));
    const textsOf = (items: readonly RunItem[]): string[] =>
      items.flatMap((item) => ('text' in item && kept.has(item.text) ? [item.text] : []));
    expect(textsOf(after)).toEqual(textsOf(before));
    expect(before.length).toBeGreaterThan(30);
    expect(before.length).toBeLessThan(70);
  });

  it.each([[{ index: 0, of: 0 }], [{ index: 4, of: 4 }], [{ index: -1, of: 4 }]])('%j is no shard', async (wrong) => {
    const config = { input: { paths: ['package.json'], from: 'txt' as const, shard: wrong }, output: { path: 'out.parquet' } };
    await expect(planJob(config)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/^--shard -?\d\/\d: no such part/),
    });
  });
});
