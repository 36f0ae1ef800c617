// A minute of the soak, and its control: with TEST_SOAK=1, as .ci/run sets it; long runs are under benchmarks/.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

interface Soak {
  readonly holds: Readonly<Record<string, boolean>>;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly requests: number;
  readonly kills: readonly object[];
}

const SCRIPT = fileURLToPath(new URL('../../benchmarks/serve/soak.mjs', import.meta.url));

function soak(...args: string[]): Promise<{ code: number; result: Soak }> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [SCRIPT, ...args], { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (stdout === '') reject(new Error(stderr));
      else resolve({ code: error === null ? 0 : Number(error.code), result: JSON.parse(stdout) as Soak });
    });
  });
}

describe.runIf(process.env['TEST_SOAK'] === '1')('under steady load, with engines killed,', () => {
  it('every answer is that of embed, no request is lost, and memory is flat for a minute', async () => {
    const { code, result } = await soak('--minutes', '1', '--rate', '15', '--kill-every', '12');
    expect(result.holds).toEqual({ no_wrong_answer: true, no_lost_request: true, memory_is_flat: true });
    expect(code).toBe(0);
    expect(result.kills.length).toBeGreaterThanOrEqual(4);
    expect(result.outcomes['ok']).toBeGreaterThan(result.requests / 2);
  });

  it('a leak is found by the same check', async () => {
    const { code, result } = await soak('--minutes', '0.4', '--rate', '20', '--leak');
    expect([code, result.holds]).toEqual([1, { no_wrong_answer: true, no_lost_request: true, memory_is_flat: false }]);
  });
});
