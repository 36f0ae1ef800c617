// The real all-MiniLM-L6-v2 from safetensors to INT8: its gate, what STS-B loses, and whether mean pooling leaves a vector alone.
// Needs TEST_MINILM, the folder of the model.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';
import { openModel } from '#src/embedder/open.js';
import { exportModel } from '#src/model/export.js';
import { quantizeModel } from '#src/quantize/run.js';
import { rowOf } from '#src/vectors/matrix.js';
import { GOLDEN_TEXTS } from '../golden/texts.js';
import { temporaryFolder } from '../run.js';
import { describeShared, sharedPath } from '../shared.js';

vi.mock('#src/quantize/speed.js', () => ({
  measureSpeed: async () => ({ tokensPerText: 1, rows: 1, threads: 1, full: [1], int8: [1], ratio: 1 }),
}));

const FOLDER = process.env['TEST_MINILM'] ?? '';
const CALIBRATION = fileURLToPath(new URL('../../calibration/default.txt', import.meta.url));

describeShared('all-MiniLM-L6-v2 at INT8', () => {
  it.runIf(FOLDER !== '')(
    'keeps vectors, scores and bits (skipped without TEST_MINILM)',
    async () => {
      const folder = temporaryFolder();
      await exportModel(FOLDER, join(folder, 'model'), {});
      const sts = sharedPath('data/stsb/dev.tsv');
      const out = join(folder, 'int8');
      const { report } = await quantizeModel({
        model: join(folder, 'model'),
        calibration: { paths: [CALIBRATION] },
        evaluate: [sts],
        out,
        threads: 2,
      });
      const { cosine, evaluated, failures } = report.gate;
      console.log(`all-MiniLM-L6-v2: ${JSON.stringify({ method: report.method, cosine, evaluated, failures })}`);
      expect(report.method).toBe('encoder');
      expect(cosine.mean).toBeGreaterThanOrEqual(0.998);
      expect(failures).toEqual([]);
      for (const { kept } of evaluated) expect(kept).toBeGreaterThanOrEqual(0.995);
      expect(evaluated).toHaveLength(1);
      const model = await openModel(out, { threads: 1 });
      try {
        const texts = GOLDEN_TEXTS.filter((_, at) => at % 5 === 0);
        const together = await model.embed(texts);
        for (const [row, text] of texts.entries()) expect(rowOf(await model.embed([text]), 0)).toEqual(rowOf(together, row));
      } finally {
        await model.close();
      }
    },
    180_000,
  );
});
