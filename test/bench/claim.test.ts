// Claims as people write them, and the arithmetic of what they need.
import { describe, expect, it } from 'vitest';
import { judgeClaim, parseClaim } from '#src/bench/claim.js';

describe('parseClaim', () => {
  it.each([
    ['4200 emb/s at 50 tokens on 4 cores', 4200, 50, 4],
    ['4,200 embeddings/s at 50 tokens on 4 vCPUs', 4200, 50, 4],
    [' 12.5 texts/sec at 512 tokens on 1 core ', 12.5, 512, 1],
    ['900 emb/s at 50 tokens', 900, 50, undefined],
  ])('reads %j', (text, embeddingsPerSecond, tokens, cores) => {
    expect(parseClaim(text)).toEqual({ text, embeddingsPerSecond, tokens, cores });
  });

  it.each([
    '',
    'fast',
    '4200 at 50 tokens',
    '4200 emb/s',
    '0 emb/s at 50 tokens',
    '5 emb/s at 0 tokens',
    '5 emb/s at 5 tokens on 0 cores',
    'x emb/s at 5 tokens',
  ])('refuses %j in a sentence', (text) => {
    expect(() => parseClaim(text)).toThrow('not a claim');
  });
});

describe('judgeClaim', () => {
  // bge-small: 12 layers of 4 x 384 x 384 + 2 x 384 x 1536 weights, two operations each a token.
  const aText = 50 * 2 * 12 * (4 * 384 ** 2 + 2 * 384 * 1536);

  it('needs about 8.9 Tera-operations a second for the published one', () => {
    const claim = parseClaim('4200 emb/s at 50 tokens on 4 cores');
    const verdict = judgeClaim(claim, 'int8', aText, 4e11, 2);
    expect(verdict.needed / 1e12).toBeCloseTo(8.92, 2);
    expect(verdict.roof).toBe(8e11);
    expect(verdict.isPossible).toBe(false);
  });

  it('allows what lies under the roof, and what just reaches it', () => {
    const claim = parseClaim('100 emb/s at 50 tokens');
    expect(judgeClaim(claim, 'fp32', aText, 100 * aText, 2)).toMatchObject({ cores: 2, isPossible: true });
    expect(judgeClaim(claim, 'fp32', aText, 99.9 * aText, 2).isPossible).toBe(false);
  });
});
