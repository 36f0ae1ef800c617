// `export` on tiny models: what is stored, what is freed, and what is refused in one sentence.
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EmbedkitError } from '#src/errors.js';
import { type ExportOptions, exportModel } from '#src/model/export.js';
import { openFolder } from '#src/model/folder.js';
import { runModel } from '#src/model/probe.js';
import { DATA_TYPE, type GraphProto, ModelProto } from '#src/onnx/proto.js';
import { DIM, floatTensor, makeExternal, node, tinyModel, VOCABULARY, writeTiny } from '../onnx/tiny.js';
import { temporaryFolder } from '../run.js';

const OPTIONS: ExportOptions = { dtype: 'fp16', pooling: 'mean' };
const INPUTS = [
  { ids: Int32Array.of(1, 2, 3, 4, 5, 6), rows: 2, width: 3 },
  { ids: Int32Array.of(11), rows: 1, width: 1 },
];

async function exported(model: ModelProto, options: Partial<ExportOptions> = {}) {
  const folder = temporaryFolder();
  const source = writeTiny(join(folder, 'source'), model);
  const out = join(folder, 'out');
  const report = await exportModel(source, out, { ...OPTIONS, ...options });
  const opened = await openFolder(out);
  return { report, out, opened, probes: await runModel(opened.modelPath, 'last_hidden_state', INPUTS), graph: decode(opened.modelPath) };
}

function decode(path: string): GraphProto {
  return ModelProto.decode(readFileSync(path)).graph as GraphProto;
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(EmbedkitError);
  return (error as EmbedkitError).sentence;
}

/** What a look-up in `table` times 0.1 gives, computed plainly. */
function expected(table: Float32Array): Float32Array[] {
  return INPUTS.map(({ ids }) =>
    Float32Array.from(
      [...ids].flatMap((id) => [...table.subarray(id * DIM, id * DIM + DIM)].map((value) => Math.fround(value * Math.fround(0.1)))),
    ),
  );
}

const randomTable = Float32Array.from({ length: VOCABULARY * DIM }, (_, at) => Math.sin(at + 1));

describe('storage', () => {
  it('keeps exact weights exactly, as FP16, and scalars as FP32', async () => {
    const { report, probes, graph } = await exported(tinyModel());
    expect(report.manifest.weights).toEqual({ dtype: 'float16', total: VOCABULARY * DIM, exact: VOCABULARY * DIM, max_difference: 0 });
    expect(report.outputDifference).toBe(0);
    expect(probes.map((probe) => probe.values)).toEqual(expected(Float32Array.from({ length: VOCABULARY * DIM }, (_, at) => (at % 7) - 3)));
    expect(graph.initializer?.map((tensor) => tensor.dataType)).toEqual([DATA_TYPE.FLOAT16, DATA_TYPE.FLOAT]);
  });

  it('counts inexact weights and the largest difference', async () => {
    const { report, probes } = await exported(tinyModel({ table: randomTable }));
    const { exact, max_difference } = report.manifest.weights;
    expect(exact).toBeLessThan((VOCABULARY * DIM) / 4);
    expect(max_difference).toBeGreaterThan(1e-5);
    expect(max_difference).toBeLessThanOrEqual(2 ** -12);
    const difference = Math.max(
      ...expected(randomTable).flatMap((row, index) =>
        [...row].map((value, at) => Math.abs(value - (probes[index]?.values[at] as number))),
      ),
    );
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThanOrEqual(max_difference * 0.11);
  });

  it('leaves a table with a value beyond FP16 in FP32', async () => {
    const table = randomTable.slice();
    table[5] = 1e6;
    const { report, probes } = await exported(tinyModel({ table }));
    expect(report.manifest.weights).toMatchObject({ exact: VOCABULARY * DIM, max_difference: 0 });
    expect(probes.map((probe) => probe.values)).toEqual(expected(table));
  });

  it('fp32 changes nothing', async () => {
    const { probes } = await exported(tinyModel({ table: randomTable }), { dtype: 'fp32' });
    expect(probes.map((probe) => probe.values)).toEqual(expected(randomTable));
  });

  it('reads weights from an external file, and writes them to one beyond the limit', async () => {
    const folder = temporaryFolder();
    const model = tinyModel({ edit: (graph) => makeExternal(graph.initializer?.[0] as object, 'weights.bin', randomTable.byteLength) });
    const source = writeTiny(join(folder, 'source'), model);
    writeFileSync(join(source, 'weights.bin'), new Uint8Array(randomTable.buffer));
    const out = join(folder, 'out');
    const { manifest } = await exportModel(source, out, { ...OPTIONS, dtype: 'fp32', inlineLimitBytes: 10 });
    expect(Object.keys(manifest.files).sort()).toEqual(['model.fp32.onnx', 'model.fp32.onnx.data', 'tokenizer.json']);
    const { modelPath } = await openFolder(out);
    expect((await runModel(modelPath, 'last_hidden_state', INPUTS)).map((probe) => probe.values)).toEqual(expected(randomTable));
  });

  it('takes initialisers that are listed as inputs', async () => {
    const model = tinyModel({
      edit: (graph) =>
        graph.input?.push({
          name: 'embed.word',
          type: { tensorType: { elemType: DATA_TYPE.FLOAT, shape: { dim: [{ dimValue: VOCABULARY }, { dimValue: DIM }] } } },
        }),
    });
    expect((await exported(model)).report.manifest.architecture).toMatchObject({ inputs: ['input_ids'], vocabulary: VOCABULARY });
  });
});

