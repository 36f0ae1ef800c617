// The lock beside an output: held by a living run, taken over from a dead one, never by two.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Holder, SILENCE_MS, takeLock } from '#src/job/lock.js';
import { temporaryFolder } from '../run.js';

const ignore = (): void => undefined;
const take = (path: string) => takeLock(path, 'out.parquet', ignore);

/** What a lock that is taken now says. */
async function holderNow(): Promise<Holder> {
  const path = join(temporaryFolder(), 'lock');
  const lock = await take(path);
  const holder = JSON.parse(readFileSync(path, 'utf8')) as Holder;
  await lock.release();
  return holder;
}

function leave(path: string, holder: Holder, secondsAgo = 0): void {
  writeFileSync(path, JSON.stringify(holder));
  const then = Date.now() / 1000 - secondsAgo;
  utimesSync(path, then, then);
}

describe('the lock', () => {
  it('removes what runs left that were killed on their way to it, not what living ones have there', async () => {
    const folder = temporaryFolder();
    const holder = await holderNow();
    leave(join(folder, 'lock.dead'), { ...holder, started: '1' });
    leave(join(folder, 'lock.living'), holder);
    writeFileSync(join(folder, 'lock.torn'), '');
    await (await take(join(folder, 'lock'))).release();
    expect(readdirSync(folder).sort()).toEqual(['lock.living', 'lock.torn']);
  });

  it('says who holds it, and is gone when released', async () => {
    const folder = temporaryFolder();
    const lock = await take(join(folder, 'lock'));
    expect(JSON.parse(readFileSync(join(folder, 'lock'), 'utf8'))).toMatchObject({ host: hostname(), pid: process.pid });
    await expect(take(join(folder, 'lock'))).rejects.toMatchObject({
      code: 'locked',
      exitCode: 4,
      sentence: expect.stringMatching(/^process \d+ on .* is writing out\.parquet; wait for it, or remove .*lock if no such run exists$/),
    });
    await lock.release();
    expect(readdirSync(folder)).toEqual([]);
    await (await take(join(folder, 'lock'))).release();
  });

  it('of a dead process is taken over at once, also where its number is in use again', async () => {
    const self = await holderNow();
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    for (const holder of [
      { ...self, token: 'dead', pid },
      { ...self, token: 'other', started: '1' },
    ]) {
      const path = join(temporaryFolder(), 'lock');
      leave(path, holder);
      const lock = await take(path);
      expect(JSON.parse(readFileSync(path, 'utf8')).token).not.toBe(holder.token);
      await lock.release();
    }
  });

  it.each([
    ['another host', { host: 'elsewhere' }],
    ['another boot', { boot: 'before' }],
    ['another namespace', { namespace: 'pid:[1]' }],
  ])('of %s stands until it has been silent for a minute', async (_, change) => {
    const self = await holderNow();
    const path = join(temporaryFolder(), 'lock');
    leave(path, { ...self, ...change, token: 'other', pid: 1 }, SILENCE_MS / 1000 - 10);
    await expect(take(path)).rejects.toMatchObject({ code: 'locked' });
    leave(path, { ...self, ...change, token: 'other', pid: 1 }, SILENCE_MS / 1000 + 5);
    await (await take(path)).release();
  });

  it('that says nothing readable stands for a minute too', async () => {
    const path = join(temporaryFolder(), 'lock');
    writeFileSync(path, '{"tok');
    await expect(take(path)).rejects.toMatchObject({ code: 'locked' });
    const then = Date.now() / 1000 - 100;
    utimesSync(path, then, then);
    await (await take(path)).release();
  });

  it('is not removed by a run that lost it', async () => {
    const path = join(temporaryFolder(), 'lock');
    const lock = await take(path);
    writeFileSync(path, '{"token":"of another"}');
    await lock.release();
    expect(existsSync(path)).toBe(true);
  });

  it('of a dead holder goes to one of many that ask at the same time', async () => {
    const self = await holderNow();
    const path = join(temporaryFolder(), 'lock');
    leave(path, { ...self, token: 'dead', started: '1' });
    const module = fileURLToPath(new URL('../../dist/job/lock.js', import.meta.url));
    const script = `
      const { takeLock } = await import(${JSON.stringify(module)});
      try { await takeLock(${JSON.stringify(path)}, 'out', () => {}); console.log('held'); setTimeout(() => {}, 1500); }
      catch (error) { console.log(error.code); }`;
    const outputs = await Promise.all(
      Array.from({ length: 8 }, () => {
        const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
        let said = '';
        child.stdout.on('data', (chunk) => {
          said += chunk;
        });
        return new Promise<string>((resolve) => child.on('close', () => resolve(said.trim())));
      }),
    );
    expect(outputs.filter((said) => said === 'held')).toHaveLength(1);
    expect(outputs.filter((said) => said === 'locked')).toHaveLength(7);
  });
});
