// Faults around a real run: another run, a disk that is full, a clock set back, an input that changes, an output folder that goes away.
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runJob } from '#src/job/run.js';
import { stubModel } from '../job/stub-model.js';
import { BIN, type Ran, runCli, temporaryFolder } from '../run.js';

const passages = readFileSync(new URL('../../examples/passages.jsonl', import.meta.url), 'utf8').split(/(?<=\n)/);
const args = (...more: string[]): string[] => ['embed', 'in.jsonl', '-o', 'out.parquet', '--threads', '1', '--window-rows', '20', ...more];

function scene(rows: number): string {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'in.jsonl'), passages.slice(0, rows).join(''));
  return cwd;
}

function begin(cwd: string): { ended: Promise<Ran>; kill: (signal: NodeJS.Signals) => void } {
  const child = spawn(process.execPath, [BIN, ...args()], { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<Ran>((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal, stdout: Buffer.alloc(0), stderr })),
  );
  return { ended, kill: (signal) => void child.kill(signal) };
}

const partsIn = (cwd: string): string[] => {
  const folder = join(cwd, '.embedkit-out.parquet.job');
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.arrow')) : [];
};

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function outputOf(rows: number): Promise<Buffer> {
  const cwd = scene(rows);
  expect((await runCli(args('--quiet'), { cwd })).code).toBe(0);
  return readFileSync(join(cwd, 'out.parquet'));
}

describe('two runs of one output', () => {
  it('at once: the second exits 4 and says who writes it; the first ends as if alone', async () => {
    const cwd = scene(120);
    const first = begin(cwd);
    await until(() => partsIn(cwd).length > 0);
    const second = await runCli(args(), { cwd });
    expect([second.code, second.stderr]).toEqual([
      4,
      expect.stringMatching(/^embedkit: process \d+ on .* is writing out\.parquet; wait for it, or remove .*\n$/),
    ]);
    expect((await first.ended).code).toBe(0);
    expect(readFileSync(join(cwd, 'out.parquet')).equals(await outputOf(120))).toBe(true);
  });
});

describe('kill -9 in the middle of the engine', () => {
  it('twice, then the clock set back: the third run goes on, to the same bytes', async () => {
    const cwd = scene(120);
    for (const parts of [1, 3]) {
      const run = begin(cwd);
      await until(() => partsIn(cwd).length >= parts);
      run.kill('SIGKILL');
      expect((await run.ended).signal).toBe('SIGKILL');
    }
    // The dead run's lock is of tomorrow now.
    const lock = join(cwd, '.embedkit-out.parquet.lock');
    execFileSync('touch', ['-d', 'tomorrow', lock]);
    const last = await runCli(args(), { cwd });
    expect([last.code, last.stderr]).toEqual([
      0,
      expect.stringMatching(/^going on with the unfinished run of out\.parquet: \d+ rows? done\n/),
    ]);
    expect(readFileSync(join(cwd, 'out.parquet')).equals(await outputOf(120))).toBe(true);
    expect(readdirSync(cwd).sort()).toEqual(['in.jsonl', 'out.parquet']);
  });
});

describe('an input that changes while it is read', () => {
  const config = (cwd: string) => ({
    input: { paths: [join(cwd, 'in.jsonl')] },
    output: { path: join(cwd, 'out.jsonl') },
    window: { rows: 20 },
  });
  const rowsIn = (cwd: string): number => readFileSync(join(cwd, 'out.jsonl'), 'utf8').trimEnd().split('\n').length;

  it('by growing: the rows that were read are whole', async () => {
    const cwd = scene(60);
    let grown = false;
    const onWindow = async (): Promise<void> => {
      if (!grown) appendFileSync(join(cwd, 'in.jsonl'), passages[100] as string);
      grown = true;
    };
    const summary = await runJob({ ...config(cwd), onWindow }, stubModel());
    expect([60, 61]).toContain(summary.rows);
    expect(rowsIn(cwd)).toBe(summary.rows);
  });

  it('by shrinking: what is left is whole, or put aside, and the next run takes the file as it is', async () => {
    const cwd = scene(200);
    let cut = false;
    const onWindow = async (): Promise<void> => {
      if (!cut) truncateSync(join(cwd, 'in.jsonl'), 5_000);
      cut = true;
    };
    const summary = await runJob({ ...config(cwd), onWindow }, stubModel());
    expect(summary.rowsIn).toBe(summary.embedded + summary.reused + summary.quarantined);
    expect(rowsIn(cwd)).toBe(summary.rows);
    const again = await runJob(config(cwd), stubModel());
    expect(again.rowsIn).toBeLessThan(20);
  });
});

describe('an output folder that goes away', () => {
  it('ends the run with a sentence', async () => {
    const folder = temporaryFolder();
    const cwd = join(folder, 'gone');
    mkdirSync(cwd);
    writeFileSync(join(folder, 'in.jsonl'), passages.slice(0, 60).join(''));
    const onWindow = async (): Promise<void> => rmSync(cwd, { recursive: true, force: true });
    const config = { input: { paths: [join(folder, 'in.jsonl')] }, output: { path: join(cwd, 'out.parquet') }, window: { rows: 10 } };
    await expect(runJob({ ...config, onWindow }, stubModel())).rejects.toMatchObject({
      code: 'output-unwritable',
      sentence: expect.stringMatching(/its folder does not exist; make the folder first$/),
    });
  });
});

const canMount = process.getuid?.() === 0 && process.platform === 'linux' && mountable();

function mountable(): boolean {
  try {
    execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('a disk that is full', () => {
  // A small tmpfs in a mount namespace of its own, which needs root: said where it is skipped.
  it.runIf(canMount)(
    'at any size from nothing to enough: a sentence and the old output, then the whole new one',
    async () => {
      const cwd = scene(80);
      const whole = await outputOf(80);
      const script = `
      mkdir -p disk && mount -t tmpfs -o size="$3" none disk && cd disk && echo old > out.parquet
      "$0" "$1" embed ../in.jsonl -o out.parquet --threads 1 --window-rows 20 2> ../said; code=$?
      cmp -s out.parquet <(echo old) && echo "$code old" || echo "$code new"
      mount -o remount,size=64m none . && "$0" "$1" embed ../in.jsonl -o out.parquet --threads 1 --window-rows 20 --quiet && cat out.parquet > ../new`;
      for (const size of ['16k', '48k', '96k', '160k', '224k', '288k', '1m']) {
        const said = execFileSync('unshare', ['-m', 'bash', '-c', script, process.execPath, BIN, '', size], { cwd, encoding: 'utf8' });
        expect(said.trim()).toMatch(/^(1 old|0 new)$/);
        if (said.startsWith('1'))
          expect(readFileSync(join(cwd, 'said'), 'utf8')).toMatch(
            /embedkit: cannot write .*: the disk is full; free some space and run again\n$/,
          );
        expect([size, readFileSync(join(cwd, 'new')).equals(whole)]).toEqual([size, true]);
      }
    },
    300_000,
  );
});
