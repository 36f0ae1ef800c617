// Graphs that mean harm or are broken: each ends in one sentence, and soon.
import { describe, expect, it } from 'vitest';
import { recognise } from '#src/encoder/recognise.js';
import { EmbedkitError } from '#src/errors.js';
import { AttributeProto, type GraphProto, ModelProto, type NodeProto, type TensorProto } from '#src/onnx/proto.js';
import { type OnnxFile, rawBytes } from '#src/onnx/read.js';
import { floatTensor, node, tinyModel } from '../onnx/tiny.js';
import { expectGolden, fixture, GOLDEN } from './golden.js';
import { INT, INTS, nodesOf, packedProducts } from './rewrites.js';

const OUTPUT = 'last_hidden_state';
const BASE = 'script-17';

function tiny(nodes: NodeProto[], initializer: TensorProto[] = []): OnnxFile {
  const model = tinyModel({ edit: (graph) => Object.assign(graph, { node: nodes, initializer }) });
  return { path: 'tiny.onnx', model };
}

async function failure(file: OnnxFile, output = OUTPUT): Promise<EmbedkitError> {
  const error = await recognise(file, output).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(EmbedkitError);
  const { sentence } = error as EmbedkitError;
  expect(sentence).not.toMatch(/\n|undefined|\[object/);
  return error as EmbedkitError;
}

/** The initialiser whose name ends like this. */
function weight(graph: GraphProto, end: string): TensorProto {
  return graph.initializer?.find((tensor) => tensor.name?.endsWith(end)) as TensorProto;
}

function firstOf(graph: GraphProto, opType: string): NodeProto {
  return nodesOf(graph).find((one) => one.opType === opType) as NodeProto;
}

/** Gives a tensor other values in its place, inline. */
function replace(graph: GraphProto, end: string, dims: number[], fill: (at: number) => number): void {
  const values = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, at) => fill(at));
  const old = weight(graph, end);
  const at = graph.initializer?.indexOf(old) as number;
  graph.initializer?.splice(at, 1, floatTensor(String(old.name), dims, values));
}

const { hidden } = GOLDEN;

/** Edits of a sound fixture -> code and message. */
const BROKEN: readonly (readonly [name: string, edit: (graph: GraphProto) => void, code: string, message: RegExp])[] = [
  [
    'a missing initialiser',
    (graph) => {
      graph.initializer = graph.initializer?.filter((tensor) => tensor !== weight(graph, 'layer.1.output.dense.bias')) ?? [];
    },
    'model-invalid',
    /reads "[^"]*layer\.1\.output\.dense\.bias", which is neither an input/,
  ],
  [
    'a circle through the layers',
    (graph) => {
      (firstOf(graph, 'LayerNormalization').input as string[])[0] = OUTPUT;
    },
    'model-invalid',
    /depends on its own output/,
  ],
  [
    'NaN in a bias',
    (graph) => replace(graph, 'layer.0.attention.self.key.bias', [hidden], (at) => (at === 3 ? Number.NaN : 0)),
    'model-invalid',
    /bias of key of layer 0 holds NaN at place 3/,
  ],
  [
    'an infinite scale',
    (graph) => replace(graph, 'layer.1.output.LayerNorm.weight', [hidden], () => Number.POSITIVE_INFINITY),
    'model-invalid',
    /the output of layer 1 holds Infinity at place 0/,
  ],
  [
    'NaN in the words',
    (graph) => replace(graph, 'word_embeddings.weight', [100, hidden], (at) => (at === 3199 ? Number.NaN : 1)),
    'model-invalid',
    /word table holds NaN at place 3199/,
  ],
  [
    'a bias too short',
    (graph) => replace(graph, 'layer.0.intermediate.dense.bias', [7], () => 1),
    'model-invalid',
    /bias of 7 values is added to 64 outputs/,
  ],
  [
    'shifts too many',
    (graph) => replace(graph, 'embeddings.LayerNorm.bias', [hidden + 1], () => 1),
    'model-invalid',
    /32 scales and 33 shifts/,
  ],
  [
    'words too narrow',
    (graph) => replace(graph, 'word_embeddings.weight', [100, 31], () => 1),
    'model-invalid',
    /table of positions has 40 rows of 32 values where the width is 31|token types of 32 values/,
  ],
  [
    'types too wide',
    (graph) => replace(graph, 'token_type_embeddings.weight', [2, 33], () => 1),
    'model-invalid',
    /token types of 33 values are added to positions of 32/,
  ],
  [
    'a matrix of other dimensions',
    (graph) => (weight(graph, `${firstOf(graph, 'MatMul').input?.[1]}`).dims = [16, 64]),
    'model-invalid',
    /a bias of 32 values is added to 64 outputs/,
  ],
  [
    'a tensor that is too short',
    (graph) => (weight(graph, 'word_embeddings.weight').dims = [101, hidden]),
    'model-invalid',
    /word_embeddings/,
  ],
  [
    'an unknown activation',
    (graph) => (firstOf(graph, 'Erf').opType = 'Mystery'),
    'model-unsupported',
    /the activation was not recognised at node/,
  ],
  [
    'an unknown normalisation',
    (graph) => (firstOf(graph, 'LayerNormalization').opType = 'Mystery'),
    'model-unsupported',
    /was not recognised at node/,
  ],
  [
    'an unknown softmax',
    (graph) => (firstOf(graph, 'Softmax').opType = 'Mystery'),
    'model-unsupported',
    /softmax of attention was not recognised at node/,
  ],
  ['an unknown product', (graph) => (firstOf(graph, 'MatMul').opType = 'Mystery'), 'model-unsupported', /was not recognised at/],
  [
    'a mere name of an output',
    (graph) => (graph.node = nodesOf(graph).slice(0, -1)),
    'model-unsupported',
    /no node makes the output "last_hidden_state"/,
  ],
];

