// What the tests of hostile/ share: a run that must fail with one sentence and leave nothing behind.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { type RunOptions, runCli, temporaryFolder } from '../run.js';

// Most of these runs only start an engine to end it again.
const ONE_ENGINE = { EMBEDKIT_THREADS: '1' };

/** Writes these files into a folder of their own. */
export function folderWith(files: Readonly<Record<string, string | Buffer>>): string {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(files)) writeFileSync(`${folder}/${name}`, content);
  return folder;
}

/** Runs `embed` in a folder; it must end with this code and one line that matches, writing no output and leaving no temporary file. */
export async function expectRefusal(
  cwd: string,
  args: readonly string[],
  code: number,
  sentence: RegExp,
  options: RunOptions = {},
): Promise<void> {
  const before = readdirSync(cwd).sort();
  const ran = await runCli(['embed', ...args], { cwd, env: ONE_ENGINE, ...options });
  expect(ran.stderr).toMatch(/^embedkit: [^\n]+; [^\n]+\n$/);
  expect(ran.stderr).toMatch(sentence);
  expect(ran.stderr).not.toMatch(/ at .*\.js:\d|internal error/);
  expect([ran.code, ran.stdout.length]).toEqual([code, 0]);
  expect(readdirSync(cwd).sort()).toEqual(before);
  expect(existsSync(`${cwd}/out.parquet`)).toBe(before.includes('out.parquet'));
}
