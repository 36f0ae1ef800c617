// The fp32 graphs: both forms, both outputs and all activations against plain loops, the reference operators and each other.
import { describe, expect, it } from 'vitest';
import { type EmitOptions, emitEncoder, IDS, OPSET, OUTPUT } from '#src/encoder/emit.js';
import type { Activation, Encoder } from '#src/encoder/encoder.js';
import { FUSED, STANDARD } from '#src/encoder/forms.js';
import { fp32Arithmetic } from '#src/encoder/fp32.js';
import { siteName, sitesOf } from '#src/encoder/sites.js';
import { ModelProto, type TensorProto } from '#src/onnx/proto.js';
import { expectAlike } from '../reference/graphs.js';
import { uncovered } from '../reference/interpret.js';
import { fromProto, type Tensor, tensor } from '../reference/tensor.js';
import { plainHidden } from './plain-encoder.js';
import { randomBatch, randomEncoder } from './random-encoder.js';
import { byReference, byRuntime } from './run-emitted.js';

const FORMS = { FUSED, STANDARD } as const;
const OUTPUTS = ['hidden', 'cls'] as const;
const ACTIVATIONS: readonly Activation[] = ['gelu', 'gelu-tanh', 'relu'];
const SHAPES = [
  { rows: 1, width: 1 },
  { rows: 3, width: 2 },
  { rows: 2, width: 13 },
];
// Two layers of float32 sums in another order.
const TOLERANCE = 2e-5;

function emitted(encoder: Encoder, form: keyof typeof FORMS, output: EmitOptions['output']): ModelProto {
  return emitEncoder(encoder, fp32Arithmetic(encoder), { form: FORMS[form], output });
}

/** rows x hidden: the first token of each text. */
function firstTokens({ dims, data, type }: Tensor): Tensor {
  const [rows, width, hidden] = dims as [number, number, number];
  const values = Array.from({ length: rows }, (_, row) => [...data.subarray(row * width * hidden, (row * width + 1) * hidden)]);
  return tensor(type, [rows, hidden], values.flat());
}

const CASES = ACTIVATIONS.flatMap((activation) =>
  OUTPUTS.flatMap((output) => (['FUSED', 'STANDARD'] as const).map((form) => ({ activation, output, form }))),
);

describe('fp32 graphs', () => {
  it.each(CASES)('$form, $activation, $output output: loops, reference and runtime agree', async ({ activation, output, form }) => {
    const encoder = randomEncoder({ activation, layers: 2 });
    const model = emitted(encoder, form, output);
    expect(uncovered(model)).toEqual([]);
    for (const shape of SHAPES) {
      const batch = randomBatch(encoder, shape.rows, shape.width);
      const hidden = plainHidden(encoder, batch);
      const expected = output === 'cls' ? firstTokens(hidden) : hidden;
      expectAlike(byReference(model, batch), expected, TOLERANCE, 'reference');
      for (const how of ['plain', 'optimised'] as const) {
        expectAlike((await byRuntime(model, batch, how))[OUTPUT] as Tensor, expected, TOLERANCE, `runtime, ${how}`);
      }
    }
  });

  it('gives other texts other vectors, and the same words in another order too', () => {
    const encoder = randomEncoder();
    const model = emitted(encoder, 'FUSED', 'cls');
    const { data } = byReference(model, { ids: Int32Array.of(3, 9, 4, 3, 4, 9, 3, 9, 5), rows: 3, width: 3 });
    const rows = [0, 1, 2].map((row) => String(data.subarray(row * 32, (row + 1) * 32)));
    expect(new Set(rows).size).toBe(3);
  });

  it('takes ids of as many tokens as there are positions', () => {
    const encoder = randomEncoder({ layers: 1, positions: 9 });
    const batch = randomBatch(encoder, 1, 9);
    expectAlike(byReference(emitted(encoder, 'STANDARD', 'hidden'), batch), plainHidden(encoder, batch), TOLERANCE);
  });

  it('uses one layer alone as well, whose only query is the first token', () => {
    const encoder = randomEncoder({ layers: 1 });
    const batch = randomBatch(encoder, 2, 5);
    for (const form of ['FUSED', 'STANDARD'] as const) {
      expectAlike(byReference(emitted(encoder, form, 'cls'), batch), firstTokens(plainHidden(encoder, batch)), TOLERANCE, form);
    }
  });

  it('multiplies by the scale that the encoder has, whatever its head size', () => {
    const encoder = { ...randomEncoder(), scale: 0.07 };
    const batch = randomBatch(encoder, 2, 6);
    for (const form of ['FUSED', 'STANDARD'] as const) {
      expectAlike(byReference(emitted(encoder, form, 'hidden'), batch), plainHidden(encoder, batch), TOLERANCE, form);
    }
  });
});

