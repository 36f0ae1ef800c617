// The encoder path on encoders beyond BERT: near full precision on unseen texts in both formats and outputs, safe by proof.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { emitEncoder, OUTPUT } from '#src/encoder/emit.js';
import type { Encoder } from '#src/encoder/encoder.js';
import { FUSED } from '#src/encoder/forms.js';
import { fp32Arithmetic } from '#src/encoder/fp32.js';
import { writeGraph } from '#src/onnx/write.js';
import { encoderPath } from '#src/quantize/encoder-path.js';
import { openMatMul } from '#src/quantize/matmul.js';
import { observe, writeTapped } from '#src/quantize/observe.js';
import type { QuantizedModel } from '#src/quantize/path.js';
import { proveSaturation } from '#src/quantize/saturation.js';
import { randomBatch } from '../encoder/random-encoder.js';
import { byRuntime, leastCosine } from '../encoder/run-emitted.js';
import { VARIED } from '../encoder/varied-encoder.js';
import type { Tensor } from '../reference/tensor.js';
import { temporaryFolder } from '../run.js';

async function quantized(encoder: Encoder, pooling: 'cls' | 'mean'): Promise<QuantizedModel> {
  const seen = [1, 2, 3, 4].map((seed) => randomBatch(encoder, 8, 5 + seed * 4, seed));
  const path = encoderPath(async () => encoder, pooling);
  const work = temporaryFolder();
  const observations = await observe(await writeTapped(await path.tapped(), work), seen, { threads: 1, work, sampleRows: 200 });
  const { matmul, close } = await openMatMul(1);
  try {
    return await path.quantize(observations, matmul, { weights: 'safe', headroom: 0.1, rows: 200, preScale: true });
  } finally {
    await close();
  }
}

describe.each(Object.keys(VARIED))('%s', (name) => {
  const encoder = (VARIED[name] as () => Encoder)();
  const matrices = encoder.layers.reduce((sum, layer) => sum + (layer.gate === undefined ? 6 : 7), 0);

  it.each(['cls', 'mean'] as const)('%s pooling', async (pooling) => {
    const model = await quantized(encoder, pooling);
    const unseen = randomBatch(encoder, 6, 14, 9);
    const output = pooling === 'cls' ? 'cls' : 'hidden';
    const full = emitEncoder(encoder, fp32Arithmetic(encoder), { form: FUSED, output });
    const expected = (await byRuntime(full, unseen, 'optimised'))[OUTPUT] as Tensor;
    for (const format of ['fused', 'qdq'] as const) {
      const emitted = model.emit(new Set(), format);
      const found = (await byRuntime(emitted, unseen, 'optimised'))[OUTPUT] as Tensor;
      expect(found.dims).toEqual(expected.dims);
      // The worst token of three gated layers of random weights; with anything wrong it is far from its own vector.
      expect(leastCosine(found, expected, encoder.hidden)).toBeGreaterThan(0.95);
      const path = join(temporaryFolder(), 'model.onnx');
      await writeGraph(emitted, path);
      expect(await proveSaturation(path)).toMatchObject({ matrices, unsafe: [] });
    }
  });
});
