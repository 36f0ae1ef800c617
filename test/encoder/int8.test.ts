// The INT8 graphs: integers exactly the reference's, the QDQ form like the fused one, and no vector that depends on its batch.
import { beforeAll, describe, expect, it } from 'vitest';
import { emitEncoder, OUTPUT } from '#src/encoder/emit.js';
import type { Encoder } from '#src/encoder/encoder.js';
import { FUSED, STANDARD } from '#src/encoder/forms.js';
import { int8Arithmetic } from '#src/encoder/int8.js';
import { qdqArithmetic } from '#src/encoder/qdq.js';
import type { QuantizedParts } from '#src/encoder/quantized.js';
import type { GraphRunner } from '#src/engine/contract.js';
import { openGraph } from '#src/engine/ort.js';
import { GraphBuilder } from '#src/onnx/build.js';
import { DATA_TYPE, type GraphProto, ModelProto, NodeProto, type TensorProto } from '#src/onnx/proto.js';
import { type IdBatch, int64 } from '#src/quantize/observe.js';
import { expectAlike } from '../reference/graphs.js';
import { interpret, uncovered } from '../reference/interpret.js';
import { product } from '../reference/matrix-ops.js';
import { quantized } from '../reference/quantize-ops.js';
import { fromProto, type Tensor, tensor } from '../reference/tensor.js';
import { floats, wholes } from '../reference/values.js';
import { plainHidden } from './plain-encoder.js';
import { joined, randomBatch, randomEncoder, randomParts, textOf } from './random-encoder.js';
import { byReference, byRuntime, giveOut, leastCosine } from './run-emitted.js';

const encoder = randomEncoder({ layers: 3 });
const parts = randomParts(encoder);
const batch = randomBatch(encoder, 3, 11);

function fused(output: 'hidden' | 'cls', of: Encoder = encoder, integers: QuantizedParts = parts): ModelProto {
  return emitEncoder(of, int8Arithmetic(of, integers), { form: FUSED, output });
}

function qdq(output: 'hidden' | 'cls', integers: QuantizedParts = parts): ModelProto {
  return emitEncoder(encoder, qdqArithmetic(encoder, integers), { form: STANDARD, output });
}

function nodesOf(model: ModelProto, opType: string): NodeProto[] {
  return (model.graph?.node ?? []).filter((node) => node.opType === opType) as NodeProto[];
}

function constantsOf(model: ModelProto): (name: string) => Tensor {
  const byName = new Map(model.graph?.initializer?.map((tensor): [string, TensorProto] => [String(tensor.name), tensor]));
  return (name) => fromProto(byName.get(name) as TensorProto);
}

const scalarOf = ({ data }: Tensor): number => data[0] as number;

/** Beside every product one of the same integers with scales of 1 and no bias: its float32 is the integer sum itself. */
function addSums(model: ModelProto): string[] {
  const graph = model.graph as GraphProto;
  const one = { name: 'unit', dims: [], dataType: DATA_TYPE.FLOAT, rawData: new Uint8Array(Float32Array.of(1).buffer) };
  graph.initializer?.push(one);
  const names = nodesOf(model, 'MatMulIntegerToFloat').map(({ name, input = [], domain = '' }) => {
    const [a, b, , , zero] = input as string[];
    const inputs = [a as string, b as string, 'unit', 'unit', zero as string];
    graph.node?.push(
      NodeProto.create({ opType: 'MatMulIntegerToFloat', name: `${name}.sums`, domain, input: inputs, output: [`${name}.sums`] }),
    );
    return `${name}.sums`;
  });
  giveOut(model, names, DATA_TYPE.FLOAT);
  return names;
}