describe('recognise, broken graphs', () => {
  it.each(BROKEN)('rejects %s', async (_, edit, code, message) => {
    const error = await failure(await fixture(BASE, (graph) => void edit(graph)));
    expect(error.sentence).toMatch(message);
    expect(error.code).toBe(code);
  });

  it.each([0, -4, 5, 64])('rejects %i heads', async (heads) => {
    const file = await fixture('ort-offline', (graph) => {
      for (const one of nodesOf(graph)) {
        if (one.opType === 'Attention')
          one.attribute = one.attribute?.map((old) => (old.name === 'num_heads' ? { ...old, i: heads } : old)) ?? [];
      }
    });
    expect((await failure(file)).code).toMatch(/^model-/);
  });

  it.each([
    [[100, 32, 32], 'columns 0 to 100'],
    [[-8, 32, 32], 'columns 0 to -8'],
    [[64, -32, 64], 'columns 64 to 32'],
  ])('rejects packed products split into %j', async (sizes, found) => {
    const file = await fixture(BASE, (graph) => {
      packedProducts('Split')(graph);
      for (const one of nodesOf(graph)) if (one.opType === 'Split') one.attribute?.push(AttributeProto.create(INTS('split', sizes)));
    });
    const error = await failure(file);
    expect(error.message).toContain(`${found} are cut from a linear map of 96 outputs`);
    expect(error.code).toBe('model-invalid');
  });

  it('rejects dimensions below zero', async () => {
    const file = await fixture(BASE, (graph) => {
      const tensor = weight(graph, String(firstOf(graph, 'MatMul').input?.[1]));
      tensor.dims = (tensor.dims as number[]).map((dim) => -dim);
    });
    expect((await failure(file)).message).toMatch(/has dimensions -32 x -32$/);
  });

  it('rejects layers with different heads', async () => {
    const file = await fixture('ort-offline', (graph) => {
      firstOf(graph, 'Attention').attribute =
        firstOf(graph, 'Attention').attribute?.map((old) => (old.name === 'num_heads' ? { ...old, i: 8 } : old)) ?? [];
    });
    expect((await failure(file)).message).toMatch(/heads, scale and activation/);
  });

  it('rejects nodes that read themselves and each other', async () => {
    const circle = [node('Add', 'a', ['y', 'input_ids'], ['x']), node('Relu', 'b', ['x'], ['y']), node('Identity', 'c', ['y'], [OUTPUT])];
    expect((await failure(tiny(circle))).message).toMatch(/node "(a|b)" \(\w+\) depends on its own output/);
    expect((await failure(tiny([node('Identity', 'self', [OUTPUT], [OUTPUT])]))).code).toBe('model-invalid');
  });

  it('rejects a feed-forward part beside attention instead of behind it', async () => {
    const file = await fixture(BASE, (graph) => {
      const [first, second, third] = nodesOf(graph).filter((one) => one.opType === 'LayerNormalization');
      const up = nodesOf(graph).find((one) => one.opType === 'MatMul' && one.input?.[0] === second?.output?.[0]) as NodeProto;
      expect(third).toBeDefined();
      (up.input as string[])[0] = String(first?.output?.[0]);
    });
    expect((await failure(file)).message).toMatch(/^a feed-forward part that reads what it is added to was not recognised/);
  });

  it('rejects a table and a product', async () => {
    expect((await failure({ path: 'tiny.onnx', model: tinyModel() })).code).toBe('model-unsupported');
  });
});

const LONG = 100_000;

