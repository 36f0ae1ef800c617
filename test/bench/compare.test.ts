// Two runs held against each other: a true difference is found, none is made up, and what cannot be compared is refused.
import { describe, expect, it } from 'vitest';
import { compareResults } from '#src/bench/compare.js';
import { madeUp, roofTurn } from './made-up.js';

const around = (ms: number, spread: number, shift = 0): number[] =>
  [0, 1, 2, 3, 4, 5, 6].map((at) => ms * (1 + spread * (((at * 5 + shift) % 7) / 7 - 0.5)));
const speedOf = (comparison: ReturnType<typeof compareResults>) => comparison.rows.find(({ title }) => title === 'embeddings/s');

describe('compareResults', () => {
  it('finds no difference between a run and itself, in any row', () => {
    const { rows, roof, alone } = compareResults(madeUp(), madeUp());
    expect(rows).toHaveLength(10);
    expect([...rows, ...roof].map(({ verdict }) => verdict)).toEqual(Array(12).fill('no difference'));
    for (const { ratio } of rows) expect(ratio.value).toBeCloseTo(1, 2);
    expect(alone).toEqual([]);
  });

  it('finds a tenth more speed, with its factor, and says which way', () => {
    const found = speedOf(
      compareResults(madeUp({ speeds: { int8: around(2.2, 0.02) } }), madeUp({ speeds: { int8: around(2, 0.02, 3) } })),
    );
    expect(found?.verdict).toBe('differs');
    expect(found?.ratio.value).toBeCloseTo(1.1, 1);
    expect(found?.ratio.low).toBeGreaterThan(1.05);
  });

  it('finds no difference where the rounds differ more than the runs', () => {
    const found = speedOf(compareResults(madeUp({ speeds: { int8: around(2.02, 0.3) } }), madeUp({ speeds: { int8: around(2, 0.3, 3) } })));
    expect(found?.verdict).toBe('no difference');
  });

  it('says so where there are too few rounds, however far they lie apart', () => {
    const found = speedOf(compareResults(madeUp({ speeds: { int8: [9, 9, 9, 9] } }), madeUp({ speeds: { int8: [1, 1, 1, 1] } })));
    expect(found?.verdict).toBe('too few rounds');
  });

  it('compares the corpus where both have one, and names what only one has', () => {
    const both = compareResults(madeUp({ withCorpus: true }), madeUp({ withCorpus: true }));
    expect(both.rows.filter(({ title }) => title === 'embeddings/s on the corpus')).toHaveLength(2);
    const one = compareResults(madeUp({ speeds: { int8: [1, 2], other: [1, 2] } }), madeUp({ speeds: { int8: [1, 2], fp32: [1, 2] } }));
    expect(one.alone).toEqual(['other', 'fp32']);
  });

  it('notices that the machine itself became faster', () => {
    const b = madeUp();
    const { roof } = compareResults(madeUp(), { ...b, roof: b.roof.map((_, round) => roofTurn(round, 1.2)) });
    expect(roof.map(({ verdict }) => verdict)).toEqual(['differs', 'differs']);
  });

  const { machine, options } = madeUp();
  it.each([
    [
      'another processor',
      { machine: { ...machine, cpu: 'Another' } },
      /different machines \(A processor, 2 of 2 CPUs; Another, 2 of 2 CPUs\)/,
    ],
    ['other instruction sets', { machine: { ...machine, flags: ['avx512'] } }, /different machines .* with other instruction sets/],
    ['other threads', { options: { ...options, threads: 1 } }, /measured with --threads 2 and 1/],
    ['other batches', { options: { ...options, batch: 8 } }, /measured with --batch 32 and 8/],
    ['other variants', { variants: madeUp({ speeds: { other: [1] } }).variants }, /nothing was measured in both/],
  ])('refuses %s', (_, change, sentence) => {
    expect(() => compareResults(madeUp(), { ...madeUp(), ...change })).toThrow(sentence);
  });
});
