// What is observed of a tapped graph, against the same values recomputed token by token with the reference operators.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Encoder } from '#src/encoder/encoder.js';
import { siteName, sitesOf } from '#src/encoder/sites.js';
import { liveGraph } from '#src/onnx/live.js';
import { ModelProto } from '#src/onnx/proto.js';
import { encoderPath } from '#src/quantize/encoder-path.js';
import type { Observation } from '#src/quantize/observation.js';
import {
  type IdBatch,
  type ObserveOptions,
  observe as observeInto,
  type Tap,
  type TappedModel,
  writeTapped,
} from '#src/quantize/observe.js';
import { joined, randomBatch, randomEncoder } from '../encoder/random-encoder.js';
import { interpret } from '../reference/interpret.js';
import { tensor } from '../reference/tensor.js';

const encoder = randomEncoder({ layers: 2, hidden: 16, inner: 24, heads: 2 });
const SHORT = [0, 1, 2, 3].map((seed) => randomBatch(encoder, 1, 3, 40 + seed));
const LONG = [0, 1, 2].map((seed) => randomBatch(encoder, 1, 7, 50 + seed));
const BATCHES = [joined(SHORT), joined(LONG)];
const TOKENS = 4 * 3 + 3 * 7;
const TEXTS = 7;
// The runtime's float32 against sums in double precision.
const DIGITS = 4;

/** rows x channels of each tap, a row a token or text, in the order of the texts. */
type Seen = ReadonlyMap<string, Float32Array[]>;

function byReference(tapped: TappedModel, batches: readonly IdBatch[]): Seen {
  const seen = new Map(tapped.taps.map(({ name }): [string, Float32Array[]] => [name, []]));
  // The tapped values themselves, without what is reduced and sampled of them in the graph.
  const output = tapped.taps.map(({ name }) => ({ name: `${name}.flat` }));
  const untapped = ModelProto.create({ ...tapped.model, graph: liveGraph({ ...tapped.model.graph, output }) });
  for (const { ids, rows, width } of batches) {
    const values = interpret(untapped, { input_ids: tensor('int64', [rows, width], ids) });
    for (const { name, channels } of tapped.taps) {
      const { data } = values[`${name}.flat`] as { data: Float32Array };
      for (let at = 0; at < data.length; at += channels) seen.get(name)?.push(Float32Array.from(data.subarray(at, at + channels)));
    }
  }
  return seen;
}

function expectNear(found: ArrayLike<number>, expected: ArrayLike<number>, of: string): void {
  expect(found.length, of).toBe(expected.length);
  for (let at = 0; at < expected.length; at++) expect(found[at], `${of} at ${at}`).toBeCloseTo(expected[at] as number, DIGITS);
}

/** Positions of the sample's rows among all rows; -1 for a row that never occurred. */
function positionsOf({ sample, channels, rows }: Observation, all: readonly Float32Array[]): number[] {
  return Array.from({ length: rows }, (_, row) => {
    const found = sample.subarray(row * channels, (row + 1) * channels);
    return all.findIndex((one) => one.every((value, at) => Math.abs(value - (found[at] as number)) < 1e-4));
  });
}

/** Observations with their samples, which no file holds any more. */
async function observe(
  tapped: TappedModel,
  batches: readonly IdBatch[],
  options: Omit<ObserveOptions, 'work'> & { readonly inlineLimitBytes?: number },
): Promise<Observation[]> {
  const work = mkdtempSync(join(tmpdir(), 'embedkit-test-'));
  try {
    return (await observeInto(await writeTapped(tapped, work, options.inlineLimitBytes), batches, { ...options, work })).map((seen) =>
      seen.load(),
    );
  } finally {
    rmSync(work, { recursive: true });
  }
}

function expectAlike(observed: readonly Observation[], expected: readonly Observation[]): void {
  expect(observed).toHaveLength(expected.length);
  for (const [at, { name, minima, maxima, sample, rows }] of expected.entries()) {
    const found = observed[at] as Observation;
    expect([found.name, found.rows]).toEqual([name, rows]);
    expectNear(found.minima, minima, `minima of ${name}`);
    expectNear(found.maxima, maxima, `maxima of ${name}`);
    expectNear(found.sample, sample, `sample of ${name}`);
  }
}