describe.each(['plain', 'optimised'] as const)('the integers of the fused graph in the runtime, %s', (how) => {
  it('are what the reference makes of the same floats', async () => {
    const model = fused('cls');
    const quantizers = nodesOf(model, 'QuantizeLinear');
    const constant = constantsOf(model);
    giveOut(model, [...new Set(quantizers.map(({ input }) => input?.[0] as string))], DATA_TYPE.FLOAT);
    giveOut(
      model,
      quantizers.map(({ output }) => output?.[0] as string),
      DATA_TYPE.UINT8,
    );
    const found = await byRuntime(model, batch, how);
    expect(quantizers).toHaveLength(13);
    const seen = new Set<number>();
    for (const { input, output } of quantizers) {
      const [value, scale, zero] = input as [string, string, string];
      const expected = Array.from((found[value] as Tensor).data, (x) =>
        quantized(x, scalarOf(constant(scale)), scalarOf(constant(zero)), 'uint8'),
      );
      const integers = [...(found[String(output?.[0])] as Tensor).data];
      expect(integers, value).toEqual(expected);
      for (const one of integers) seen.add(one);
    }
    // Both ends of the range, where values saturate, were among them.
    expect([seen.has(0), seen.has(255), seen.size > 200]).toEqual([true, true, true]);
  });

  it('multiply to the exact sums', async () => {
    const model = fused('hidden');
    const products = nodesOf(model, 'MatMulIntegerToFloat');
    const sums = addSums(model);
    const constant = constantsOf(model);
    giveOut(model, [...new Set(products.map(({ input }) => input?.[0] as string))], DATA_TYPE.UINT8);
    giveOut(
      model,
      products.map(({ output }) => output?.[0] as string),
      DATA_TYPE.FLOAT,
    );
    const found = await byRuntime(model, batch, how);
    expect(products).toHaveLength(18);
    for (const [at, { input, output }] of products.entries()) {
      const [a, b, aScale, bScale, zero, , bias] = input as string[];
      const integers = found[a as string] as Tensor;
      const centred = tensor(
        'int32',
        integers.dims,
        Array.from(integers.data, (one) => one - scalarOf(constant(zero as string))),
      );
      const exact = product(centred, constant(b as string));
      expect([...(found[sums[at] as string] as Tensor).data], sums[at]).toEqual([...exact.sums].map((sum) => sum + 0));
      const columns = constant(bScale as string).data;
      const scaled = Array.from(exact.sums, (sum, place) => {
        const column = place % columns.length;
        return sum * scalarOf(constant(aScale as string)) * (columns[column] as number) + (constant(bias as string).data[column] as number);
      });
      expectAlike(found[output?.[0] as string] as Tensor, tensor('float32', exact.dims, scaled), 1e-5, String(output));
    }
  });
});

describe('INT8 graphs', () => {
  const roomy = randomParts(encoder, { reach: 4 });
  const graphs = {
    'fused hidden': fused('hidden', encoder, roomy),
    'fused cls': fused('cls', encoder, roomy),
    'qdq hidden': qdq('hidden', roomy),
    'qdq cls': qdq('cls', roomy),
  };

  it.each(Object.entries(graphs))('%s: covered by the reference, and near full precision', async (name, model) => {
    expect(uncovered(model)).toEqual([]);
    const found = byReference(model, batch);
    const hidden = plainHidden(encoder, batch);
    const isRow = name.endsWith('cls');
    const rows = Array.from({ length: 3 }, (_, row) => [...hidden.data.subarray(row * 11 * 32, row * 11 * 32 + 32)]);
    const full = isRow ? tensor('float32', [3, 32], rows.flat()) : hidden;
    expect(found.dims).toEqual(full.dims);
    // Ranges are made up, so this is no measure of quality: only that nothing is put in the wrong place.
    expect(leastCosine(found, full, 32)).toBeGreaterThan(0.98);
  });

  it('are the same in both forms, in the runtime and by the reference', async () => {
    for (const output of ['hidden', 'cls'] as const) {
      const expected = byReference(fused(output), batch);
      expect(leastCosine(byReference(qdq(output), batch), expected, 32)).toBeGreaterThan(0.9999);
      for (const how of ['plain', 'optimised'] as const) {
        for (const model of [fused(output), qdq(output)]) {
          const found = (await byRuntime(model, batch, how))[OUTPUT] as Tensor;
          expect(leastCosine(found, expected, 32)).toBeGreaterThan(0.9999);
        }
      }
    }
  });

  it.each(['fused', 'qdq'] as const)('%s: the first token of the hidden output is the cls output', (form) => {
    const emit = form === 'fused' ? fused : qdq;
    const first = byReference(emit('hidden'), batch);
    const rows = Array.from({ length: 3 }, (_, row) => [...first.data.subarray(row * 11 * 32, row * 11 * 32 + 32)]);
    expectAlike(byReference(emit('cls'), batch), tensor('float32', [3, 32], rows.flat()), 1e-6);
  });

  it.each(['fused', 'qdq'] as const)('%s: sites without integers are computed in fp32', (form) => {
    const emit = form === 'fused' ? fused : qdq;
    const some = new Map([...parts.sites].filter(([name]) => name !== 'layer1.down' && name !== 'layer2.attention'));
    const model = emit('cls', ...((form === 'fused' ? [encoder, { ...parts, sites: some }] : [{ ...parts, sites: some }]) as never[]));
    const named = (dataType: number) =>
      model.graph?.initializer?.filter((one) => one.dataType === dataType && (one.dims?.length ?? 0) === 2);
    const integers = named(DATA_TYPE.INT8)?.map(({ name }) => name);
    const floats = named(DATA_TYPE.FLOAT)?.map(({ name }) => name);
    expect(integers).toHaveLength(1 + 18 - 4);
    expect(floats).toEqual(
      expect.arrayContaining(['layer1.down.weight', 'layer2.query.weight', 'layer2.key.weight', 'layer2.value.weight']),
    );
    const none = emit(
      'hidden',
      ...((form === 'fused' ? [encoder, { ...parts, sites: new Map() }] : [{ ...parts, sites: new Map() }]) as never[]),
    );
    const words = { ...encoder.words, data: tableOf(parts) };
    expectAlike(byReference(none, batch), plainHidden({ ...encoder, words }, batch), 5e-5);
  });

  it('hold each constant once, though the last layer enters attention twice', () => {
    for (const model of [fused('cls'), qdq('cls')]) {
      const names = model.graph?.initializer?.map(({ name }) => name) ?? [];
      expect(new Set(names).size).toBe(names.length);
    }
  });

  it('taken node by node agree with the reference from the same words on', () => {
    const ids = { input_ids: tensor('int64', [1, 2], [0, 49]) };
    const { 'embedding.words': words } = interpret(fused('hidden'), ids, ['embedding.words']);
    expect([...(words as Tensor).data]).toEqual([...tableOf(parts).subarray(0, 32), ...tableOf(parts).subarray(49 * 32)]);
  });
});

