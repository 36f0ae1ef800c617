// A native crash ends the process: the next starts take the texts apart that were in the engine, until the cause is in quarantine.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { watchCrashes } from '#src/job/crashes.js';
import { temporaryFolder } from '../run.js';

const SCRIPT = fileURLToPath(new URL('crashing-run.mjs', import.meta.url));
const POISON = 'arsenic';

function start(folder: string): { signal: string | null; said: Record<string, unknown> | undefined } {
  const { signal, stdout } = spawnSync(process.execPath, [SCRIPT, folder, POISON], { encoding: 'utf8' });
  return { signal, said: stdout === '' ? undefined : (JSON.parse(stdout) as Record<string, unknown>) };
}

function scene(poisoned: readonly number[], rows: number): string {
  const folder = temporaryFolder();
  const text = (row: number): string => `${poisoned.includes(row) ? POISON : 'water'} number ${row}`;
  writeFileSync(join(folder, 'in.jsonl'), Array.from({ length: rows }, (_, row) => `{"id":${row},"text":"${text(row)}"}\n`).join(''));
  return folder;
}

const jsonLines = (path: string): Record<string, unknown>[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('a text that crashes the process', () => {
  it.each([
    ['one', [17]],
    ['two in a window', [13, 17]],
    ['in the first and the last row', [0, 24]],
  ])('(%s) ends in quarantine, and all others in the output', (_, poisoned) => {
    const folder = scene(poisoned, 25);
    let crashes = 0;
    let end = start(folder);
    for (; end.signal !== null && crashes < 12; end = start(folder)) {
      expect(end.signal).toBe('SIGABRT');
      expect(existsSync(join(folder, 'out.jsonl'))).toBe(false);
      crashes++;
    }
    expect(end.said).toEqual({ rows: 25 - poisoned.length, quarantined: poisoned.length });
    expect(crashes).toBeLessThanOrEqual(2 * poisoned.length);
    expect(jsonLines(join(folder, 'out.jsonl')).map(({ id }) => Number(id))).toEqual(
      [...Array(25).keys()].filter((row) => !poisoned.includes(row)),
    );
    const bad = jsonLines(join(folder, 'out.jsonl.quarantine.jsonl'));
    expect(bad.map(({ id, code }) => [Number(id), code])).toEqual(poisoned.map((row) => [row, 'engine-failed']));
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});

describe('watchCrashes', () => {
  it('blames a text that was alone in the engine at a second crash, and none for a kill at its first', async () => {
    const folder = temporaryFolder();
    (await watchCrashes(folder)).sent(['a', 'b']);
    const second = await watchCrashes(folder);
    expect(['a', 'b', 'c'].map(second.isSuspect)).toEqual([true, true, false]);
    second.sent(['b']);
    const third = await watchCrashes(folder);
    expect(['a', 'b'].map(third.isBlamed)).toEqual([false, true]);
    // Alone, but for the first time.
    third.sent(['c']);
    const fourth = await watchCrashes(folder);
    expect([fourth.isBlamed('c'), fourth.isSuspect('c'), fourth.isBlamed('b')]).toEqual([false, true, true]);
    await fourth.end();
    expect((await watchCrashes(folder)).isBlamed('b')).toBe(false);
  });

  it('ends a loop of starts that keep no window, with its cause; a window kept begins a new count', async () => {
    const folder = temporaryFolder();
    const crash = async (keptOne: boolean): Promise<void> => {
      const watch = await watchCrashes(folder);
      if (keptOne) watch.progress();
      watch.sent(['one', 'two']);
    };
    for (let start = 0; start < 20; start++) await crash(false);
    await expect(crash(false)).rejects.toMatchObject({
      code: 'engine-failed',
      message: expect.stringMatching(
        /^the process has ended 20 times without an error .*; the last time the texts with content hash one, two were/,
      ),
    });
    const other = temporaryFolder();
    for (let start = 0; start < 40; start++) {
      const watch = await watchCrashes(other);
      if (start % 5 === 0) watch.progress();
      watch.sent([`text ${start}`, 'another']);
    }
  });

  it('forgets what it cannot read', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'in-flight'), '{"starts": 9, "susp');
    expect((await watchCrashes(folder)).isSuspect('a')).toBe(false);
  });
});
