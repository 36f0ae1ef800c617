// A quantization that is killed, interrupted or out of space leaves no half of a model, and nothing of the user's is lost.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { BIN } from '../run.js';
import { contentsOf, scene } from './scene.js';

vi.mock('#src/quantize/speed.js', () => ({
  measureSpeed: async () => ({ tokensPerText: 2, rows: 1, threads: 1, full: [1], int8: [2], ratio: 2 }),
}));

/** Starts a run in a process of its own and waits until it works. */
async function started(folder: string, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [BIN, 'quantize', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  child.on('error', () => undefined);
  while (!readdirSync(folder).some((name) => name.startsWith('out.tmp-')) && child.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return child;
}

const ended = (child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null; said: string }> =>
  new Promise((resolve) => {
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said += chunk;
    });
    child.on('close', (code, signal) => resolve({ code, signal, said }));
  });

describe('a run that is stopped', () => {
  it('by kill -9 leaves no output, and the next run takes away what it left', async () => {
    const { folder, model, text, out, run } = await scene();
    const child = await started(folder, [model, '--calib', text, '-o', out, '--quiet']);
    const end = ended(child);
    child.kill('SIGKILL');
    expect((await end).signal).toBe('SIGKILL');
    expect(existsSync(out)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.startsWith('out.tmp-'))).toHaveLength(1);
    await run();
    expect(readdirSync(folder).filter((name) => name.startsWith('out'))).toEqual(['out']);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s ends with %i and leaves nothing', async (signal, code) => {
    const { folder, model, text, out } = await scene();
    const before = readdirSync(folder).sort();
    const child = await started(folder, [model, '--calib', text, '-o', out, '--quiet']);
    const end = ended(child);
    child.kill(signal);
    expect(await end).toEqual({
      code,
      signal: null,
      said: expect.stringMatching(new RegExp(`^embedkit: \\w+ by ${signal}; nothing was put in place\\n$`)),
    });
    expect(readdirSync(folder).sort()).toEqual(before);
  });

  it('by a full disk ends with 1 in one sentence, and the old folder is as it was', async () => {
    const { folder, model, text, out, run } = await scene();
    await run();
    const [before, names] = [contentsOf(out), readdirSync(folder).sort()];
    // As in test/faults: a limit on file size stands in for the disk.
    const command = `trap '' XFSZ; ulimit -f 1; exec "$0" "$@"`;
    const args = ['quantize', model, '--calib', text, '-o', out, '--overwrite', '--quiet'];
    const { code, said } = await ended(spawn('bash', ['-c', command, process.execPath, BIN, ...args]));
    expect([code, said]).toEqual([
      1,
      expect.stringMatching(/^embedkit: [^\n]+ cannot be written: file too large[^\n]*; check space and permissions\n$/),
    ]);
    expect(contentsOf(out)).toEqual(before);
    expect(readdirSync(folder).sort()).toEqual(names);
  });
});
