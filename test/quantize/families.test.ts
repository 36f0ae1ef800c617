// Every family of encoders that `export` knows, from safetensors to INT8 through the gate, by the path that rewrites the encoder.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { exportModel } from '#src/model/export.js';
import { quantizeModel } from '#src/quantize/run.js';
import { FAMILIES, familyFolder } from '../model/families.js';
import { temporaryFolder } from '../run.js';

const CALIBRATION = fileURLToPath(new URL('../../calibration/default.txt', import.meta.url));

// Three seconds a model, and not what this is about.
vi.mock('#src/quantize/speed.js', () => ({
  measureSpeed: async () => ({ tokensPerText: 1, rows: 1, threads: 1, full: [1], int8: [1], ratio: 1 }),
}));

const table: string[] = [];
const digits = (value: number): string => value.toFixed(5);

afterAll(() =>
  console.log(['family, path, cosine to full precision of held-out texts: mean, least; neighbours kept', ...table].join('\n')),
);

describe.each(FAMILIES)('%s', (name) => {
  it('passes the gate by the encoder path', async () => {
    const folder = temporaryFolder();
    await exportModel(familyFolder(name), join(folder, 'model'), {});
    const options = {
      model: join(folder, 'model'),
      calibration: { paths: [CALIBRATION] },
      out: join(folder, 'int8'),
      samples: 200,
      threads: 1,
    };
    const { installed, report } = await quantizeModel(options);
    const { cosine, overlap, failures } = report.gate;
    table.push(`${name}, ${report.method}, ${digits(cosine.mean)}, ${digits(cosine.minimum)}; ${(100 * overlap).toFixed(1)}%`);
    expect(report.method).toBe('encoder');
    expect([installed, failures]).toEqual([true, []]);
    expect(cosine.mean).toBeGreaterThanOrEqual(0.998);
  }, 60_000);
});
