// The shipped model against the source ONNX, and against a fresh export of it.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exportModel } from '#src/model/export.js';
import { openFolder } from '#src/model/folder.js';
import { largestDifference, runModel } from '#src/model/probe.js';
import { createTokenizer } from '#src/tokens/tokenizer.js';
import { GOLDEN_TEXTS } from '../golden/texts.js';
import { temporaryFolder } from '../run.js';
import { describeShared, sharedPath } from '../shared.js';

const SOURCE = 'models/bge-small-en-v1.5';

describeShared('the shipped bge-small-en-v1.5', () => {
  it('gives 200 texts of mixed length the hidden states of its source, to 1e-6', async () => {
    const { tokenizer, modelPath } = await openFolder(undefined, 'fp32');
    const encode = createTokenizer(tokenizer);
    const inputs = GOLDEN_TEXTS.map((text) => Int32Array.from(encode.encode(text, 512).ids)).map((ids) => ({
      ids,
      rows: 1,
      width: ids.length,
    }));
    let largest = 0;
    for (let start = 0; start < inputs.length; start += 50) {
      const some = inputs.slice(start, start + 50);
      const source = await runModel(sharedPath(`${SOURCE}/model.onnx`), 'last_hidden_state', some);
      largest = Math.max(largest, largestDifference(source, await runModel(modelPath, 'last_hidden_state', some)));
    }
    expect(new Set(inputs.map((input) => input.width)).size).toBeGreaterThan(80);
    expect(largest).toBeLessThan(1e-6);
  }, 600_000);

  it('is what export makes of the source, byte for byte', async () => {
    const { manifest } = await openFolder(undefined, 'fp32');
    const fresh = await exportModel(sharedPath(SOURCE), join(temporaryFolder(), 'again'), { dtype: 'fp16', pooling: 'cls' });
    expect(fresh.manifest.files).toEqual(manifest.files);
    expect(fresh.manifest.weights).toEqual({ dtype: 'float16', total: 33_212_160, exact: 33_212_160, max_difference: 0 });
  });
});
