// Bytes that are no ONNX model, and damaged ones: one sentence each, never a stack and never a half-written folder.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EmbedkitError } from '#src/errors.js';
import { exportModel } from '#src/model/export.js';
import { allTensors, DATA_TYPE, type GraphProto, ModelProto, type TensorProto } from '#src/onnx/proto.js';
import { floatValues, type OnnxFile, rawBytes, readOnnx } from '#src/onnx/read.js';
import { fc } from '../properties.js';
import { temporaryFolder } from '../run.js';
import { makeExternal, node, tinyModel, writeTiny } from './tiny.js';

/** Starts with the file, ends with what to do, and is one printable line: names may have letters of any script, and U+FFFD for bytes that are none. */
function expectSentence(error: unknown): asserts error is EmbedkitError {
  expect(error).toBeInstanceOf(EmbedkitError);
  const { code, sentence } = error as EmbedkitError;
  expect(['model-invalid', 'input-not-found']).toContain(code);
  expect(sentence).toMatch(/^\/[^\p{Cc}\u2028\u2029]+; [a-z][^\p{Cc}\u2028\u2029]+$/u);
  expect(sentence).not.toMatch(/\bat \S+:\d+/);
}

/** Reads a file and the data of every tensor in it, as recognition does: what was read, or the sentence that refused it. */
async function reading(path: string): Promise<OnnxFile | EmbedkitError> {
  try {
    const onnx = await readOnnx(path);
    for (const tensor of allTensors(onnx.model.graph as GraphProto)) {
      await rawBytes(tensor, path);
      if (tensor.dataType === DATA_TYPE.FLOAT) await floatValues(tensor, path);
    }
    expect(onnx.model.graph?.node?.length).toBeGreaterThan(0);
    return onnx;
  } catch (error) {
    expectSentence(error);
    return error;
  }
}

/** The code and the sentence of a refusal, without the path it must start with. */
async function refusal(path: string): Promise<string> {
  const read = await reading(path);
  if (!(read instanceof EmbedkitError)) throw new Error('it was read');
  expect(read.sentence.startsWith(path)).toBe(true);
  return `${read.code}${read.sentence.slice(path.length)}`;
}

function written(bytes: Uint8Array | string, folder = temporaryFolder()): string {
  const path = join(folder, 'model.onnx');
  writeFileSync(path, bytes);
  return path;
}

function encoded(edit: (graph: GraphProto) => void): Uint8Array {
  return ModelProto.encode(tinyModel({ edit })).finish();
}

function tableOf(graph: GraphProto): TensorProto {
  return graph.initializer?.[0] as TensorProto;
}

describe('a file that is no model', () => {
  const whole = ModelProto.encode(tinyModel()).finish();

  it('cut at every byte reads as a model with nodes, or is refused', async () => {
    const folder = temporaryFolder();
    const ends: string[] = [];
    for (let length = 0; length <= whole.length; length++) {
      const read = await reading(written(whole.subarray(0, length), folder));
      ends.push(read instanceof EmbedkitError ? 'refused' : 'read');
    }
    expect(ends.at(-1)).toBe('read');
    expect(ends.filter((end) => end === 'refused').length).toBeGreaterThan(whole.length * 0.9);
  });

  it('any bytes are taken for a model with nodes, or refused', async () => {
    const folder = temporaryFolder();
    const random = fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
      await reading(written(bytes, folder));
    });
    await fc.assert(random, { numRuns: 200 });
  });

  it('a model with changed bytes is read or refused', async () => {
    const folder = temporaryFolder();
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    const damaged = fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      const bytes = whole.slice();
      for (const [at, value] of changes) bytes[at] = value;
      await reading(written(bytes, folder));
    });
    // The length of a tensor's name, so that its data are read as part of it.
    await fc.assert(damaged, { numRuns: 500, examples: [[[[116, 229]]]] });
  });

  it.each([
    ['a file of 0 bytes', ''],
    ['a text', 'Dear reader,\nthis is a letter and not a model.\n'],
    ['JSON', JSON.stringify({ model: { graph: [] } })],
    ['groups opened a million times', new Uint8Array(1_000_000).fill(0x0b)],
  ])('%s', async (_, bytes) => {
    expect(await refusal(written(bytes))).toMatch(/^model-invalid: not an ONNX model \(.+\); fetch or export it again$/);
  });

  it('a folder, a pipe, nothing', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'folder.onnx'));
    execFileSync('mkfifo', [join(folder, 'pipe.onnx')]);
    expect(await refusal(join(folder, 'folder.onnx'))).toBe('input-not-found: a folder; name an ONNX file');
    expect(await refusal(join(folder, 'pipe.onnx'))).toBe('input-not-found: no file; name an ONNX file');
    expect(await refusal(join(folder, 'absent.onnx'))).toMatch(/^input-not-found: no such file/);
  });

  it('a file beyond what protobuf can hold is refused by its size', async () => {
    const path = written(whole);
    truncateSync(path, 2 ** 31);
    expect(await refusal(path)).toMatch(/^model-invalid: not an ONNX model \(2147483648 bytes, /);
  });
});

