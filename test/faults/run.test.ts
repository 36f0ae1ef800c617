// Faults injected for real into a running process: killed, interrupted, disk full, reader gone.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BIN, runCli, temporaryFolder } from '../run.js';

const passages = readFileSync(new URL('../../examples/passages.jsonl', import.meta.url), 'utf8');

/** A folder with an input that takes a while, and the arguments of a run over it. */
function scene(): { folder: string; output: string; args: string[] } {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'in.jsonl'), passages.repeat(4));
  const output = join(folder, 'out.parquet');
  return { folder, output, args: ['embed', join(folder, 'in.jsonl'), '-o', output, '--window-rows', '16', '--threads', '1'] };
}

const temporaries = (folder: string): string[] => readdirSync(folder).filter((name) => name.startsWith('.embedkit-'));

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

function exitOf(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })));
}

/** Starts a run and waits until its temporary file is there. */
async function startRun({ folder, args }: ReturnType<typeof scene>): Promise<ChildProcess> {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  await until(() => temporaries(folder).some((name) => name.endsWith('.job')));
  return child;
}

describe('a run that is stopped', () => {
  it('by kill -9 leaves no output, and the next run takes what it left away', async () => {
    const here = scene();
    const child = await startRun(here);
    const ended = exitOf(child);
    child.kill('SIGKILL');
    expect((await ended).signal).toBe('SIGKILL');
    expect(existsSync(here.output)).toBe(false);
    expect(temporaries(here.folder)).not.toEqual([]);
    const again = await runCli([...here.args, '--limit', '3']);
    expect(again.code).toBe(0);
    expect(temporaries(here.folder)).toEqual([]);
    expect(existsSync(here.output)).toBe(true);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s exits %i, and what the engine had in hand is not computed again', async (signal, code) => {
    const here = scene();
    const child = await startRun(here);
    const inFlight = join(here.folder, '.embedkit-out.parquet.job', 'in-flight');
    await until(() => existsSync(inFlight) && !readFileSync(inFlight, 'utf8').includes('"inFlight":[]'));
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said += chunk;
    });
    const ended = exitOf(child);
    child.kill(signal);
    // Pressed again out of impatience: it ends as it began to.
    setTimeout(() => child.kill(signal), 100);
    expect(await ended).toEqual({ code, signal: null });
    expect(said).toMatch(
      new RegExp(`^kept \\d+ rows: the same command goes on from there\\nembedkit: \\w+ by ${signal}; nothing was put in place\\n$`),
    );
    const kept = Number(/\d+/.exec(said)?.[0]);
    const summary = join(here.folder, 'summary.json');
    expect((await runCli([...here.args, '--summary', summary, '--limit', '320'])).code).toBe(0);
    expect(kept).toBeGreaterThan(0);
    expect(JSON.parse(readFileSync(summary, 'utf8')).reused).toBeGreaterThanOrEqual(kept);
    expect(temporaries(here.folder)).toEqual([]);
  });
});

describe('an output that cannot be written', () => {
  it('a full disk ends in one sentence, with the old file untouched', async () => {
    const here = scene();
    writeFileSync(here.output, 'the old one');
    // The limit on file size (in KiB) stands in for the disk; the signal that comes with it is ignored, so that write() fails.
    const command = `trap '' XFSZ; ulimit -f 64; exec "$0" "$@"`;
    const child = spawn('bash', ['-c', command, process.execPath, BIN, ...here.args, '--limit', '64']);
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    expect((await exitOf(child)).code).toBe(1);
    expect(said).toMatch(/^embedkit: cannot write .*out\.parquet: .*; .*\n$/);
    expect(readFileSync(here.output, 'utf8')).toBe('the old one');
    // What was finished is kept, and the same command with room enough goes on from it.
    expect(temporaries(here.folder)).toEqual(['.embedkit-out.parquet.job']);
    const again = await runCli([...here.args, '--limit', '64']);
    expect([again.code, again.stderr]).toEqual([0, expect.stringMatching(/\n\d+ of the 64 rows read, done by the run before\n/)]);
    const elsewhere = scene();
    await runCli([...elsewhere.args, '--limit', '64']);
    expect(readFileSync(here.output)).toEqual(readFileSync(elsewhere.output));
    expect(temporaries(here.folder)).toEqual([]);
  });

  it.runIf(existsSync('/dev/full'))('a device without space', async () => {
    const here = scene();
    const ran = await runCli(['embed', join(here.folder, 'in.jsonl'), '-o', '/dev/full', '--to', 'jsonl', '--limit', '2']);
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringMatching(/^embedkit: cannot write \/dev\/full: the disk is full; .*\n$/) });
  });

  it('a reader that goes away ends the run quietly with 141', () => {
    const here = scene();
    const script = `"$0" "$1" embed "$2" -o - --quiet --window-rows 16 | head -n 1 | wc -l; echo "\${PIPESTATUS[0]}"`;
    const said = execFileSync('bash', ['-c', script, process.execPath, BIN, join(here.folder, 'in.jsonl')], { encoding: 'utf8' });
    expect(
      said
        .split('\n')
        .map((line) => line.trim())
        .filter(Boolean),
    ).toEqual(['1', '141']);
  });
});
