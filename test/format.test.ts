import { describe, expect, it } from 'vitest';
import { count, countOf, duration, mebibytes, printable } from '#src/format.js';

describe('numbers as people read them', () => {
  it.each([
    [0, '0'],
    [999.6, '1,000'],
    [1_234_567, '1,234,567'],
  ])('%d is counted as %s', (value, text) => expect(count(value)).toBe(text));

  it.each([
    [0, '0 rows'],
    [1, '1 row'],
    [2_000, '2,000 rows'],
  ])('%d of a noun are %s', (value, text) => expect(countOf(value, 'row')).toBe(text));

  it.each([
    [0, '0.0 s'],
    [4.25, '4.3 s'],
    [59.94, '59.9 s'],
    [59.96, '1 min 0 s'],
    [60, '1 min 0 s'],
    [200.7, '3 min 21 s'],
    [3599.99, '1 h 00 min'],
    [3600, '1 h 00 min'],
    [7500, '2 h 05 min'],
    [360_000, '100 h 00 min'],
  ])('%d seconds are %s', (seconds, text) => expect(duration(seconds)).toBe(text));

  it.each([
    [0, '0.00 MiB'],
    [2 ** 19, '0.50 MiB'],
    [10 * 2 ** 20, '10 MiB'],
    [5000 * 2 ** 20, '5,000 MiB'],
  ])('%d bytes are %s', (bytes, text) => expect(mebibytes(bytes)).toBe(text));
});

describe('text for a terminal', () => {
  it('stays on one line and moves nothing', () => {
    expect(printable('a\nb\u001b[2Jc\u0007\u009b\u2028é漢😀')).toBe('a\\u000ab\\u001b[2Jc\\u0007\\u009b\\u2028é漢😀');
  });
});
