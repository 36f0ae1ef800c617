// The runtime reports nothing of a run and leaves nothing of its own: not in the working directory, nor in the home or the temporary folder.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BIN, temporaryFolder } from '../run.js';

function leftBy(args: readonly string[], changes: NodeJS.ProcessEnv): string[] {
  const root = temporaryFolder();
  for (const name of ['cwd', 'home', 'tmp']) mkdirSync(join(root, name));
  writeFileSync(join(root, 'cwd', 'in.txt'), 'a text\n');
  const { CI: _, ...env } = process.env;
  const places = { HOME: join(root, 'home'), TMPDIR: join(root, 'tmp'), XDG_CACHE_HOME: '', XDG_DATA_HOME: '', XDG_STATE_HOME: '' };
  execFileSync(process.execPath, args, { cwd: join(root, 'cwd'), env: { ...env, ...places, ...changes }, stdio: 'ignore' });
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
}

const EMBED = [BIN, 'embed', 'in.txt', '-o', 'out.jsonl', '--threads', '2'];
const GRAPH = `const { openModel } = await import(${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)});
const model = await openModel(); await model.embed(['a text']); await model.close();`;

describe('the runtime', () => {
  it.each([
    ['the command', EMBED, ['cwd', 'cwd/in.txt', 'cwd/out.jsonl', 'home', 'tmp']],
    ['the library', ['--input-type=module', '-e', GRAPH], ['cwd', 'cwd/in.txt', 'home', 'tmp']],
  ] as const)('leaves nothing beside what %s wrote', (_, args, expected) => {
    expect(leftBy(args, {})).toEqual(expected);
  });

  it.runIf(process.platform === 'linux')('would leave something (control)', () => {
    expect(leftBy(EMBED, { ORT_DISABLE_TELEMETRY: '0' }).length).toBeGreaterThan(5);
  });
});
