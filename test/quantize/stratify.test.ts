// Sampling a corpus: distinct texts, shares that add up, all lengths and the whole course of it, the same picks each time.

import { describe, expect, it } from 'vitest';
import { createStrata, type Pick, type StrataLimits, sharesOf, splitHeldOut } from '#src/quantize/stratify.js';
import { fc } from '../properties.js';

const ROOMY: StrataLimits = { texts: 1000, characters: 1e6, longest: 1e4 };
const LIMITS = fc.record({
  texts: fc.integer({ min: 1, max: 20 }),
  characters: fc.integer({ min: 1, max: 400 }),
  longest: fc.integer({ min: 1, max: 40 }),
});
const TEXTS = fc.array(fc.string({ minLength: 1, maxLength: 60, unit: fc.constantFrom('a', 'b', '😀') }), { maxLength: 200 });

function sample(texts: readonly string[], limits: StrataLimits, count: number): { strata: Pick[][]; kept: number } {
  const strata = createStrata(limits);
  for (const [position, text] of texts.entries()) strata.add(text, position);
  return { strata: strata.pick(count), kept: strata.kept };
}

function cut(text: string, longest: number): string {
  const start = text.slice(0, longest);
  return start.isWellFormed() || longest === 1 ? start : start.slice(0, -1);
}

