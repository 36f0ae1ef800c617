// How a run ends when others do not play along: readers that go away, signals, input that never ends.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { BIN, runCli, temporaryFolder } from '../run.js';

interface Running {
  readonly child: ChildProcess;
  /** Exit code, signal and what stood on stderr. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stderr: string }>;
}

function start(args: readonly string[], cwd: string): Running {
  const child = spawn(process.execPath, [BIN, 'embed', ...args], { cwd, env: { ...process.env, EMBEDKIT_THREADS: '1' } });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdin.on('error', () => undefined);
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, stderr }));
  return { child, ended };
}

describe('a reader of -o - that goes away', () => {
  it('ends the run quietly with 141', async () => {
    const cwd = temporaryFolder();
    writeFileSync(`${cwd}/x.txt`, 'short\n'.repeat(2000));
    const { child, ended } = start(['x.txt', '-o', '-', '--window-rows', '64'], cwd);
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    child.stdout?.destroy();
    expect(await ended).toEqual({ code: 141, signal: null, stderr: '' });
    expect(readdirSync(cwd)).toEqual(['x.txt']);
  });
});

describe('a signal', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s ends a run whose input does not end, with %i', async (signal, code) => {
    const cwd = temporaryFolder();
    const { child, ended } = start(['-', '-o', 'out.parquet'], cwd);
    child.stdin?.write('{"text":"one row, and no end"}\n');
    // Its lock and its folder are there: the run has begun.
    await vi.waitFor(() => expect(readdirSync(cwd)).toHaveLength(2), { timeout: 20_000, interval: 50 });
    child.kill(signal);
    const end = await ended;
    expect([end.code, end.signal]).toEqual([code, null]);
    expect(end.stderr).toMatch(/^embedkit: \w+ by SIG\w+; nothing was put in place\n$/);
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe('input that never ends', () => {
  it('is left at --limit', async () => {
    const cwd = temporaryFolder();
    const { child, ended } = start(['-', '-o', 'out.jsonl', '--limit', '3', '--quiet'], cwd);
    const feed = (): void => {
      while (child.stdin?.writable && child.stdin.write('{"text":"again"}\n'.repeat(1000)));
    };
    child.stdin?.on('drain', feed);
    feed();
    expect(await ended).toEqual({ code: 0, signal: null, stderr: '' });
    expect(readdirSync(cwd)).toEqual(['out.jsonl']);
  });
});

describe('a variable that no flag has', () => {
  it('is named before anything else happens, and ends nothing', async () => {
    const { code, stderr } = await runCli(['inspect', '--help'], { env: { EMBEDKIT_MAX_MEMROY: '1GB', EMBEDKIT_MAX_MEMORY: '1GB' } });
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/^warning: EMBEDKIT_MAX_MEMROY is set, and no flag has that variable: [^\n]+\n$/),
    ]);
  });

  it('is named in JSON if asked', async () => {
    const { stderr } = await runCli(['inspect', '--help'], { env: { EMBEDKIT_X: '1', EMBEDKIT_LOG_FORMAT: 'json' } });
    expect(JSON.parse(stderr)).toEqual({ event: 'warning', message: expect.stringMatching(/^EMBEDKIT_X is set/) });
  });
});

describe('--log-format json', () => {
  it.each([
    [['embed', 'gone.jsonl', '-o', 'x.parquet', '--log-format=json'], {}, 1, 'input-not-found'],
    [['embed', '--nonsense', '--log-format', 'json'], {}, 2, 'usage'],
    [['embed', '--nonsense'], { EMBEDKIT_LOG_FORMAT: 'json' }, 2, 'usage'],
  ] as const)('makes %j with %j fail with one line of JSON', async (args, env, code, name) => {
    const ran = await runCli(args, { env });
    expect([ran.code, ran.stdout.length, ran.stderr.trimEnd().split('\n').length]).toEqual([code, 0, 1]);
    expect(JSON.parse(ran.stderr)).toEqual({ event: 'error', code: name, message: expect.any(String), hint: expect.any(String) });
  });

  it('gives way to a later flag that says text', async () => {
    const args = ['embed', '--nonsense', '--log-format=json', '--log-format', 'text'];
    const { stderr } = await runCli(args, { env: { EMBEDKIT_LOG_FORMAT: 'json' } });
    expect(stderr).toMatch(/^embedkit: unknown option '--nonsense'/);
  });
});
