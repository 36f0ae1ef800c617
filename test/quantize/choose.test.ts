// The choice of a pre-scaling: what it must gain on an outlier, and that no input of zeros breaks it. No particular candidate is expected.

import { describe, expect, it } from 'vitest';
import { fakeQuantize, quantizedInput, rangeOf } from '#src/quantize/activations.js';
import { type ChooseOptions, chooseInput, joinWeights, type MatMul, rowMagnitudes, type Weights } from '#src/quantize/choose.js';
import { divisorCandidates, refinedCandidates } from '#src/quantize/divisors.js';
import type { Observation } from '#src/quantize/observation.js';
import { copiedChannels } from '#src/quantize/outlier-channels.js';
import { quantizeWeights, WEIGHT_RANGES } from '#src/quantize/weights.js';
import { fc } from '../properties.js';
import { floats } from '../reference/values.js';

const matmul: MatMul = async (x, w, inputs) => {
  const [rows, outputs] = [x.length / inputs, w.length / inputs];
  return Float32Array.from({ length: rows * outputs }, (_, at) => {
    let sum = 0;
    for (let k = 0; k < inputs; k++)
      sum += (x[Math.floor(at / outputs) * inputs + k] as number) * (w[k * outputs + (at % outputs)] as number);
    return sum;
  });
};

const OPTIONS: ChooseOptions = { weights: 'safe', headroom: 0.1, rows: 64, preScale: true };

/** What is seen of rows of values. */
function observed(channels: number, sample: Float32Array): Observation {
  const column = (channel: number): Float32Array => sample.filter((_, at) => at % channels === channel);
  const each = (pick: (values: Float32Array) => number): Float32Array =>
    Float32Array.from({ length: channels }, (_, at) => pick(column(at)));
  const minima = each((values) => Math.min(...values));
  const maxima = each((values) => Math.max(...values));
  return { name: 'layer0.up', channels, minima, maxima, sample, rows: sample.length / channels };
}

const CHANNELS = 32;

/** 48 rows of values within 1, times a factor a channel. */
function inputs(factorOf: (channel: number) => number): Observation {
  const values = floats(21, [48, CHANNELS], 1).data;
  return observed(
    CHANNELS,
    Float32Array.from(values, (value, at) => value * factorOf(at % CHANNELS)),
  );
}

function weightsOf(factorOf: (channel: number) => number = () => 1): Weights {
  const values = floats(22, [CHANNELS, 24], 0.2).data;
  return { inputs: CHANNELS, outputs: 24, weight: Float32Array.from(values, (value, at) => value * factorOf(Math.floor(at / 24))) };
}

/** One channel 60 times the others, as LayerNorm outputs have them. */
const outlier = inputs((channel) => (channel === 5 ? 60 : 1));

/** Whether a divisor has one positive finite value a channel, whose inverse is finite too. */
function isSound(divisor: Float32Array | undefined, channels = CHANNELS): boolean {
  const isFactor = (one: number): boolean => one > 0 && Number.isFinite(one) && Number.isFinite(Math.fround(1 / one));
  return divisor === undefined || (divisor.length === channels && divisor.every(isFactor));
}