describe('emitted graphs', () => {
  it('have one input of ids and one output, of free rows and width', () => {
    const { graph, opsetImport } = emitted(randomEncoder(), 'STANDARD', 'cls');
    expect(graph?.input?.map(({ name }) => name)).toEqual([IDS]);
    expect(graph?.output?.map(({ name }) => name)).toEqual([OUTPUT]);
    expect(opsetImport).toEqual([{ domain: '', version: OPSET }]);
  });

  it('use the domain of the runtime in the fused form alone', () => {
    const domains = (form: keyof typeof FORMS) => emitted(randomEncoder(), form, 'hidden').opsetImport?.map(({ domain }) => domain);
    expect(domains('FUSED')).toEqual(['', 'com.microsoft']);
    expect(domains('STANDARD')).toEqual(['']);
  });

  it.each(CASES)(
    '$form, $activation, $output output: name each value once and read none that is not there',
    ({ activation, output, form }) => {
      const { graph } = emitted(randomEncoder({ activation, layers: 3 }), form, output);
      const made = [IDS, ...(graph?.initializer ?? []).map(({ name }) => name)];
      for (const node of graph?.node ?? []) {
        for (const name of node.input ?? []) expect(made).toContain(name);
        made.push(...(node.output ?? []));
      }
      expect(new Set(made).size).toBe(made.length);
      expect(new Set(graph?.node?.map(({ name }) => name)).size).toBe(graph?.node?.length);
    },
  );

  it('sum by Sum before a normalisation, which the optimizer leaves as it is, where it slows Add down', () => {
    const nodes = emitted(randomEncoder({ layers: 2 }), 'FUSED', 'hidden').graph?.node ?? [];
    const makerOf = (name: string) => nodes.find(({ output }) => output?.includes(name))?.opType;
    const norms = nodes.filter(({ opType, name }) => opType === 'LayerNormalization' && name?.startsWith('layer'));
    expect(norms.map(({ input }) => makerOf(input?.[0] as string))).toEqual(['Sum', 'Sum', 'Sum', 'Sum']);
  });

  it('bend the approximated activation by the constant of its source', () => {
    const { graph } = emitted(randomEncoder({ activation: 'gelu-tanh', layers: 1 }), 'STANDARD', 'cls');
    const bend = graph?.initializer?.find(({ name }) => name === 'layer0.activation.bend') as TensorProto;
    expect([...fromProto(bend).data]).toEqual([Math.fround(0.044715)]);
  });

  it('are the same bytes for equal encoders', () => {
    const [one, other] = [1, 2].map(() => ModelProto.encode(emitted(randomEncoder({ seed: 5 }), 'FUSED', 'cls')).finish());
    expect(one).toEqual(other);
    expect(ModelProto.encode(emitted(randomEncoder({ seed: 6 }), 'FUSED', 'cls')).finish()).not.toEqual(one);
  });

  it.each(OUTPUTS)('tap every site once, in the order of sitesOf: %s output', (output) => {
    const encoder = randomEncoder({ layers: 3 });
    const seen: string[] = [];
    emitEncoder(
      encoder,
      fp32Arithmetic(encoder, (_, site) => seen.push(siteName(site))),
      { form: FUSED, output },
    );
    expect(seen).toEqual(sitesOf(encoder).map(siteName));
    expect(new Set(seen).size).toBe(12);
  });
});
