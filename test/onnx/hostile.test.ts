// Bytes that are no ONNX model, and damaged ones: one sentence each, never a stack and never a half-written folder.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EmbedkitError } from '#src/errors.js';
import { exportModel } from '#src/model/export.js';
import { ModelProto } from '#src/onnx/proto.js';
import { readOnnx } from '#src/onnx/read.js';
import { temporaryFolder } from '../run.js';
import { makeExternal, tinyModel, writeTiny } from './tiny.js';

function expectSentence(error: unknown): asserts error is EmbedkitError {
  expect(error).toBeInstanceOf(EmbedkitError);
  expect((error as EmbedkitError).sentence).not.toMatch(/\n|\bat \S+:\d+/);
}

async function readingOf(bytes: Uint8Array): Promise<unknown> {
  const path = join(temporaryFolder(), 'model.onnx');
  writeFileSync(path, bytes);
  return readOnnx(path).catch((error: unknown) => error);
}

describe('readOnnx', () => {
  const whole = ModelProto.encode(tinyModel()).finish();

  it('reads the whole model, and any part of it or gives a sentence', async () => {
    expect(await readingOf(whole)).toMatchObject({ model: { graph: { name: 'tiny' } } });
    for (let length = 0; length < whole.length; length += 13) {
      const read = await readingOf(whole.subarray(0, length));
      if (read instanceof Error) expectSentence(read);
      else expect(read).toHaveProperty('model.graph.node.length');
    }
  });

  it('takes any bytes for a model with nodes, or gives a sentence', async () => {
    const random = fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
      const read = await readingOf(bytes);
      if (read instanceof Error) expectSentence(read);
      else expect(read).toHaveProperty('model.graph.node.length');
    });
    await fc.assert(random, { numRuns: 100 });
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
    const edit = (graph: { initializer?: object[] | null }): void => {
      const table = graph.initializer?.[0] as { externalData: { key: string; value: string }[] };
      makeExternal(table, 'w.bin', 192);
      table.externalData = table.externalData.map((entry) => (entry.key === 'offset' ? { key: 'offset', value } : entry));
    };
    const source = writeTiny(join(root, 'in'), tinyModel({ edit }));
    writeFileSync(join(source, 'w.bin'), new Uint8Array(1024));
    const error = await failureOf(source, root);
    expect(error.code).toBe('model-invalid');
    expect(error.message).toMatch(/w\.bin: tensor "embed\.word" is kept at byte (-8|NaN)/);
  });

  it('says so where the tokenizer is none', async () => {
    const root = temporaryFolder();
    const source = writeTiny(join(root, 'in'), tinyModel());
    writeFileSync(join(source, 'tokenizer.json'), '{"model":');
    expect((await failureOf(source, root)).message).toMatch(/tokenizer\.json: not a tokenizer that embedkit can use/);
  });
});