describe('createStrata', () => {
  it('picks different texts of the corpus, each from where it stands, in order, as many as asked for or kept', () => {
    const check = (texts: string[], limits: StrataLimits, count: number): void => {
      const { strata, kept } = sample(texts, limits, count);
      const picks = strata.flat();
      expect(new Set(picks.map(({ text }) => text)).size).toBe(picks.length);
      for (const { text, position } of picks) expect(text).toBe(cut(texts[position] as string, limits.longest));
      for (const picked of strata) expect(picked).toEqual([...picked].sort((a, b) => a.position - b.position));
      expect(picks.length).toBe(Math.min(count, kept));
      expect(sample(texts, limits, count).strata).toEqual(strata);
    };
    fc.assert(fc.property(TEXTS, LIMITS, fc.integer({ min: 0, max: 100 }), check));
  });

  it('keeps to its limits and still keeps something of every length', () => {
    const check = (texts: string[], limits: StrataLimits): void => {
      const { strata } = sample(texts, limits, 1e6);
      const lengths = new Set(texts.map((text) => Math.floor(Math.log2(cut(text, limits.longest).length))));
      expect(strata.length).toBe(lengths.size);
      for (const picked of strata) {
        expect(picked.length).toBeGreaterThan(0);
        expect(picked.length).toBeLessThanOrEqual(limits.texts);
        const characters = picked.reduce((sum, { text }) => sum + text.length, 0);
        if (picked.length > 1) expect(characters).toBeLessThanOrEqual(limits.characters);
      }
    };
    fc.assert(fc.property(TEXTS, LIMITS, check));
  });

  it('takes every text when there is room', () => {
    const texts = ['a', 'bb', 'a', 'ccc', 'bb', 'dddd', 'e'];
    const { strata } = sample(texts, ROOMY, 100);
    const expected = [
      ['a', 0, 'e', 6],
      ['bb', 1, 'ccc', 3],
      ['dddd', 5],
    ];
    expect(strata.map((picked) => picked.flatMap(({ text, position }) => [text, position]))).toEqual(expected);
  });

  it('holds 200,000 texts of seven lengths in the room of a few hundred, spread over them all', () => {
    const strata = createStrata({ texts: 64, characters: 10_000, longest: 400 });
    let most = 0;
    for (let position = 0; position < 200_000; position++) {
      // The rarest length, one text in 400, is the longest: 300 characters.
      const length = position % 400 === 7 ? 300 : [6, 12, 20, 40, 70, 130][position % 6];
      strata.add(String(position).padStart(length as number, 'x'), position);
      most = Math.max(most, strata.kept);
    }
    expect(most).toBeLessThanOrEqual(7 * 64);
    const picked = strata.pick(140);
    expect(picked.map((picks) => picks.length).reduce((sum, count) => sum + count, 0)).toBe(140);
    expect(picked.length).toBe(7);
    for (const picks of picked) {
      expect(picks.length).toBeGreaterThanOrEqual(10);
      const tenths = new Set(picks.map(({ position }) => Math.floor(position / 20_000)));
      expect([...tenths].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
  });

  it('lets one text that comes again and again take no more than one place', () => {
    const texts = Array.from({ length: 5000 }, (_, index) => (index % 100 === 50 ? `t${String(index).padStart(4, '0')}` : 'again'));
    const { strata } = sample(texts, { ...ROOMY, texts: 64 }, 64);
    expect(strata.map((picks) => picks.length)).toEqual([51]);
  });

  it('cuts no surrogate pair in two', () => {
    const { strata } = sample([`abc😀`], { ...ROOMY, longest: 4 }, 1);
    expect(strata.flat()).toEqual([{ text: 'abc', position: 0 }]);
  });
});

describe('sharesOf', () => {
  const stratum = (seen: number, size: number): { seen: number; kept: { size: number } } => ({ seen, kept: { size } });

  it('gives half in equal parts and half by count', () => {
    expect(sharesOf([stratum(100, 100), stratum(300, 300)], 100)).toEqual([38, 62]);
    expect(sharesOf([stratum(1000, 500), stratum(3000, 500)], 80)).toEqual([30, 50]);
  });

  it('has the others take what one cannot give', () => {
    expect(sharesOf([stratum(1000, 10), stratum(1000, 500), stratum(2000, 500)], 100)).toEqual([10, 37, 53]);
    expect(sharesOf([stratum(5, 5), stratum(5000, 70)], 100)).toEqual([5, 70]);
  });

  it('adds up, stays within what there is and gives every length its part', () => {
    const strata = fc.array(
      fc
        .tuple(fc.integer({ min: 1, max: 1e7 }), fc.integer({ min: 1, max: 2000 }))
        .map(([seen, size]) => stratum(Math.max(seen, size), size)),
      { minLength: 1, maxLength: 20 },
    );
    const check = (some: ReturnType<typeof stratum>[], count: number): void => {
      const shares = sharesOf(some, count);
      const available = some.reduce((sum, { kept }) => sum + kept.size, 0);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(Math.min(count, available));
      shares.forEach((share, index) => {
        const { kept } = some[index] as ReturnType<typeof stratum>;
        expect(Number.isInteger(share)).toBe(true);
        expect(share).toBeLessThanOrEqual(kept.size);
        expect(share).toBeGreaterThanOrEqual(Math.min(kept.size, Math.floor(count / (2 * some.length))));
      });
    };
    fc.assert(fc.property(strata, fc.integer({ min: 0, max: 5000 }), check));
  });
});

describe('splitHeldOut', () => {
  it('holds out every fifth, counted on from stratum to stratum', () => {
    const { observed, heldOut } = splitHeldOut([[1, 2, 3], [4, 5, 6, 7], [8], [9, 10, 11]], 0.2);
    expect(heldOut).toEqual([5, 10]);
    expect(observed).toEqual([1, 2, 3, 4, 6, 7, 8, 9, 11]);
  });

  it('loses none, keeps one to observe and lets each stratum give its share', () => {
    const strata = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 12 });
    const check = (sizes: number[], hundredths: number): void => {
      const share = hundredths / 100;
      const items = sizes.map((size, stratum) => Array.from({ length: size }, (_, index) => `${stratum}/${index}`));
      const { observed, heldOut } = splitHeldOut(items, share);
      expect([...observed, ...heldOut].sort()).toEqual(items.flat().sort());
      if (items.flat().length > 0) expect(observed.length).toBeGreaterThan(0);
      sizes.forEach((size, stratum) => {
        const held = heldOut.filter((item) => item.startsWith(`${stratum}/`)).length;
        expect(Math.abs(held - size * share)).toBeLessThan(1 + 1e-6);
      });
    };
    fc.assert(fc.property(strata, fc.integer({ min: 0, max: 99 }), check));
  });
});
