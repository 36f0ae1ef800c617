// Runs calibration text through a tapped full-precision graph and keeps, of every tap, its channels' ranges and a sample of rows.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GraphTensor } from '../engine/contract.js';
import { openGraph } from '../engine/ort.js';
import type { GraphBuilder } from '../onnx/build.js';
import type { ModelProto } from '../onnx/proto.js';
import { writeGraph } from '../onnx/write.js';
import type { StoredObservation } from './observation.js';

/** `rows` texts of `width` tokens each. */
export interface IdBatch {
  readonly ids: Int32Array;
  readonly rows: number;
  readonly width: number;
}

/** A value of the graph that is observed: the input of some products. */
export interface Tap {
  readonly name: string;
  readonly channels: number;
  /** Whether it has one row a token, or one a text (past the keys and values of a CLS model's last layer). */
  readonly per: 'token' | 'text';
}

/** int64 inputs of a tapped graph: which rows of the batch are kept. */
export const SAMPLE_INPUTS = { token: 'sampled_tokens', text: 'sampled_texts' } as const;
const PARTS = ['minimum', 'maximum', 'sample'] as const;

// From opset 18 on, ReduceMin and ReduceMax take their axes as an input.
const AXES_INPUT_OPSET = 18;

/**
 * Adds the outputs of a tap to a graph: channels, channels, and sampled rows x channels.
 * @param opset of the graph
 */
export function emitTap(graph: GraphBuilder, tap: Tap, value: string, opset: number): void {
  const { name, channels, per } = tap;
  const shape = graph.integers(`${name}.flat_shape`, [-1, channels]);
  const flat = graph.node('Reshape', `${name}.flat`, [value, shape]);
  const isInput = opset >= AXES_INPUT_OPSET;
  const inputs = isInput ? [flat, graph.integers(`${name}.axes`, [0])] : [flat];
  const reduced = { attributes: { ...(isInput ? {} : { axes: [0] }), keepdims: 0 } };
  graph.node('ReduceMin', `${name}.minimum`, inputs, reduced);
  graph.node('ReduceMax', `${name}.maximum`, inputs, reduced);
  // A value with fewer rows than was thought, past a pooling in the graph say, is sampled round and round.
  const rows = graph.node('Gather', `${name}.rows`, [graph.node('Shape', `${name}.size`, [flat]), graph.integers(`${name}.first`, [0])]);
  graph.node('Gather', `${name}.sample`, [flat, graph.node('Mod', `${name}.picked`, [SAMPLE_INPUTS[per], rows])]);
}

/** The outputs that emitTap adds. */
export function tapOutputs({ name, channels }: Tap): { name: string; dims: (number | string)[] }[] {
  return PARTS.map((part) => ({ name: `${name}.${part}`, dims: part === 'sample' ? ['sampled', channels] : [channels] }));
}

export interface TappedModel extends Taps {
  readonly model: ModelProto;
}

/** A tapped graph on disk. */
export interface TappedFile extends Taps {
  readonly path: string;
  /** Whether its weights are beside it, as those of a large model are. */
  readonly isLarge: boolean;
}

interface Taps {
  readonly taps: readonly Tap[];
  /** What the graph's own inputs are fed with. */
  readonly feeds: (batch: IdBatch) => Record<string, GraphTensor>;
}

export interface ObserveOptions {
  readonly threads: number;
  /** A folder for the samples, which are there as long as the observations are of use. */
  readonly work: string;
  /** Rows kept of each tap, at most. */
  readonly sampleRows: number;
  readonly onBatch?: (tokens: number) => void;
}

/**
 * Writes the graph into a folder, so that its weights need not be held.
 * @param inlineLimitBytes weights beyond it lie beside the graph; default as in export
 */
export async function writeTapped({ model, taps, feeds }: TappedModel, work: string, inlineLimitBytes?: number): Promise<TappedFile> {
  const path = join(work, 'tapped.onnx');
  const files = await writeGraph(model, path, inlineLimitBytes);
  return { taps, feeds, path, isLarge: files.length > 1 };
}