describe('chooseInput', () => {
  it.each(WEIGHT_RANGES)('lowers the error of an outlier channel at least four times: %s weights', async (weights) => {
    // The outlier matters no more than the rest: its weights are as small as it is large.
    const choice = await chooseInput(
      outlier,
      weightsOf((channel) => (channel === 5 ? 1 / 60 : 1)),
      matmul,
      { ...OPTIONS, weights },
    );
    expect(choice.errorAfter).toBeLessThan(choice.errorBefore / 4);
    expect(choice.errorAfter).toBeGreaterThan(0);
    expect(choice.name).not.toBe('none');
    expect(isSound(choice.input.divisor)).toBe(true);
    const divided = choice.input.divisor as Float32Array;
    expect(divided[5]).toBeGreaterThan(2 * (divided[6] as number));
  });

  it('has the weights take back what the input is divided by', async () => {
    // Here the outlier is nearly all of the product: an error that left it divided would be of the size of everything.
    const { errorBefore, errorAfter, name } = await chooseInput(outlier, weightsOf(), matmul, OPTIONS);
    expect(name).not.toBe('none');
    expect(errorAfter).toBeLessThan(errorBefore / 2);
  });

  it('is never worse than doing nothing', async () => {
    const seeds = fc.array(fc.constantFrom(0, 1e-6, 0.1, 1, 1, 1, 5, 300), { minLength: CHANNELS, maxLength: CHANNELS });
    await fc.assert(
      fc.asyncProperty(seeds, seeds, async (factors, rows) => {
        const choice = await chooseInput(
          inputs((channel) => factors[channel] as number),
          weightsOf((channel) => rows[channel] as number),
          matmul,
          { ...OPTIONS, rows: 12 },
        );
        expect(choice.errorAfter).toBeLessThanOrEqual(choice.errorBefore);
        expect(Number.isFinite(choice.errorBefore)).toBe(true);
        expect(isSound(choice.input.divisor)).toBe(true);
      }),
      { numRuns: 12 },
    );
  });

  it('covers with its range all that was observed, the sample or not, and the headroom, and says what that was', async () => {
    const wider = { ...outlier, maxima: outlier.maxima.map((value) => value * 3) };
    const { input, range, minima, maxima } = await chooseInput(wider, weightsOf(), matmul, OPTIONS);
    expect(range).toEqual(rangeOf(wider, input.divisor, OPTIONS.headroom));
    expect(input).toEqual(quantizedInput(range, input.divisor));
    expect([minima, maxima]).toEqual([wider.minima, wider.maxima]);
  });

  it('changes nothing with preScale false', async () => {
    const choice = await chooseInput(outlier, weightsOf(), matmul, { ...OPTIONS, preScale: false });
    const range = rangeOf(outlier, undefined, OPTIONS.headroom);
    expect(choice).toMatchObject({ name: 'none', range, input: quantizedInput(range, undefined) });
    expect(choice.errorAfter).toBe(choice.errorBefore);
    const scaled = await chooseInput(outlier, weightsOf(), matmul, OPTIONS);
    expect(scaled.errorBefore).toBe(choice.errorBefore);
  });

  it('tells the error that the integers really make, its division taken back in the weights', async () => {
    const weights = weightsOf((channel) => (channel === 5 ? 1 / 60 : 1));
    const { input, errorAfter } = await chooseInput(outlier, weights, matmul, OPTIONS);
    const { sample, channels } = outlier;
    const back = fakeQuantize(sample, input, channels).map((value, at) => value * (input.divisor?.[at % channels] ?? 1));
    const rows = weights.weight.map((value, at) => value * (input.divisor?.[Math.floor(at / 24)] ?? 1));
    const integers = quantizeWeights({ ...weights, weight: rows }, 'safe', new Float32Array(channels).fill(1));
    const rounded = weights.weight.map((_, at) => {
      return ((integers.weight[at] as number) * (integers.scales[at % 24] as number)) / (input.divisor?.[Math.floor(at / 24)] ?? 1);
    });
    const [exact, found] = [await matmul(sample, weights.weight, channels), await matmul(back, rounded, channels)];
    const energy = (values: Float32Array): number => values.reduce((sum, value) => sum + value * value, 0);
    const error = energy(found.map((value, at) => value - (exact[at] as number))) / energy(exact);
    // The search takes a rougher rounding of the weights.
    expect(errorAfter / error).toBeGreaterThan(0.7);
    expect(errorAfter / error).toBeLessThan(1.5);
  });

  it('gives the same for the same', async () => {
    const choose = () => chooseInput(outlier, weightsOf(), matmul, OPTIONS);
    expect(await choose()).toEqual(await choose());
  });

  it.each([
    ['an input of zeros', inputs(() => 0), weightsOf()],
    ['weights of zeros', outlier, weightsOf(() => 0)],
    ['both', inputs(() => 0), weightsOf(() => 0)],
    ['channels that are always zero', inputs((channel) => (channel % 2 === 0 ? 0 : 1)), weightsOf()],
    ['channels that meet no weight', outlier, weightsOf((channel) => (channel < 9 ? 0 : 1))],
    ['values at the least that float32 has', inputs(() => 1e-44), weightsOf()],
    ['weights at the least that float32 has', outlier, weightsOf(() => 1e-44)],
  ])('stands %s', async (_, seen, weights) => {
    const { errorBefore, errorAfter, input, range } = await chooseInput(seen, weights, matmul, OPTIONS);
    expect([errorBefore, errorAfter, range.low, range.high].filter((one) => !Number.isFinite(one))).toEqual([]);
    expect(input.scale > 0 && Number.isFinite(input.scale)).toBe(true);
    expect(isSound(input.divisor)).toBe(true);
  });
});