describe('nesting', () => {
  /** A graph in a graph, `depth` times, encoded from the inside out: the message classes would run out of stack. */
  function nested(depth: number): Uint8Array {
    let graph: Uint8Array = new Uint8Array(0);
    for (let level = 0; level < depth; level++) graph = wrap(0x0a, wrap(0x2a, wrap(0x32, graph)));
    return wrap(0x3a, graph);
  }

  function wrap(tag: number, inner: Uint8Array): Buffer {
    const size: number[] = [];
    for (let rest = inner.length; size.length === 0 || rest > 0; rest = Math.floor(rest / 128)) size.push((rest % 128) | 128);
    size.push((size.pop() as number) & 127);
    return Buffer.concat([Uint8Array.from([tag, ...size]), inner]);
  }

  it('of thirty sub-graphs is read', async () => {
    expect(await reading(written(nested(30)))).toHaveProperty('model.graph.node.length', 1);
  });

  it.each([40, 1000, 3000, 6000])('of %i sub-graphs is refused', async (depth) => {
    expect(await refusal(written(nested(depth)))).toMatch(/^model-invalid: .*its messages are nested (more than 100 deep|too deeply)/);
  });
});

describe('a tensor', () => {
  const dimensions = 'model-invalid: tensor "embed.word" has';

  it.each<[string, Partial<TensorProto>, string]>([
    ['2^40 values declared, 48 kept', { dims: [2 ** 20, 2 ** 20] }, `${dimensions} 48 values, not 1099511627776`],
    ['2^160 values declared', { dims: Array(4).fill(2 ** 40) }, `${dimensions} 48 values, not ${2 ** 160}`],
    ['a negative dimension', { dims: [-12, 4] }, `${dimensions} a negative dimension (-12,4)`],
    ['two negative dimensions, whose product fits', { dims: [-12, -4] }, `${dimensions} a negative dimension (-12,-4)`],
    ['raw data of 191 bytes', { rawData: new Uint8Array(191) }, `${dimensions} 191 bytes of data, not 192`],
    ['raw data with too many values', { rawData: new Uint8Array(196) }, `${dimensions} 49 values, not 48`],
    ['too few float_data', { rawData: new Uint8Array(0), floatData: [1, 2, 3] }, `${dimensions} 3 values, not 48`],
    ['too many float_data', { rawData: new Uint8Array(0), floatData: Array(49).fill(1) }, `${dimensions} 49 values, not 48`],
    ['no data', { rawData: new Uint8Array(0) }, `${dimensions} 0 values, not 48`],
    ['too few int64 in raw form', { dataType: DATA_TYPE.INT64 }, `${dimensions} 24 values, not 48`],
    [
      'too few int32_data',
      { dataType: DATA_TYPE.INT8, rawData: new Uint8Array(0), int32Data: [1] },
      'model-invalid: tensor "embed.word" has 1 values, not 48',
    ],
  ])('%s', async (_, change, sentence) => {
    const path = written(encoded((graph) => Object.assign(tableOf(graph), change)));
    expect(await refusal(path)).toBe(`${sentence}; fetch or export the model again`);
  });

  it('of an attribute in a sub-graph is checked too', async () => {
    const value = { name: 'inner', dims: [3], dataType: DATA_TYPE.FLOAT, rawData: new Uint8Array(8) };
    const constant = node('Constant', 'c', [], ['c'], [{ name: 'value', t: value }]);
    const branch = node('If', 'if', [], ['d'], [{ name: 'then_branch', g: { node: [constant] } }]);
    expect(await refusal(written(encoded((graph) => graph.node?.push(branch))))).toMatch(/tensor "inner" has 2 values, not 3/);
  });

  it('is named on one printable line, however long its name and whatever is in it', async () => {
    const name = `evil\n\u001b[31m${'x'.repeat(10_000)}`;
    const sentence = await refusal(written(encoded((graph) => Object.assign(tableOf(graph), { name, dims: [5] }))));
    expect(sentence).toMatch(/tensor "evil\\n\\u001b\[31mx+\.\.\." has 48 values, not 5/);
    expect(sentence.length).toBeLessThan(300);
  });

  it('with NaN and infinities is read as it is: refusing them is for those who use them', async () => {
    const table = Float32Array.from(
      { length: 48 },
      (_, at) => [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1][at % 4] as number,
    );
    const path = written(ModelProto.encode(tinyModel({ table })).finish());
    const { model } = await readOnnx(path);
    expect(await floatValues(tableOf(model.graph as GraphProto), path)).toEqual(table);
  });

  it('without values, and one in float_data, are read', async () => {
    const empty = { name: 'empty', dims: [0, 4], dataType: DATA_TYPE.FLOAT };
    const typed = { name: 'typed', dims: [2], dataType: DATA_TYPE.FLOAT, floatData: [1.5, -2] };
    const path = written(encoded((graph) => graph.initializer?.push(empty, typed)));
    const { model } = await readOnnx(path);
    const [, , first, second] = model.graph?.initializer ?? [];
    expect(await floatValues(first as TensorProto, path)).toEqual(new Float32Array(0));
    expect(await floatValues(second as TensorProto, path)).toEqual(Float32Array.of(1.5, -2));
  });
});