describe.each(['mean', 'cls'] as const)('observe, %s pooling', (pooling) => {
  let tapped: TappedModel;
  let seen: Seen;
  let full: Observation[];

  beforeAll(async () => {
    tapped = await encoderPath(async () => encoder, pooling).tapped();
    seen = byReference(tapped, BATCHES);
    full = await observe(tapped, BATCHES, { threads: 1, sampleRows: 1000 });
  });

  function rowsOf(tap: Tap): Float32Array[] {
    return seen.get(tap.name) as Float32Array[];
  }

  it('gives one observation a site, in their order', () => {
    expect(full.map(({ name }) => name)).toEqual(sitesOf(encoder).map(siteName));
    expect(full.map(({ channels }) => channels)).toEqual([16, 16, 16, 24, 16, 16, 16, 24]);
  });

  it('has one row a token, but past the keys and values of the last layer of a CLS model one a text', () => {
    const perText = pooling === 'cls' ? ['layer1.context', 'layer1.up', 'layer1.down'] : [];
    expect(tapped.taps.filter(({ per }) => per === 'text').map(({ name }) => name)).toEqual(perText);
    for (const [at, tap] of tapped.taps.entries()) {
      const count = tap.per === 'text' ? TEXTS : TOKENS;
      expect(rowsOf(tap)).toHaveLength(count);
      expect(full[at]?.rows).toBe(count);
    }
  });

  it('has the least and greatest value of every channel over all tokens', () => {
    for (const [at, tap] of tapped.taps.entries()) {
      const rows = rowsOf(tap);
      const columns = Array.from({ length: tap.channels }, (_, channel) => rows.map((row) => row[channel] as number));
      expectNear(
        (full[at] as Observation).minima,
        columns.map((column) => Math.min(...column)),
        `minima of ${tap.name}`,
      );
      expectNear(
        (full[at] as Observation).maxima,
        columns.map((column) => Math.max(...column)),
        `maxima of ${tap.name}`,
      );
    }
  });

  it('samples all rows where fewer than wanted are there, in their order', () => {
    for (const [at, tap] of tapped.taps.entries()) {
      const flat = rowsOf(tap).flatMap((row) => [...row]);
      expectNear((full[at] as Observation).sample, flat, `sample of ${tap.name}`);
    }
  });

  it.each([1, 2, 5, 7, 10, 32])('samples %d rows that occurred, evenly spaced', async (sampleRows) => {
    const observed = await observe(tapped, BATCHES, { threads: 1, sampleRows });
    for (const [at, tap] of tapped.taps.entries()) {
      const all = rowsOf(tap);
      const { rows, minima } = observed[at] as Observation;
      expect(rows).toBe(Math.min(sampleRows, all.length));
      // Ranges are over everything all the same.
      expect(minima).toEqual(full[at]?.minima);
      // Layer 0 sees equal ids at equal places as equal rows: elsewhere each row is unlike all others.
      const positions = positionsOf(observed[at] as Observation, all);
      expect(positions).not.toContain(-1);
      if (tap.name.startsWith('layer0.attention')) continue;
      const gaps = positions.slice(1).map((place, before) => place - (positions[before] as number));
      const even = all.length / rows;
      expect(gaps.filter((gap) => gap < Math.floor(even) || gap > Math.ceil(even))).toEqual([]);
      expect(positions[0]).toBeLessThan(even);
    }
  });

  it('observes the same however the texts are cut into batches', async () => {
    const cuts = [
      [...SHORT, ...LONG],
      [joined(SHORT.slice(0, 1)), joined(SHORT.slice(1)), joined(LONG.slice(0, 2)), joined(LONG.slice(2))],
    ];
    const expected = await observe(tapped, BATCHES, { threads: 1, sampleRows: 6 });
    for (const batches of cuts) {
      const observed = await observe(tapped, batches, { threads: 1, sampleRows: 6 });
      expectAlike(observed, expected);
    }
  });

  it('observes the same of a graph whose weights lie beside it, a few texts at a time', async () => {
    const wide = { ids: new Int32Array(40 * 16).map((_, at) => (at * 7) % 30), rows: 40, width: 16 };
    const expected = await observe(tapped, [wide], { threads: 1, sampleRows: 50 });
    const told: number[] = [];
    const large = await observe(tapped, [wide], {
      threads: 1,
      sampleRows: 50,
      inlineLimitBytes: 0,
      onBatch: (tokens) => told.push(tokens),
    });
    expect(told).toEqual([128, 128, 128, 128, 128]);
    expectAlike(large, expected);
  });

  it('tells the tokens of each batch as it is done', async () => {
    const told: number[] = [];
    await observe(tapped, BATCHES, { threads: 1, sampleRows: 1, onBatch: (tokens) => told.push(tokens) });
    expect(told).toEqual([12, 21]);
  });
});

describe('observe', () => {
  it('sees the greatest value where a single token has it', async () => {
    const data = encoder.words.data.map((value, at) => (Math.floor(at / 16) === 9 ? 0 : value));
    const loud: Encoder = { ...encoder, words: { ...encoder.words, data: data.with(9 * 16 + 4, 500) } };
    const tapped = await encoderPath(async () => loud, 'mean').tapped();
    const quiet = { ids: new Int32Array(60).fill(3), rows: 4, width: 15 };
    const [before] = await observe(tapped, [quiet], { threads: 1, sampleRows: 2 });
    const [after] = await observe(tapped, [{ ...quiet, ids: quiet.ids.with(37, 9) }], { threads: 1, sampleRows: 2 });
    // After normalisation a single value among 16 stands at the root of 15.
    const { gamma, beta } = loud.embeddingNorm;
    expect(after?.maxima[4]).toBeCloseTo(Math.sqrt(15) * (gamma[4] as number) + (beta[4] as number), 2);
    expect(before?.maxima[4]).toBeLessThan((after?.maxima[4] as number) - 1);
  });
});
