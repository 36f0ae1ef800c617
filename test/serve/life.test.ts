// The command as it is run: ready when it says so, alive until told, then drained; several models behind one server.
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BIN, runCli, temporaryFolder } from '../run.js';
import { bodyOf, metric, served, until } from './served.js';

const MODEL = fileURLToPath(new URL('../../models/bge-small-en-v1.5', import.meta.url));

interface Running {
  readonly child: ChildProcess;
  readonly url: string;
  readonly ended: Promise<number | null>;
  stderr(): string;
}

/** `embedkit serve` in a process of its own; settles when it says that it is ready. */
async function run(...args: string[]): Promise<Running> {
  const child = spawn(process.execPath, [BIN, 'serve', '--port', '0', '--threads', '1', ...args]);
  onTestFinished(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const readyLine = /^embedkit: .* ready at (http:\S+)$/m;
  await until(() => readyLine.test(stderr) || child.exitCode !== null);
  return { child, url: readyLine.exec(stderr)?.[1] as string, ended, stderr: () => stderr };
}

const post = (url: string, texts: string[]): Promise<Response> =>
  fetch(`${url}/embed`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ texts }) });

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);

describe('embedkit serve', () => {
  it('says in one line that it is ready, finishes what it took when told to end, and leaves nothing behind', async () => {
    // Far longer than the work takes, so that a drain which waits for it to pass is seen.
    const { child, url, ended, stderr } = await run('--drain-timeout', '100');
    expect(stderr()).toMatch(/^embedkit: bge-small-en-v1.5 \(int8, 1 engine\) ready at http:\/\/127\.0\.0\.1:\d+\n$/);
    const engines = childrenOf(child.pid as number);
    expect(engines.length).toBe(1);
    const asked = post(url, Array(100).fill('some words to keep an engine busy for a moment or two'));
    await until(async () => (await metric(url, 'embeddings_queue_texts')) > 0);
    child.kill('SIGTERM');
    const answer = await asked;
    expect(answer.headers.get('connection')).toBe('close');
    expect([answer.status, (await bodyOf(answer)).embeddings.length]).toEqual([200, 100]);
    expect(await ended).toBe(0);
    await expect(post(url, ['a'])).rejects.toThrow();
    expect(engines.filter(isAlive)).toEqual([]);
  });

  it('cuts off what does not end in time, and says so', async () => {
    const { child, url, ended, stderr } = await run('--drain-timeout', '0.2');
    const asked = post(url, Array(1500).fill('some words to keep an engine busy for a moment or two')).then(
      () => 'answered',
      () => 'cut off',
    );
    await until(async () => (await metric(url, 'embeddings_queue_texts')) > 0);
    child.kill('SIGINT');
    expect([await asked, await ended]).toEqual(['cut off', 143]);
    expect(stderr()).toMatch(/embedkit: requests were cut off after 0.2 s; raise --drain-timeout/);
  });

  it('goes on while nobody reads its log, and loses no line of it', async () => {
    const { child, url, ended, stderr } = await run();
    child.stderr?.pause();
    // More than a pipe holds.
    for (let sent = 0; sent < 1500; sent++) expect((await post(url, [])).status).toBe(200);
    child.stderr?.resume();
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(stderr().match(/"status":200/g)).toHaveLength(1500);
  });

  it('takes its engines along when it is killed', async () => {
    const { child } = await run('--quiet');
    const engines = childrenOf(child.pid as number);
    child.kill('SIGKILL');
    await until(() => !engines.some(isAlive));
  });

  it.each([
    [['--model', 'nowhere'], /no model "nowhere"/],
    [['--model', 'a=bge-small-en-v1.5', 'a=bge-small-en-v1.5'], /two models are called a; give one another name/],
    [['--port', '70000'], /"70000" is not a port/],
    [['--threads', '0'], /--threads 0: not a whole number above 0/],
    [['--max-batch-tokens', '0'], /--max-batch-tokens 0: not a whole number above 0/],
    [['--host', '192.0.2.1'], /cannot listen on 192.0.2.1:.*choose another --host or --port/],
    [['--api-key-file', '/no/such/file'], /--api-key-file \/no\/such\/file/],
  ])('refuses %j with what to do', async (args, message) => {
    const ran = await runCli(['serve', '--port', '0', '--threads', '1', ...args]);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});

describe('several models', () => {
  it('answer by their names behind one server', async () => {
    const folder = join(temporaryFolder(), 'other');
    cpSync(MODEL, folder, { recursive: true });
    const path = join(folder, 'embedkit.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...manifest, name: 'other', source: 'made here', max_tokens: 8 }));
    const one = await served({ models: [{ folder: undefined }, { folder }, { name: 'third', folder }], threads: 1 });
    const long = 'one two three four five six seven eight nine';
    const tokensBy = async (asked: string | undefined): Promise<[string, number]> => {
      const { model, tokens } = await bodyOf<{ model: string; tokens: number }>(one.post('/embed', { texts: [long], model: asked }));
      return [model, tokens];
    };
    expect(await tokensBy(undefined)).toEqual(['bge-small-en-v1.5', 11]);
    expect(await tokensBy('other')).toEqual(['other', 8]);
    expect(await tokensBy('third')).toEqual(['third', 8]);
    const { models } = await bodyOf<{ models: object }>(fetch(`${one.url}/ready`));
    expect(models).toMatchObject({ other: { ready: true }, third: { ready: true } });
  });
});
