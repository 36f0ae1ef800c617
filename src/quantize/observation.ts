// What was seen of the input of some matrix products on calibration text. Data only.

export interface Observation {
  /** Of the site, like `layer3.down`. */
  readonly name: string;
  readonly channels: number;
  /** Least and greatest value of each channel over every calibration token. */
  readonly minima: Float32Array;
  readonly maxima: Float32Array;
  /** rows x channels: some of the tokens, evenly spaced over the calibration text. */
  readonly sample: Float32Array;
  readonly rows: number;
}

/** An observation whose sample waits elsewhere: those of all sites together are larger than many a model. */
export interface StoredObservation extends Omit<Observation, 'sample'> {
  /** Throws the system's error where the file of the sample cannot be read. */
  load(): Observation;
}

/** The same after each channel was divided by `divisor`. */
export function dividedObservation(seen: Observation, divisor: Float32Array): Observation {
  const divide = (value: number, at: number): number => value / (divisor[at % seen.channels] as number);
  return { ...seen, minima: seen.minima.map(divide), maxima: seen.maxima.map(divide), sample: seen.sample.map(divide) };
}

/** Largest magnitude of each channel. */
export function magnitudesOf({ minima, maxima }: Pick<Observation, 'minima' | 'maxima'>): Float32Array {
  return maxima.map((value, at) => Math.max(value, -(minima[at] as number)));
}

/** Mean square of each channel over the sample. */
export function meanSquares({ sample, channels, rows }: Observation): Float32Array {
  const sums = new Float64Array(channels);
  for (let start = 0; start < sample.length; start += channels) {
    for (let channel = 0; channel < channels; channel++)
      sums[channel] = (sums[channel] as number) + (sample[start + channel] as number) ** 2;
  }
  return Float32Array.from(sums, (sum) => sum / rows);
}

/** The sample's `rows` evenly spaced rows, or all where there are fewer. */
export function thinnedSample({ sample, channels, rows }: Observation, wanted: number): Float32Array {
  if (rows <= wanted) return sample;
  const thinned = new Float32Array(wanted * channels);
  for (let row = 0; row < wanted; row++) {
    const from = Math.floor((row * rows) / wanted) * channels;
    thinned.set(sample.subarray(from, from + channels), row * channels);
  }
  return thinned;
}

/** The same with channel i taken from channel sources[i]. */
export function copiedObservation(seen: Observation, sources: Int32Array): Observation {
  const channels = sources.length;
  const sample = new Float32Array(seen.rows * channels);
  for (let row = 0; row < seen.rows; row++) {
    for (let channel = 0; channel < channels; channel++) {
      sample[row * channels + channel] = seen.sample[row * seen.channels + (sources[channel] as number)] as number;
    }
  }
  const pick = (values: Float32Array): Float32Array => Float32Array.from(sources, (source) => values[source] as number);
  return { ...seen, channels, minima: pick(seen.minima), maxima: pick(seen.maxima), sample };
}