describe('divisor candidates', () => {
  const magnitudes = fc.array(fc.oneof(fc.constantFrom(0, 0, 1e-45, 1e-30, 1, 1e30), fc.double({ min: 0, max: 9, noNaN: true })), {
    minLength: 6,
    maxLength: 6,
  });

  it('are positive and finite for any magnitudes and any weights, and refined ones too', () => {
    fc.assert(
      fc.property(magnitudes, magnitudes, (values, rows) => {
        const maxima = Float32Array.from(values);
        const seen: Observation = { name: 'x', channels: 6, minima: maxima.map((one) => -one / 2), maxima, sample: maxima, rows: 1 };
        const candidates = divisorCandidates(seen, Float32Array.from(rows));
        const refined = candidates.flatMap((candidate) =>
          refinedCandidates([candidate, ...candidates.toReversed()].map((one) => ({ candidate: one }))),
        );
        expect([...candidates, ...refined].filter(({ divisor }) => !isSound(divisor, 6))).toEqual([]);
      }),
    );
  });

  it('are named, each by a name of its own, and begin with none', () => {
    const candidates = divisorCandidates(outlier, rowMagnitudes(weightsOf()));
    expect(candidates[0]).toEqual({ name: 'none', divisor: undefined });
    expect(new Set(candidates.map(({ name }) => name)).size).toBe(candidates.length);
  });
});

describe('weights side by side', () => {
  it('keep their rows, in the order of the maps', () => {
    const a = { inputs: 2, outputs: 1, weight: Float32Array.of(1, 2) };
    const b = { inputs: 2, outputs: 3, weight: Float32Array.of(3, 4, 5, 6, 7, 8) };
    expect(joinWeights([a, b])).toEqual({ inputs: 2, outputs: 4, weight: Float32Array.of(1, 3, 4, 5, 2, 6, 7, 8) });
  });

  it('have the largest magnitude of each row', () => {
    expect([...rowMagnitudes({ inputs: 3, outputs: 2, weight: Float32Array.of(1, -4, 0, 0, 2, 3) })]).toEqual([4, 0, 3]);
  });
});

describe('copiedChannels', () => {
  const seenOf = (maxima: readonly number[]) => observed(maxima.length, Float32Array.from([...maxima.map((one) => -one / 2), ...maxima]));

  it('has every channel once, in order, then as many copies as asked for', () => {
    const channels = fc.array(fc.nat(1000), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(channels, fc.nat(12), (maxima, extra) => {
        const sources = [...copiedChannels(seenOf(maxima), new Float32Array(maxima.length).fill(2), extra)];
        expect([sources.slice(0, maxima.length), sources.length]).toEqual([maxima.map((_, at) => at), maxima.length + extra]);
        const copies = maxima.map((_, at) => sources.filter((source) => source === at).length);
        const heaviest = Math.max(...maxima.map((one, at) => one / (copies[at] as number)));
        // The last copy went where it was due: without it, that channel would weigh as much as any.
        const last = sources.at(-1) as number;
        if (extra > 0) expect((maxima[last] as number) / ((copies[last] as number) - 1)).toBeGreaterThanOrEqual(heaviest * 0.999999);
      }),
    );
  });

  it('goes by range, of either sign, times weight', () => {
    const seen = { ...seenOf([1, 2, 4, 1]), minima: Float32Array.of(-9, 0, 0, 0) };
    expect([...copiedChannels(seen, Float32Array.of(1, 6, 1, 1), 4)]).toEqual([0, 1, 2, 3, 1, 0, 1, 0]);
  });
});