describe('recognise, graphs without end', () => {
  const chain = (opType: string, from: string, to: string): NodeProto[] =>
    Array.from({ length: LONG }, (_, at) =>
      node(opType, '', [at === 0 ? from : `${opType}${at}`], [at === LONG - 1 ? to : `${opType}${at + 1}`]),
    );

  it('passes over as many idle operators as there are', async () => {
    const file = await fixture(BASE, (graph) => {
      const last = nodesOf(graph).find((one) => one.output?.[0] === OUTPUT) as NodeProto;
      last.output = ['before'];
      nodesOf(graph).push(...chain('Identity', 'before', OUTPUT));
    });
    expectGolden((await recognise(file, OUTPUT)).encoder);
  });

  it.each(['Neg', 'Relu', 'Mystery'])('comes to an end below %s a hundred thousand times', async (opType) => {
    expect((await failure(tiny(chain(opType, 'input_ids', OUTPUT)))).code).toBe('model-unsupported');
  });

  it('comes to an end in sums and products that go on', async () => {
    for (const opType of ['Add', 'Mul']) {
      const file = await fixture(BASE, (graph) => {
        const activation = nodesOf(graph).findLast((one) => one.opType === 'Erf') as NodeProto;
        const many = Array.from({ length: LONG }, (_, at) =>
          node(opType, '', [at === 0 ? 'input_ids' : `m${at}`, at === 0 ? 'input_ids' : `m${at}`], [`m${at + 1}`]),
        );
        nodesOf(graph).unshift(...many);
        (activation.input as string[])[0] = `m${LONG}`;
      });
      expect((await failure(file)).code).toBe('model-unsupported');
    }
  });

  it('stops where constants double', async () => {
    const doubled = Array.from({ length: 60 }, (_, at) => node('Concat', '', [`c${at}`, `c${at}`], [`c${at + 1}`], [INT('axis', 0)]));
    const file = tiny([...doubled, node('Identity', '', ['c60'], [OUTPUT])], [floatTensor('c0', [4], new Float32Array(4))]);
    expect((await failure(file)).code).toBe('model-unsupported');
  });

  it('stops where constants are turned over and over', async () => {
    const turned = Array.from({ length: 5_000 }, (_, at) => node('Transpose', '', [`t${at}`], [`t${at + 1}`], [INTS('perm', [1, 0])]));
    const file = tiny([...turned, node('Identity', '', ['t5000'], [OUTPUT])], [floatTensor('t0', [500, 100], new Float32Array(50_000))]);
    expect((await failure(file)).message).toMatch(/unfold beyond measure/);
  });
});

/** Ways to spoil one node. */
const SPOILERS: Readonly<Record<string, (graph: GraphProto, one: NodeProto) => void>> = {
  removed: (graph, one) => {
    graph.node = nodesOf(graph).filter((other) => other !== one);
  },
  renamed: (_, one) => {
    one.opType = 'Mystery';
  },
  reversed: (_, one) => {
    one.input?.reverse();
  },
  'without inputs': (_, one) => {
    one.input = [];
  },
  'without attributes': (_, one) => {
    one.attribute = [];
  },
  'reading the ids': (_, one) => {
    one.input = one.input?.map(() => 'input_ids') ?? [];
  },
};

const SPOILT = ['script-17', 'ort-offline-heads', 'dynamo-23-sdpa'];

/** A fixture's bytes with its weights inside. */
async function inlined(name: string): Promise<Uint8Array> {
  const { path, model } = await fixture(name);
  for (const tensor of model.graph?.initializer ?? []) {
    const bytes = await rawBytes(tensor, path);
    if (bytes !== undefined) Object.assign(tensor, { rawData: bytes, dataLocation: 0, externalData: [] });
  }
  return ModelProto.encode(model).finish();
}

describe('recognise, any node spoilt', () => {
  it.each(Object.keys(SPOILERS))('%s: an encoder or a sentence', async (way) => {
    let failures = 0;
    for (const bytes of await Promise.all(SPOILT.map(inlined))) {
      const { length } = nodesOf(ModelProto.decode(bytes).graph as GraphProto);
      for (let at = 0; at < length; at++) {
        const model = ModelProto.decode(bytes);
        SPOILERS[way]?.(model.graph as GraphProto, nodesOf(model.graph as GraphProto)[at] as NodeProto);
        const thrown = await recognise({ path: 'spoilt.onnx', model }, OUTPUT).catch((error: unknown) => error);
        if (!(thrown instanceof Error)) continue;
        failures++;
        expect(thrown, `node ${at}`).toBeInstanceOf(EmbedkitError);
        expect((thrown as EmbedkitError).code, `node ${at}: ${thrown}`).toMatch(/^model-(invalid|unsupported)$/);
      }
    }
    expect(failures).toBeGreaterThan(0);
  });
});
