// A folder in which a small model can be quantized, and what is in a folder.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportModel } from '#src/model/export.js';
import type { QuantizeOptions } from '#src/quantize/options.js';
import { type QuantizeOutcome, quantizeModel } from '#src/quantize/run.js';
import { temporaryFolder } from '../run.js';
import { productsModel } from './products-model.js';
import { writeSource, writeText } from './tiny-source.js';

/** A folder with a source, a model folder made of it, and calibration text. */
export async function scene() {
  const folder = temporaryFolder();
  const source = writeSource(join(folder, 'source'), productsModel());
  const model = join(folder, 'model');
  await exportModel(source, model, { dtype: 'fp16', pooling: 'mean' });
  const text = writeText(folder);
  const out = join(folder, 'out');
  const run = (options: Partial<QuantizeOptions> = {}): Promise<QuantizeOutcome> =>
    quantizeModel({ model, calibration: { paths: [text] }, out, threads: 1, ...options });
  return { folder, source, model, text, out, run };
}

/** Name -> SHA-256. */
export const contentsOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder).map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex'),
    ]),
  );