describe('external data', () => {
  const BYTES = Uint8Array.from({ length: 256 }, (_, at) => at % 64);

  interface Place {
    readonly location: string;
    readonly offset?: string;
    readonly length?: string;
    readonly dims?: number[];
  }

  /** root/in/model.onnx, its table kept where `place` says; w.bin with 256 bytes beside the model and outside. */
  function modelWith(place: Place, root = temporaryFolder()): string {
    const folder = join(root, 'in');
    mkdirSync(folder);
    for (const file of [join(folder, 'w.bin'), join(root, 'w.bin')]) writeFileSync(file, BYTES);
    const { dims = [12, 4], ...entries } = place;
    const edit = (graph: GraphProto): void => {
      makeExternal(tableOf(graph), 'w.bin', 192);
      const externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
      Object.assign(tableOf(graph), { dims, externalData });
    };
    return written(encoded(edit), folder);
  }

  async function valuesOf(path: string): Promise<Float32Array> {
    const { model } = await readOnnx(path);
    return floatValues(tableOf(model.graph as GraphProto), path);
  }

  const expected = new Float32Array(BYTES.buffer, 16, 48);

  it.each<[string, Place]>([
    ['with its length', { location: 'w.bin', offset: '16', length: '192' }],
    ['without it', { location: 'w.bin', offset: '16' }],
    ['by a path that stays inside', { location: 'more/../w.bin', offset: '16' }],
  ])('is read %s', async (_, place) => {
    expect(await valuesOf(modelWith(place))).toEqual(expected);
  });

  it.each<[string, Place, RegExp]>([
    ['above the folder', { location: '../w.bin' }, /tensor "embed\.word" is kept in "\.\.\/w\.bin", outside the model's folder; put/],
    ['by way of the folder', { location: 'x/../../w.bin' }, /outside the model's folder/],
    ['by an absolute path', { location: '/etc/passwd' }, /outside the model's folder/],
    ['nowhere', { location: '' }, /outside the model's folder/],
    ['in the folder itself', { location: '.' }, /external data "\." of tensor "embed\.word" is not a file/],
    ['in no file', { location: 'absent.bin' }, /external data "absent\.bin" of tensor "embed\.word" is not there: no such file/],
    ['in a file with a NUL in its name', { location: 'w\0.bin' }, /external data "w\\u0000\.bin" of tensor "embed\.word" is not there/],
    ['in a name with line ends', { location: 'a\nb\u001b' }, /external data "a\\nb\\u001b" of tensor "embed\.word" is not there/],
    ['past the end', { location: 'w.bin', offset: '65', length: '192' }, /"w\.bin" \(256 bytes\) is too short for tensor "embed\.word"/],
    ['past the end, length not given', { location: 'w.bin', offset: '65' }, /is too short for tensor "embed\.word"/],
    ['far past the end', { location: 'w.bin', offset: '9007199254740991' }, /is too short for tensor "embed\.word"/],
    ['in 2^42 bytes', { location: 'w.bin', length: String(2 ** 42), dims: [2 ** 20, 2 ** 20] }, /is too short for tensor "embed\.word"/],
    ['in too few bytes', { location: 'w.bin', length: '188' }, /tensor "embed\.word" has 47 values, not 48/],
    ['in no whole values', { location: 'w.bin', length: '190' }, /tensor "embed\.word" has 190 bytes of data, not 192/],
    ['in negative dimensions', { location: 'w.bin', dims: [-12, -4] }, /tensor "embed\.word" has a negative dimension/],
    ...['-8', 'x', '', '1e2', '0x10', ' 8', '99999999999999999999'].map<[string, Place, RegExp]>((offset) => [
      `at offset "${offset}"`,
      { location: 'w.bin', offset },
      /external data "w\.bin" of tensor "embed\.word" has the offset ".*", no number of bytes/,
    ]),
    ['in "-1" bytes', { location: 'w.bin', length: '-1' }, /has the length "-1", no number of bytes/],
  ])('is refused %s', async (_, place, sentence) => {
    expect(await refusal(modelWith(place))).toMatch(sentence);
  });

  it('is refused where a link leads out of the folder, to a file or by a folder', async () => {
    const root = temporaryFolder();
    const path = modelWith({ location: 'link.bin' }, root);
    symlinkSync(join(root, 'w.bin'), join(root, 'in', 'link.bin'));
    expect(await refusal(path)).toMatch(/tensor "embed\.word" is kept in "link\.bin", outside the model's folder/);
    const other = temporaryFolder();
    const through = modelWith({ location: 'up/w.bin' }, other);
    symlinkSync('..', join(other, 'in', 'up'));
    expect(await refusal(through)).toMatch(/tensor "embed\.word" is kept in "up\/w\.bin", outside the model's folder/);
  });

  it('is refused in a pipe, which would be waited for', async () => {
    const path = modelWith({ location: 'pipe.bin' });
    execFileSync('mkfifo', [join(path, '..', 'pipe.bin')]);
    expect(await refusal(path)).toMatch(/external data "pipe\.bin" of tensor "embed\.word" is not a file/);
  });

  it('is refused where the file has the 2^33 bytes but no one could hold them', async () => {
    const path = modelWith({ location: 'w.bin', dims: [2 ** 31] });
    truncateSync(join(path, '..', 'w.bin'), 2 ** 33);
    expect(await refusal(path)).toMatch(/external data "w\.bin" of tensor "embed\.word" takes 8589934592 bytes, more than the 4294967296/);
  });

  it('is read where a cache links model and data into one other folder, and inside a linked folder', async () => {
    const root = temporaryFolder();
    const path = modelWith({ location: 'data.bin', offset: '16' }, root);
    symlinkSync('w.bin', join(root, 'in', 'data.bin'));
    mkdirSync(join(root, 'snapshot'));
    symlinkSync('../in/model.onnx', join(root, 'snapshot', 'model.onnx'));
    symlinkSync('../in/w.bin', join(root, 'snapshot', 'data.bin'));
    symlinkSync('in', join(root, 'alias'));
    for (const one of [path, join(root, 'snapshot', 'model.onnx'), join(root, 'alias', 'model.onnx')]) {
      expect(await valuesOf(one)).toEqual(expected);
    }
  });
});

describe('exportModel', () => {
  async function failureOf(source: string, root: string): Promise<EmbedkitError> {
    const error = await exportModel(source, join(root, 'out'), { dtype: 'fp16', pooling: 'cls' }).catch((thrown: unknown) => thrown);
    expectSentence(error);
    expect(readdirSync(root)).toEqual(['in']);
    return error;
  }

  it.each(['-8', 'x'])('refuses weights kept at offset %s, and leaves nothing behind', async (value) => {
    const root = temporaryFolder();
    const edit = (graph: GraphProto): void => {
      const table = tableOf(graph) as { externalData: { key: string; value: string }[] };
      makeExternal(table, 'w.bin', 192);
      table.externalData = table.externalData.map((entry) => (entry.key === 'offset' ? { key: 'offset', value } : entry));
    };
    const source = writeTiny(join(root, 'in'), tinyModel({ edit }));
    writeFileSync(join(source, 'w.bin'), new Uint8Array(1024));
    const error = await failureOf(source, root);
    expect(error.code).toBe('model-invalid');
    expect(error.message).toMatch(/"w\.bin" of tensor "embed\.word" has the offset "(-8|x)", no number of bytes/);
  });

  it('says so where the tokenizer is none', async () => {
    const root = temporaryFolder();
    const source = writeTiny(join(root, 'in'), tinyModel());
    writeFileSync(join(source, 'tokenizer.json'), '{"model":');
    expect((await failureOf(source, root)).message).toMatch(/tokenizer\.json: not a tokenizer that embedkit can use/);
  });
});
