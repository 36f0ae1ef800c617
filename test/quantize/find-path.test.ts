// Which path a model takes, and why: recognised is not enough, the encoder must give the source's outputs.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exportModel } from '#src/model/export.js';
import { openFolder } from '#src/model/folder.js';
import type { GraphProto } from '#src/onnx/proto.js';
import { ModelProto } from '#src/onnx/proto.js';
import { findPath } from '#src/quantize/find-path.js';
import type { QuantizePath } from '#src/quantize/path.js';
import { openSource } from '#src/quantize/source.js';
import { createTokenizer } from '#src/tokens/tokenizer.js';
import type { Pooling } from '#src/vectors/pool.js';
import { fixture } from '../encoder/golden.js';
import { temporaryFolder } from '../run.js';
import { port, productsModel } from './products-model.js';
import { MAX_TOKENS, TOKENIZER, writeSource } from './tiny-source.js';

const INT64 = 7;

/** A fixture's graph, edited, with its weights where they are found. */
async function edited(name: string, edit: (graph: GraphProto) => void): Promise<string> {
  const folder = writeSource(temporaryFolder(), name);
  const { model } = await fixture(name, edit);
  return writeSource(folder, ModelProto.create(model));
}

async function pathOf(source: string, pooling?: Pooling, dtype: 'fp16' | 'fp32' = 'fp32'): Promise<QuantizePath> {
  const work = temporaryFolder();
  await exportModel(source, join(work, 'model'), { dtype, pooling });
  const folder = await openFolder(join(work, 'model'), 'fp32');
  return findPath(folder, { tokenizer: createTokenizer(TOKENIZER), maxTokens: MAX_TOKENS, work });
}

describe('findPath', () => {
  it.each(['fp32', 'fp16'] as const)('takes an encoder stored as %s that gives the outputs of its source', async (dtype) => {
    const path = await pathOf(writeSource(temporaryFolder(), 'script-17'), 'mean', dtype);
    expect(path).toMatchObject({ method: 'encoder', fallback: undefined });
    expect((await path.tapped()).taps).toHaveLength(8);
  });

  it('does not believe in an encoder beneath a head that it cannot see through', async () => {
    const path = await pathOf(await edited('pooler', onlyPooler));
    expect(path.method).toBe('portable');
    expect(path.fallback).toMatch(/^[^\n]*the encoder read from the graph differs from it by [\d.e-]+ on probe texts$/);
    // Two layers of six maps, read at eight places, and the head, at its own.
    expect((await path.tapped()).taps).toHaveLength(9);
  });

  it('does not believe in an encoder whose graph does something after it', async () => {
    const source = await edited('script-17', (graph) => {
      const last = (graph.node ?? []).find(({ output }) => output?.[0] === 'last_hidden_state');
      if (last) last.output = ['before'];
      graph.node?.push({ opType: 'Tanh', name: 'after', input: ['before'], output: ['last_hidden_state'] } as never);
    });
    const path = await pathOf(source, 'mean');
    expect(path).toMatchObject({ method: 'portable', fallback: expect.stringMatching(/"after" \(Tanh\)|differs from it by/) });
  });

  it('says of any other graph why it goes in place', async () => {
    const path = await pathOf(writeSource(temporaryFolder(), productsModel()), 'mean');
    expect(path).toMatchObject({ method: 'portable', fallback: expect.stringMatching(/was not recognised at node "[^"]+" \(\w+\)$/) });
    expect((await path.tapped()).taps.map(({ name, channels }) => [name, channels])).toEqual([
      ['product0.left', 16],
      ['product1.fused', 24],
      ['product2.gemm', 16],
    ]);
  });

  it('refuses an input that embedkit cannot feed in one sentence', async () => {
    const model = productsModel({
      edit: (graph) => {
        graph.input?.push(port('position_ids', INT64, ['batch', 'sequence']) as never);
        graph.node?.unshift(
          {
            opType: 'Cast',
            name: 'cast',
            input: ['position_ids'],
            output: ['floats'],
            attribute: [{ name: 'to', type: 2, i: 1 }],
          } as never,
          { opType: 'Identity', name: 'same', input: ['floats'], output: ['positions'] } as never,
        );
      },
    });
    const folder = writeSource(temporaryFolder(), model);
    await expect(openSource(folder, 'mean', temporaryFolder())).rejects.toMatchObject({
      code: 'model-unsupported',
      message: 'the model wants an input "position_ids" (int64)',
      hint: expect.stringContaining('input_ids'),
    });
  });

  it('refuses an output in half precision in one sentence', async () => {
    const model = productsModel({
      edit: (graph) => {
        const last = graph.node?.at(-1);
        if (last) last.output = ['full'];
        graph.node?.push({
          opType: 'Cast',
          name: 'half',
          input: ['full'],
          output: ['last_hidden_state'],
          attribute: [{ name: 'to', type: 2, i: 10 }],
        } as never);
        graph.output = [port('last_hidden_state', 10, ['batch', 'sequence', 16]) as never];
      },
    });
    await expect(openSource(writeSource(temporaryFolder(), model), 'mean', temporaryFolder())).rejects.toMatchObject({
      code: 'model-unsupported',
      message: 'output "last_hidden_state" is float16, not float32',
    });
  });
});

function onlyPooler(graph: GraphProto): void {
  graph.output = (graph.output ?? []).filter(({ name }) => name === 'pooler_output');
}
