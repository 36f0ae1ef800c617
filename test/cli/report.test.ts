import { afterEach, describe, expect, it, vi } from 'vitest';
import { createReporter, type LogFormat } from '#src/cli/report.js';
import type { JobProgress, JobSummary } from '#src/job/config.js';

const SUMMARY: JobSummary = {
  rowsIn: 1234,
  rows: 1234,
  embedded: 1234,
  reused: 0,
  quarantined: 0,
  resumed: 0,
  removed: 0,
  quarantine: undefined,
  tokens: 56_789,
  truncatedTexts: 2,
  lostTokens: 30,
  lostTokensIsExact: false,
  duplicateIds: 1,
  duplicateIdsIsExact: true,
  seconds: 90.4,
  tokensPerSecond: 628.2,
  engineSeconds: 88,
  keepSeconds: 0.3,
  assembleSeconds: 0.2,
  loadSeconds: 0.5,
  peakMemoryBytes: 300 * 2 ** 20,
  outputBytes: 5 * 2 ** 20,
  output: 'out.parquet',
  threads: 2,
  fingerprint: 'f',
  audit: undefined,
  clampedValues: 0,
};
const PROGRESS: JobProgress = { rows: 500, tokens: 10_000, rowsRead: 1000, tokensRead: 20_000, bytesRead: 50, bytesTotal: 100 };

/** A reporter and what it wrote; `at` sets its clock in seconds. */
function reporterOf(format: LogFormat, quiet: boolean, isTTY = false) {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const written: string[] = [];
  const stream = { isTTY, columns: 120, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
  const reporter = createReporter({ quiet, format, stream });
  const at = (seconds: number): void => {
    now = seconds * 1000;
    reporter.progress(PROGRESS);
  };
  return { reporter, written, at };
}

afterEach(() => vi.restoreAllMocks());

describe('progress away from a terminal', () => {
  it('is a line every 30 seconds', () => {
    const { written, at } = reporterOf('text', false);
    for (const seconds of [0, 1, 29.9]) at(seconds);
    expect(written).toEqual([]);
    for (const seconds of [40, 50, 69.9, 70]) at(seconds);
    // Half of the bytes are read and half of what was read is computed: a quarter is done.
    expect(written).toEqual([
      expect.stringMatching(/^500 rows, 250 tokens\/s, 2 min 0 s left, [\d,]+ MiB\n$/),
      expect.stringMatching(/^500 rows, 143 tokens\/s, 3 min 30 s left, [\d,]+ MiB\n$/),
    ]);
  });

  it('is JSON if asked', () => {
    const { written, at } = reporterOf('json', false);
    at(40);
    const [line] = written.map((text) => JSON.parse(text));
    expect(line).toEqual({
      event: 'progress',
      ...PROGRESS,
      tokensPerSecond: 250,
      fraction: 0.25,
      etaSeconds: 120,
      memoryBytes: expect.any(Number),
    });
  });

  it('knows no end where the size is unknown', () => {
    const { reporter, written, at } = reporterOf('text', false);
    at(0);
    vi.mocked(performance.now).mockReturnValue(31_000);
    reporter.progress({ ...PROGRESS, bytesTotal: 0 });
    expect(written[0]).toMatch(/^500 rows, 323 tokens\/s, time left unknown, /);
  });
});

describe('the summary', () => {
  it('says rows, size, tokens, seconds, speed, memory, truncation and duplicates', () => {
    const { reporter, written } = reporterOf('text', false);
    reporter.summary(SUMMARY);
    expect(written).toEqual([
      [
        'out.parquet: 1,234 rows, 5.00 MiB',
        '56,789 tokens in 1 min 30 s: 628 tokens/s on 2 threads, peak memory 300 MiB',
        '2 texts truncated (at least 30 tokens lost); 1 duplicate id\n',
      ].join('\n'),
    ]);
  });

  it('says how many values were outside their int8 range', () => {
    const { reporter, written } = reporterOf('text', false);
    reporter.summary({ ...SUMMARY, clampedValues: 12_345 });
    expect(written.join('')).toContain('\n12,345 values outside the int8 range of the dimension, stored as its end\n');
  });

  it('is its fields in JSON', () => {
    const { reporter, written } = reporterOf('json', false, true);
    reporter.summary(SUMMARY);
    expect(written.map((line) => JSON.parse(line))).toEqual([{ event: 'summary', ...SUMMARY }]);
  });
});

describe('--quiet', () => {
  it.each([true, false])('writes nothing (on a terminal: %s)', (isTTY) => {
    const { reporter, written, at } = reporterOf('text', true, isTTY);
    at(100);
    reporter.summary(SUMMARY);
    reporter.close();
    expect(written).toEqual([]);
  });
});