it('the engine keeps a product of constant 8-bit weights in fp32 where the other factor is not quantized', async () => {
  const x = floats(31, [5, 64]).data as Float32Array;
  const weight = wholes(32, 'int8', [64, 32], -127, 127).data as Int8Array;
  const graph = new GraphBuilder();
  graph.constant('weight', weight, [64, 32]);
  graph.constant('scales', new Float32Array(32).fill(1 / 128));
  graph.constant('zeros', new Int8Array(32));
  graph.node('DequantizeLinear', 'w', ['weight', 'scales', 'zeros'], { attributes: { axis: 1 } });
  graph.node('MatMul', 'y', ['x', 'w']);
  const port = (name: string, columns: number) => ({ name, type: DATA_TYPE.FLOAT, dims: ['rows', columns] });
  const model = graph.model({ inputs: [port('x', 64)], outputs: [port('y', 32)], opset: 17 });
  const runner = await openGraph(ModelProto.encode(model).finish(), 1);
  const { y } = await runner.run({ x: { type: 'float32', dims: [5, 64], data: x } });
  await runner.close();
  const exact = interpret(model, { x: tensor('float32', [5, 64], x) })['y'] as Tensor;
  expectAlike(tensor('float32', [5, 32], y as Float32Array), exact, 1e-5);
});

/** The words that the integers stand for. */
function tableOf({ words }: QuantizedParts): Float32Array {
  return Float32Array.from(words.data, (one, at) => one * (words.scales[Math.floor(at / words.dim)] as number));
}

/** Head sizes and widths of real models are multiples of what vector registers hold; odd ones are not. */
const INVARIANT = [
  { name: 'small', sizes: { layers: 2 }, width: 11 },
  { name: 'one token', sizes: { layers: 2 }, width: 1 },
  { name: 'wide', sizes: { layers: 2, hidden: 96, heads: 3, inner: 200 }, width: 37 },
] as const;

describe.each(INVARIANT)('a vector of the INT8 graph, $name', ({ sizes, width }) => {
  const own = randomEncoder(sizes);
  const texts = Array.from({ length: 16 }, (_, seed) => randomBatch(own, 1, width, 100 + seed));
  const probe = randomBatch(own, 1, width, 7);

  describe.each(['cls', 'hidden'] as const)('%s output', (output) => {
    const size = (output === 'cls' ? 1 : width) * own.hidden;
    let runner: GraphRunner;
    let alone: Float32Array;

    async function vectors({ ids, rows, width: tokens }: IdBatch): Promise<Float32Array> {
      return (await runner.run({ input_ids: int64(ids, [rows, tokens]) }))[OUTPUT] as Float32Array;
    }

    beforeAll(async () => {
      runner = await openGraph(ModelProto.encode(fused(output, own, randomParts(own))).finish(), 1);
      alone = await vectors(probe);
      return () => runner.close();
    });

    it.each([2, 5, 16])('is the same bits at every place of a batch of %d', async (rows) => {
      expect(alone).toHaveLength(size);
      for (let place = 0; place < rows; place++) {
        const mates = texts.slice(0, rows).with(place, probe);
        const found = (await vectors(joined(mates))).subarray(place * size, (place + 1) * size);
        expect(found.findIndex((value, at) => !Object.is(value, alone[at]))).toBe(-1);
      }
    });

    it('differs from text to text', async () => {
      const all = joined(texts);
      const found = await vectors(all);
      const lone = await vectors(textOf(all, 9));
      expect(lone).toEqual(found.slice(9 * size, 10 * size));
      const distinct = new Set(texts.map(({ ids }) => String(ids))).size;
      expect(distinct).toBeGreaterThan(10);
      expect(new Set(texts.map((_, row) => String(found.subarray(row * size, (row + 1) * size)))).size).toBe(distinct);
    });
  });
});
