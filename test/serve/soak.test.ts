// A minute of the soak, ten thousand malformed requests, and the control of each: with TEST_SOAK=1, as .ci/run sets it; long runs are under benchmarks/.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

interface Soak {
  readonly holds: Readonly<Record<string, boolean>>;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly requests: number;
  readonly kills: readonly object[];
}

interface Malformed {
  readonly holds: Readonly<Record<string, boolean>>;
  /** Kind of request -> status -> how many. */
  readonly outcomes: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

function run<T>(script: string, ...args: string[]): Promise<{ code: number; result: T }> {
  const path = fileURLToPath(new URL(`../../benchmarks/serve/${script}`, import.meta.url));
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [path, ...args], { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (stdout === '') reject(new Error(stderr));
      else resolve({ code: error === null ? 0 : Number(error.code), result: JSON.parse(stdout) as T });
    });
  });
}

describe.runIf(process.env['TEST_SOAK'] === '1')('under steady load, with engines killed,', () => {
  it('every answer is that of embed, no request is lost, and memory is flat for a minute', async () => {
    const { code, result } = await run<Soak>('soak.mjs', '--minutes', '1', '--rate', '15', '--kill-every', '12');
    expect(result.holds).toEqual({ no_wrong_answer: true, no_lost_request: true, memory_is_flat: true });
    expect(code).toBe(0);
    expect(result.kills.length).toBeGreaterThanOrEqual(4);
    expect(result.outcomes['ok']).toBeGreaterThan(result.requests / 2);
  });

  it('a leak is found by the same check', async () => {
    const { code, result } = await run<Soak>('soak.mjs', '--minutes', '0.4', '--rate', '20', '--leak');
    expect([code, result.holds]).toEqual([1, { no_wrong_answer: true, no_lost_request: true, memory_is_flat: false }]);
  });
});

describe.runIf(process.env['TEST_SOAK'] === '1')('malformed requests to a server in a process of its own', () => {
  const WELL = { still_answers: true, no_server_error: true, none_hung: true };

  it('are each refused, and after ten thousand memory is flat', async () => {
    const { code, result } = await run<Malformed>('malformed.mjs', '--requests', '10000');
    expect([code, result.holds]).toEqual([0, { ...WELL, memory_is_flat: true }]);
    const statuses = Object.values(result.outcomes).flatMap(Object.entries);
    expect(statuses.reduce((sum, [, count]) => sum + count, 0)).toBe(10_000);
    expect(Object.keys(result.outcomes)).toHaveLength(12);
  });

  it('find a leak by the same check', async () => {
    const { code, result } = await run<Malformed>('malformed.mjs', '--requests', '2000', '--leak');
    expect([code, result.holds]).toEqual([1, { ...WELL, memory_is_flat: false }]);
  });
});
