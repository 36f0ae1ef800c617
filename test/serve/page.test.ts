// The page at / in a real browser: it shows routes and models, compares two texts, and its policy stops what is not its own.
// Needs chromium (Debian: chromium) on the path; skipped elsewhere.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../run.js';
import { served, until } from './served.js';

const folders = (process.env.PATH ?? '').split(delimiter);
const chromium = folders.map((folder) => join(folder, 'chromium')).find((path) => existsSync(path));

interface Reply {
  readonly id?: number;
  readonly result?: { readonly targetId?: string; readonly sessionId?: string; readonly result?: { readonly value?: unknown } };
}

/** A page in a headless browser; returns what evaluates an expression in it. */
async function openPage(url: string): Promise<(expression: string) => Promise<unknown>> {
  const args = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${temporaryFolder()}`, '--remote-debugging-pipe'];
  const child = spawn(chromium as string, args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
  const waiting = new Map<number, (reply: Reply) => void>();
  let text = '';
  (child.stdio[4] as Readable).on('data', (chunk) => {
    const messages = (text + chunk).split('\0');
    text = messages.pop() as string;
    for (const message of messages) {
      const reply = JSON.parse(message) as Reply;
      waiting.get(reply.id ?? -1)?.(reply);
    }
  });
  let next = 0;
  const send = (method: string, params: object, sessionId?: string): Promise<Reply> => {
    const id = next++;
    (child.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve) => waiting.set(id, resolve));
  };
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  onTestFinished(() => {
    // In order: its processes write into its folder until they are gone.
    send('Browser.close', {});
    return gone;
  });
  const { targetId } = (await send('Target.createTarget', { url })).result ?? {};
  const { sessionId } = (await send('Target.attachToTarget', { targetId, flatten: true })).result ?? {};
  return async (expression) =>
    (await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true }, sessionId)).result?.result?.value;
}

describe.skipIf(chromium === undefined)('the page in Chromium (skipped where there is none)', () => {
  it('shows what is served, and how near two texts are', async () => {
    const one = await served();
    const evaluate = await openPage(one.url);
    const textOf = (id: string): Promise<unknown> => evaluate(`document.getElementById('${id}')?.textContent`);
    const compare = (first: string, other: string): Promise<unknown> =>
      evaluate(`{ const set = (id, value) => { document.getElementById(id).value = value; };
        set('one', ${first}); set('another', ${other}); set('prompt', 'none'); document.querySelector('button').click(); }`);
    await until(async () => /bge-small-en-v1.5: 384 dimensions/.test(String(await textOf('models'))));
    await until(async () => /POST\/v1\/embeddings/.test(String(await textOf('routes'))));
    await compare("'the same'", "'the same'");
    await until(async () => /cosine similarity 1.000 \(8 tokens, bge-small-en-v1.5\)/.test(String(await textOf('similarity'))));
    await compare("'<b>' + 'x'.repeat(40000)", "'other'");
    await until(async () => /text 0 has 40003 characters/.test(String(await textOf('similarity'))));
  });

  it('runs no script but its own, and asks no other server', async () => {
    const one = await served();
    const evaluate = await openPage(one.url);
    await until(async () => ((await evaluate("document.getElementById('routes')?.rows.length")) as number) > 0);
    const inline =
      "{ const s = document.createElement('script'); s.textContent = 'window.ran = true'; document.body.append(s); window.ran ?? 'not run' }";
    expect(await evaluate(inline)).toBe('not run');
    const blocked = `new Promise((resolve) => {
      addEventListener('securitypolicyviolation', (event) => resolve(event.violatedDirective));
      fetch('http://127.0.0.1:1/').catch(() => undefined);
    })`;
    expect(await evaluate(blocked)).toBe('connect-src');
  });
});
