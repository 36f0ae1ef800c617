// The client in a world without anything of Node, and under its name in this package.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { standIn, vectorOf } from './stand-in.js';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('browser.mjs', import.meta.url));

it('loads and works where there is only what browsers have', async () => {
  const server = await standIn({ manners: [{ status: 503 }, 'answer'] });
  const { stdout } = await run(process.execPath, ['--experimental-vm-modules', '--no-warnings', SCRIPT, server.url]);
  const { vectors, source, failed } = JSON.parse(stdout);
  expect(vectors).toEqual(['a', 'b'].map((text) => vectorOf(text, 'small')));
  expect(source).toMatchObject({ role: 'server', url: server.url });
  expect(failed).toBe('EmbedkitError usage');
});

it('is what embedkit/client means', async () => {
  const code = "import { createClient } from 'embedkit/client'; console.log(createClient({ server: 'http://h' }).circuit)";
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { cwd });
  expect(stdout).toBe('closed\n');
});