/**
 * Observes every tap. Memory is bounded by the graph and one batch: ranges and rows are picked inside the graph, and rows go to a file each tap.
 * @param batches calibration texts, each batch of one length: padding would be observed too
 */
export async function observe(tapped: TappedFile, batches: readonly IdBatch[], options: ObserveOptions): Promise<StoredObservation[]> {
  // Large weights are read where they are: a copy of them would be as large.
  const runner = await openGraph(tapped.path, options.threads, tapped.isLarge ? 'as-stored' : 'packed');
  const collectors = tapped.taps.map((tap, at) => new Collector(tap, join(options.work, `sample-${at}.f32`)));
  const pickToken = evenPicker(
    batches.reduce((sum, { ids }) => sum + ids.length, 0),
    options.sampleRows,
  );
  const pickText = evenPicker(
    batches.reduce((sum, { rows }) => sum + rows, 0),
    options.sampleRows,
  );
  try {
    for (const batch of tapped.isLarge ? batches.flatMap(inSmallBatches) : batches) {
      const sampled = { [SAMPLE_INPUTS.token]: pickToken(batch.ids.length), [SAMPLE_INPUTS.text]: pickText(batch.rows) };
      const seen = await runner.run({ ...tapped.feeds(batch), ...sampled });
      for (const collector of collectors) collector.add(seen);
      options.onBatch?.(batch.ids.length);
    }
  } finally {
    await runner.close();
  }
  return collectors.map((collector) => collector.finish());
}

/** What is seen of a token in all layers of a large model takes a megabyte. */
const SMALL_BATCH_TOKENS = 128;

function inSmallBatches({ ids, rows, width }: IdBatch): IdBatch[] {
  const most = Math.max(1, Math.floor(SMALL_BATCH_TOKENS / width));
  return Array.from({ length: Math.ceil(rows / most) }, (_, at) => {
    const count = Math.min(most, rows - at * most);
    return { ids: ids.subarray(at * most * width, (at * most + count) * width), rows: count, width };
  });
}

export function int64(values: ArrayLike<number>, dims: readonly number[]): GraphTensor {
  return { type: 'int64', dims, data: BigInt64Array.from(Array.from(values), BigInt) };
}

/** Picks about `wanted` of `total` things, evenly spaced, as they come by in groups: positions within the next `count`. */
function evenPicker(total: number, wanted: number): (count: number) => GraphTensor {
  let passed = 0;
  const picksUpTo = (position: number): number => Math.floor((position * Math.min(wanted, total)) / total);
  return (count) => {
    const picked: number[] = [];
    for (let at = 0; at < count; at++) if (picksUpTo(passed + at + 1) > picksUpTo(passed + at)) picked.push(at);
    passed += count;
    return int64(picked, [picked.length]);
  };
}

class Collector {
  private readonly minima: Float32Array;
  private readonly maxima: Float32Array;
  private rows = 0;

  constructor(
    private readonly tap: Tap,
    private readonly path: string,
  ) {
    this.minima = new Float32Array(tap.channels).fill(Number.POSITIVE_INFINITY);
    this.maxima = new Float32Array(tap.channels).fill(Number.NEGATIVE_INFINITY);
    writeFileSync(path, '');
  }

  add(seen: Readonly<Record<string, Float32Array>>): void {
    const [minimum, maximum, sample] = PARTS.map((part) => seen[`${this.tap.name}.${part}`] as Float32Array) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    for (let channel = 0; channel < this.tap.channels; channel++) {
      this.minima[channel] = Math.min(this.minima[channel] as number, minimum[channel] as number);
      this.maxima[channel] = Math.max(this.maxima[channel] as number, maximum[channel] as number);
    }
    appendFileSync(this.path, new Uint8Array(sample.buffer, sample.byteOffset, sample.byteLength));
    this.rows += sample.length / this.tap.channels;
  }

  finish(): StoredObservation {
    const { minima, maxima, rows, path } = this;
    const seen = { name: this.tap.name, channels: this.tap.channels, minima, maxima, rows };
    return { ...seen, load: () => ({ ...seen, sample: new Float32Array(new Uint8Array(readFileSync(path)).buffer) }) };
  }
}