describe('shapes', () => {
  it('frees fixed input shapes', async () => {
    const { report, probes } = await exported(tinyModel({ shape: [1, 8] }));
    expect(report.outputDifference).toBe(0);
    expect(probes.map((probe) => probe.dims)).toEqual([
      [2, 3, DIM],
      [1, 1, DIM],
    ]);
  });

  it('refuses a shape that is fixed inside, by the name of the node', async () => {
    const model = tinyModel({
      shape: [1, 8],
      edit: (graph) => {
        const shape = { name: 'eight', dims: [3], dataType: DATA_TYPE.INT64, rawData: new Uint8Array(BigInt64Array.of(1n, 8n, 4n).buffer) };
        graph.initializer?.push(shape);
        (graph.node?.[1] as { output: string[] }).output = ['scaled'];
        graph.node?.push(node('Reshape', 'the_fixed_one', ['scaled', 'eight'], ['last_hidden_state']));
      },
    });
    const source = writeTiny(join(temporaryFolder(), 'source'), model);
    const out = `${source}-out`;
    expect(await refusal(exportModel(source, out, OPTIONS))).toMatch(/fixed input shape.*the_fixed_one/);
    expect(existsSync(out)).toBe(false);
  });
});

describe('refusals', () => {
  const attempt = (source: string, options: Partial<ExportOptions> = {}): Promise<string> =>
    refusal(exportModel(source, `${source}-out`, { ...OPTIONS, ...options }));
  const tiny = (model = tinyModel()): string => writeTiny(join(temporaryFolder(), 'source'), model);

  it('says which input it cannot feed', async () => {
    const model = tinyModel({ inputs: ['input_ids', 'pixel_values'] });
    expect(await attempt(tiny(model))).toMatch(/input "pixel_values".*embedkit feeds/);
  });

  it('wants to know the pooling where nothing tells it', async () => {
    expect(await attempt(tiny(), { pooling: undefined })).toMatch(/pooled; say --pooling/);
  });

  it('takes no more tokens than positions', async () => {
    const model = tinyModel({
      edit: (graph) => graph.initializer?.push(floatTensor('embed.position', [16, DIM], new Float32Array(16 * DIM))),
    });
    expect(await attempt(tiny(model), { maxTokens: 17 })).toMatch(/--max-tokens 17: the model has 16 positions/);
  });

  it('keeps what is there unless told to replace it', async () => {
    const source = tiny();
    await exportModel(source, `${source}-out`, OPTIONS);
    expect(await attempt(source)).toMatch(/exists; .*--overwrite/);
    await exportModel(source, `${source}-out`, { ...OPTIONS, overwrite: true });
    expect(readdirSync(`${source}-out`).sort()).toEqual(['embedkit.json', 'model.fp16.onnx', 'tokenizer.json']);
  });

  it.each([
    ['random bytes', Buffer.from('this is not a model at all, is it?')],
    ['nothing', Buffer.alloc(0)],
  ])('%s', async (_, bytes) => {
    const source = tiny();
    writeFileSync(join(source, 'model.onnx'), bytes);
    expect(await attempt(source)).toMatch(/not an ONNX model/);
  });

  it('a truncated file', async () => {
    const source = tiny();
    truncateSync(join(source, 'model.onnx'), 120);
    expect(await attempt(source)).toMatch(/not an ONNX model/);
  });

  it.each([
    ['../weights.bin', /outside the model's folder/],
    ['/etc/hostname', /outside the model's folder/],
    ['missing.bin', /missing\.bin.*external data file/],
  ])('external data in %s', async (location, sentence) => {
    const model = tinyModel({ edit: (graph) => makeExternal(graph.initializer?.[0] as object, location, 64) });
    expect(await attempt(tiny(model))).toMatch(sentence);
  });

  it('an external file that is too short, and a tensor with too few values', async () => {
    const source = tiny(tinyModel({ edit: (graph) => makeExternal(graph.initializer?.[0] as object, 'weights.bin', 192) }));
    writeFileSync(join(source, 'weights.bin'), Buffer.alloc(100));
    expect(await attempt(source)).toMatch(/too short for tensor "embed\.word"/);
    const short = tinyModel({ edit: (graph) => Object.assign(graph.initializer?.[0] as object, { rawData: new Uint8Array(8) }) });
    expect(await attempt(tiny(short))).toMatch(/has 2 values, not 48/);
  });

  it('a folder without model or tokenizer', async () => {
    expect(await attempt(temporaryFolder())).toMatch(/no model\.onnx or onnx\/model\.onnx/);
    expect(await attempt('/no/such/place')).toMatch(/no file or folder/);
  });
});
