// Latencies in an HDR histogram: percentiles to three digits from a microsecond to two minutes, and the whole of it for the record.
import { build, encodeIntoCompressedBase64 } from 'hdr-histogram-js';

export interface Percentiles {
  readonly count: number;
  readonly mean: number | null;
  readonly p50: number | null;
  /** Null below 20 samples. */
  readonly p95: number | null;
  /** Null below 100 samples, which do not tell it. */
  readonly p99: number | null;
  /** Null below 1,000 samples. */
  readonly p999: number | null;
  readonly max: number | null;
}

export interface Latencies {
  /** Milliseconds. */
  record(ms: number): void;
  /** Milliseconds; null where there are too few samples. */
  percentiles(): Percentiles;
  /** In the compressed base64 form (V2) that all HDR histogram libraries read; values in microseconds. */
  encoded(): string;
}

const LONGEST_US = 120e6;

export function createLatencies(): Latencies {
  const histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: LONGEST_US, numberOfSignificantValueDigits: 3 });
  const at = (percentile: number, least: number): number | null =>
    histogram.totalCount < least ? null : histogram.getValueAtPercentile(percentile) / 1000;
  return {
    record: (ms) => histogram.recordValue(Math.min(LONGEST_US, Math.max(1, Math.round(ms * 1000)))),
    percentiles: () => ({
      count: histogram.totalCount,
      mean: histogram.totalCount === 0 ? null : histogram.mean / 1000,
      p50: at(50, 1),
      p95: at(95, 20),
      p99: at(99, 100),
      p999: at(99.9, 1000),
      max: histogram.totalCount === 0 ? null : histogram.maxValue / 1000,
    }),
    encoded: () => encodeIntoCompressedBase64(histogram),
  };
}
