// Encoders beyond BERT: graphs of both forms and outputs against plain loops; read back from their graphs; folded.
import { describe, expect, it } from 'vitest';
import { type EmitOptions, emitEncoder, OUTPUT } from '#src/encoder/emit.js';
import type { Encoder } from '#src/encoder/encoder.js';
import { foldAttentionScale, foldInnerCopies } from '#src/encoder/fold.js';
import { FUSED, STANDARD } from '#src/encoder/forms.js';
import { fp32Arithmetic } from '#src/encoder/fp32.js';
import { describeEncoder, ENCODER_KEY } from '#src/encoder/recall.js';
import { recognise } from '#src/encoder/recognise.js';
import { storeAsHalf } from '#src/onnx/half.js';
import { type GraphProto, ModelProto } from '#src/onnx/proto.js';
import { expectAlike } from '../reference/graphs.js';
import { type Tensor, tensor } from '../reference/tensor.js';
import { plainHidden } from './plain-encoder.js';
import { randomBatch } from './random-encoder.js';
import { byRuntime, leastCosine } from './run-emitted.js';
import { VARIED } from './varied-encoder.js';

const FORMS = { FUSED, STANDARD } as const;
const SHAPES = [
  { rows: 1, width: 1 },
  { rows: 3, width: 2 },
  { rows: 2, width: 13 },
];
const TOLERANCE = 3e-5;

function emitted(encoder: Encoder, form: keyof typeof FORMS, output: EmitOptions['output']): ModelProto {
  const metadata = { [ENCODER_KEY]: describeEncoder(encoder) };
  return emitEncoder(encoder, fp32Arithmetic(encoder), { form: FORMS[form], output, metadata });
}

function firstTokens({ dims, data, type }: Tensor): Tensor {
  const [rows, width, hidden] = dims as [number, number, number];
  const values = Array.from({ length: rows }, (_, row) => [...data.subarray(row * width * hidden, (row * width + 1) * hidden)]);
  return tensor(type, [rows, hidden], values.flat());
}

async function expectComputed(encoder: Encoder, model: ModelProto, output: EmitOptions['output'], what: string): Promise<void> {
  for (const { rows, width } of SHAPES) {
    const batch = randomBatch(encoder, rows, width);
    const hidden = plainHidden(encoder, batch);
    const expected = output === 'cls' ? firstTokens(hidden) : hidden;
    for (const how of ['plain', 'optimised'] as const) {
      expectAlike((await byRuntime(model, batch, how))[OUTPUT] as Tensor, expected, TOLERANCE, `${what}, ${how}, ${rows} x ${width}`);
    }
  }
}

describe.each(Object.keys(VARIED))('%s', (name) => {
  const encoder = (VARIED[name] as () => Encoder)();

  it('is computed as plain loops compute it', async () => {
    for (const form of ['FUSED', 'STANDARD'] as const) {
      for (const output of ['hidden', 'cls'] as const)
        await expectComputed(encoder, emitted(encoder, form, output), output, `${form}, ${output}`);
    }
  });

  it('is read back from its graph, weight for weight', async () => {
    const model = ModelProto.decode(ModelProto.encode(emitted(encoder, 'FUSED', 'hidden')).finish());
    const { encoder: found, head } = await recognise({ path: 'made here', model }, OUTPUT);
    expect(head).toBe('hidden');
    const norms = ({ embeddingNorm, layers, finalNorm }: Encoder): unknown[] =>
      [embeddingNorm, finalNorm, ...layers.flatMap((layer) => [layer.attentionNorm, layer.outputNorm])].map((norm) => norm?.epsilon);
    expect(norms(found)).toEqual(norms(encoder).map((one) => (one === undefined ? one : Math.fround(one as number))));
    expect({ ...found, order: encoder.order }).toEqual(encoder);
  });

  it('is read back from FP16 storage too, its angles unharmed', async () => {
    const stored = ModelProto.decode(ModelProto.encode(emitted(encoder, 'FUSED', 'hidden')).finish());
    await storeAsHalf(stored.graph as GraphProto, 'made here', {
      put: async (one, data) => {
        one.rawData = data;
      },
      finish: async () => [],
    });
    const { encoder: found } = await recognise({ path: 'made here', model: stored }, OUTPUT);
    expect(found.layers.map((layer) => layer.places?.rotation)).toEqual(encoder.layers.map((layer) => layer.places?.rotation));
    const batch = randomBatch(encoder, 2, 13);
    expect(leastCosine(plainHidden(found, batch), plainHidden(encoder, batch), encoder.hidden)).toBeGreaterThan(0.999);
  });

  it('is the same encoder with its scale folded and its inner channels copied', () => {
    const sources = Int32Array.from({ length: encoder.inner + 2 }, (_, at) => (at < encoder.inner ? at : 5));
    const folded = foldInnerCopies(foldAttentionScale(encoder), 1, sources);
    const batch = randomBatch(encoder, 2, 13);
    expectAlike(plainHidden(folded, batch), plainHidden(encoder, batch), TOLERANCE);
  });
});

describe('a graph that was changed since it was written', () => {
  const encoder = (VARIED['rotation and gates (Nomic, GTE)'] as () => Encoder)();

  it.each([
    ['without a weight', (model: ModelProto) => rename(model, 'layer1.gate.bias'), /it has no weights "layer1.gate.bias"/],
    [
      'with a description that is none',
      (model: ModelProto) => describedAs(model, '{"hidden":'),
      /description of an encoder cannot be read/,
    ],
    ['with that of another', (model: ModelProto) => describedAs(model, describeEncoder({ ...encoder, heads: 5 })), /5 heads do not divide/],
  ])('%s is refused', async (_, change, sentence) => {
    const model = ModelProto.decode(ModelProto.encode(emitted(encoder, 'FUSED', 'hidden')).finish());
    change(model);
    await expect(recognise({ path: 'made here', model }, OUTPUT)).rejects.toThrow(sentence);
  });

  function rename(model: ModelProto, name: string): void {
    for (const one of model.graph?.initializer ?? []) if (one.name === name) one.name = 'other';
    for (const node of model.graph?.node ?? []) node.input = (node.input ?? []).map((input) => (input === name ? 'other' : input));
  }

  function describedAs(model: ModelProto, value: string): void {
    model.metadataProps = [{ key: ENCODER_KEY, value }];
  }
});
