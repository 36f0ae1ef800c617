// A named pipe as output: its reader gets all bytes, and neither a reader that does not come nor one that stands still holds a run that is told to stop.
import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { platform } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFifo } from '#src/columns/fifo.js';
import { BIN, temporaryFolder } from '../run.js';

function fifo(): string {
  const path = join(temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [path]);
  return path;
}

describe.runIf(platform() !== 'win32')('a named pipe', () => {
  it('is opened when its reader comes, and gives it all bytes and then its end', async () => {
    const path = fifo();
    const opening = openFifo(path, undefined);
    const reader = spawn('bash', ['-c', 'sleep 0.3; wc -c < "$0"', path]);
    let said = '';
    reader.stdout.on('data', (chunk) => {
      said += chunk;
    });
    const ended = new Promise((resolve) => reader.on('close', resolve));
    const sink = await opening;
    for (let block = 0; block < 8; block++) await sink.write(new Uint8Array(100_000));
    await sink.commit();
    await ended;
    expect([Number(said), sink.bytes]).toEqual([800_000, 800_000]);
  });

  it('without a reader is given up when told so', async () => {
    const stop = new AbortController();
    const opening = openFifo(fifo(), stop.signal);
    setTimeout(() => stop.abort(new Error('enough')), 250);
    await expect(opening).rejects.toThrow('enough');
  });

  it('whose reader goes away is closed-pipe', async () => {
    const path = fifo();
    const opening = openFifo(path, undefined);
    const reader = spawn('bash', ['-c', 'exec 3< "$0"; sleep 0.2', path]);
    const sink = await opening;
    await new Promise((resolve) => reader.on('close', resolve));
    const writing = async (): Promise<void> => {
      for (;;) await sink.write(new Uint8Array(100_000));
    };
    await expect(writing()).rejects.toMatchObject({ code: 'closed-pipe' });
    await sink.abort();
  });

  it.each(['no reader', 'a reader that stands still'])('with %s lets a signal end the command', async (which) => {
    const path = fifo();
    const input = join(temporaryFolder(), 'in.txt');
    writeFileSync(input, 'some text\n'.repeat(3000));
    const reader = which === 'no reader' ? undefined : spawn('bash', ['-c', 'exec 3< "$0"; sleep 60', path]);
    const child = spawn(process.execPath, [BIN, 'embed', input, '-o', path, '--to', 'jsonl', '--quiet'], { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.on('close', (code) => resolve(code)));
    await new Promise((resolve) => setTimeout(resolve, 4000));
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    reader?.kill();
  });
});
