// Measuring processes that go wrong: each ends in one sentence, and none is left behind.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startChild } from '#src/bench/child.js';
import { temporaryFolder } from '../run.js';

const WORKER = pathToFileURL(fileURLToPath(new URL('../../dist/cli/bench-worker.js', import.meta.url)));
const DEAF = `process.on('message', () => undefined); process.on('SIGTERM', () => undefined); setInterval(() => undefined, 1000);`;
const UNLUCKY = `process.on('message', () => { console.error('first\\nout of luck'); setTimeout(() => process.exit(3), 50); });`;

function script(text: string): URL {
  const path = join(temporaryFolder(), 'script.mjs');
  writeFileSync(path, text);
  return pathToFileURL(path);
}

describe('a measuring process', () => {
  it('answers in order, and hands over the code and hint of what it threw', async () => {
    const child = startChild(WORKER);
    const [facts, failure] = await Promise.allSettled([
      child.ask('facts'),
      child.ask('open', { model: { kind: 'folder', path: 'gone', precision: undefined }, threads: 1 }),
    ]);
    expect(facts).toMatchObject({ status: 'fulfilled', value: { peak_bytes: expect.any(Number), cpu_seconds: expect.any(Number) } });
    const reason = { name: 'EmbedkitError', code: 'usage', hint: expect.stringContaining('embedkit.json') };
    expect(failure).toMatchObject({ status: 'rejected', reason });
    await child.end();
    await expect(child.ask('facts')).rejects.toMatchObject({ code: 'engine-failed' });
  });

  it('that ends by itself is named with its last words', async () => {
    const child = startChild(script(UNLUCKY));
    await expect(child.ask('facts')).rejects.toThrow('a measuring process ended by itself (code 3): out of luck');
    await child.end();
  });

  it('that is killed says how, and what may help', async () => {
    const child = startChild(script(`process.on('message', () => process.kill(process.pid, 'SIGKILL'));`));
    const reason = { message: 'a measuring process was ended by SIGKILL', hint: expect.stringContaining('--threads') };
    await expect(child.ask('facts')).rejects.toMatchObject(reason);
  });

  it('ends with its signal, though it is deaf to everything else', async () => {
    const controller = new AbortController();
    const child = startChild(script(DEAF), controller.signal);
    const asking = child.ask('facts');
    controller.abort(new Error('stopped'));
    await expect(asking).rejects.toThrow('stopped');
    await child.end();
    expect(() => startChild(WORKER, controller.signal)).toThrow('stopped');
  });
});
