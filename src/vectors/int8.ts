// Vectors as one byte a value: each dimension has a fixed range, cut into 255 equal steps. The ranges are constants, so codes depend on the vector alone.

/** What a dimension's codes -128 and 127 stand for; an entry a dimension. */
export interface Int8Ranges {
  readonly minimum: readonly number[];
  readonly maximum: readonly number[];
}

const STEPS = 255;
const LEAST = -128;

/**
 * The nearest codes of vectors that stand row after row; what is outside its range takes the code of the nearer end.
 * @param onClamped told how many values were more than half a step outside
 */
export function encodeInt8(values: Float32Array, ranges: Int8Ranges, onClamped?: (values: number) => void): Int8Array<ArrayBuffer> {
  const dim = ranges.minimum.length;
  const { minimum, step } = stepsOf(ranges);
  const codes = new Int8Array(values.length);
  let clamped = 0;
  for (let index = 0; index < values.length; index++) {
    const column = index % dim;
    const width = step[column] as number;
    const steps = width > 0 ? Math.floor(((values[index] as number) - (minimum[column] as number)) / width + 0.5) : 0;
    const within = Math.min(Math.max(steps, 0), STEPS);
    if (within !== steps) clamped++;
    codes[index] = within + LEAST;
  }
  if (clamped > 0) onClamped?.(clamped);
  return codes;
}

/** What codes stand for: minimum + (code + 128) * (maximum - minimum) / 255. */
export function decodeInt8(codes: ArrayLike<number>, ranges: Int8Ranges): Float32Array {
  const dim = ranges.minimum.length;
  const { minimum, step } = stepsOf(ranges);
  const values = new Float32Array(codes.length);
  for (let index = 0; index < codes.length; index++) {
    const column = index % dim;
    values[index] = (minimum[column] as number) + ((codes[index] as number) - LEAST) * (step[column] as number);
  }
  return values;
}

/** Six digits: far finer than a step, and short where they are written. */
const DIGITS = 6;

/** Of the greatest magnitude in a range: in a narrower one neighbouring codes would be the same float32, and not come back as they went. */
const NARROWEST = 1e-3;

/** The least and the greatest value of each dimension. */
export function rangesOf({ dim, data }: { readonly dim: number; readonly data: Float32Array }): Int8Ranges {
  const minimum = new Array<number>(dim).fill(Number.POSITIVE_INFINITY);
  const maximum = new Array<number>(dim).fill(Number.NEGATIVE_INFINITY);
  for (let index = 0; index < data.length; index++) {
    const column = index % dim;
    const value = data[index] as number;
    minimum[column] = Math.min(minimum[column] as number, value);
    maximum[column] = Math.max(maximum[column] as number, value);
  }
  const short = (value: number): number => Number(value.toPrecision(DIGITS));
  const ends = maximum.map((most, column) => {
    const least = minimum[column] as number;
    return Math.max(most, least + NARROWEST * Math.max(Math.abs(least), Math.abs(most)));
  });
  return { minimum: minimum.map(short), maximum: ends.map(short) };
}

function stepsOf({ minimum, maximum }: Int8Ranges): { minimum: Float64Array; step: Float64Array } {
  const step = Float64Array.from(maximum, (most, column) => (most - (minimum[column] as number)) / STEPS);
  return { minimum: Float64Array.from(minimum), step };
}
