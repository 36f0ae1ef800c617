// pyarrow at the other end of the pipe: columns of every type, readers that are slow or go away.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { BIN } from '../run.js';

const PYTHON = process.env['TEST_PYTHON'] ?? '';
const SCRIPT = fileURLToPath(new URL('./pipe.py', import.meta.url));
const suite = PYTHON === '' ? 'the pipe (skipped: TEST_PYTHON names no Python with pyarrow)' : 'the pipe';

function other(name: string): Promise<Record<string, unknown>> {
  const child = spawn(PYTHON, [SCRIPT, name, process.execPath, BIN]);
  let out = '';
  let said = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('close', (code) => (code === 0 ? resolve(JSON.parse(out)) : reject(new Error(said))));
  });
}

describe.skipIf(PYTHON === '')(suite, () => {
  it('lets columns of every type pass untouched, compressed or not, also beside a row that is put aside', async () => {
    const { columns, checks } = (await other('types')) as { columns: number; checks: number };
    expect(columns).toBeGreaterThan(50);
    // Four runs of four batches.
    expect(checks).toBe(4 * 4 * (columns + 1));
  });

  it('says of a type that it does not know', async () => {
    const { code, said } = await other('unknown');
    expect([code, said]).toEqual([1, expect.stringMatching(/^embedkit: standard input: cannot be read: Unrecognized type: "ListView"/)]);
  });

  it('ends with 141 where the reader goes away', async () => {
    expect(await other('gone')).toEqual({ code: 141, said: '' });
  });

  it('holds no more for a slow reader the longer it takes', async () => {
    const { code, answers, peaks } = (await other('slow')) as { code: number; answers: number; peaks: [number, number] };
    expect([code, answers]).toEqual([0, 160]);
    // 100 more batches are 200 MB of ballast and 75 MB of vectors; a collector that was late is some tens of MB.
    expect(peaks[1] - peaks[0]).toBeLessThan(130);
  });
});
