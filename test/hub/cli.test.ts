// `pull`, `models` and `--model ORG/NAME` as a user runs them, against a hub on loopback.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exportModel } from '#src/model/export.js';
import { familyFolder, goldenOf, largest } from '../model/families.js';
import { BIN, type Ran, type RunOptions, runCli, temporaryFolder } from '../run.js';
import { familyFiles, noise, plainModel } from './cache.js';
import { type Hub, sha256, startHub } from './hub.js';

const PYTHON = process.env['TEST_PYTHON'] ?? '';
const hasHubLibrary = PYTHON !== '' && spawnSync(PYTHON, ['-c', 'import huggingface_hub']).status === 0;

interface Place {
  readonly folder: string;
  readonly cache: string;
  readonly env: Record<string, string>;
  run(...args: string[]): Promise<Ran>;
}

/** A folder to work in, and a cache that the hub fills. */
function place(hub?: Hub, more: Record<string, string> = {}): Place {
  const folder = temporaryFolder();
  const cache = join(folder, 'home/hub');
  const env = { HF_HOME: join(folder, 'home'), HF_ENDPOINT: hub?.endpoint ?? 'http://127.0.0.1:1', EMBEDKIT_THREADS: '1', ...more };
  const options: RunOptions = { cwd: folder, env };
  return { folder, cache, env, run: (...args) => runCli(args, options) };
}

const jsonOf = (ran: Ran): { models: Record<string, unknown>[] } => JSON.parse(ran.stdout.toString());

describe('pull and embed', () => {
  it('make vectors of a model of the hub in two commands: those of sentence-transformers', async () => {
    const hub = await startHub({ id: 'seeds/bert', files: await familyFiles('bert') });
    const { folder, run } = place(hub);
    const pulled = await run('pull', 'seeds/bert', '-o', 'bert');
    expect([pulled.code, pulled.stdout.toString()]).toEqual([0, 'bert\n']);
    expect(pulled.stderr).toMatch(/^seeds\/bert at [0-9a-f]{40}: .* fetched, all hashes right\nbert: bert, 32 dimensions/);
    const manifest = JSON.parse(readFileSync(join(folder, 'bert/embedkit.json'), 'utf8'));
    expect([manifest.name, manifest.source]).toEqual(['bert', `seeds/bert@${hub.commit}`]);
    expect(await run('pull', 'seeds/bert', '-o', 'bert', '--overwrite', '--quiet')).toMatchObject({ code: 0, stderr: '' });
    const logged = (await run('pull', 'seeds/bert', '-o', 'bert', '--overwrite', '--log-format', 'json')).stderr.trim().split('\n');
    expect(logged.map((line) => JSON.parse(line))).toMatchObject([
      { event: 'pulled', id: 'seeds/bert', commit: hub.commit, fetchedBytes: 0, form: 'safetensors' },
      { event: 'exported', folder: 'bert', name: 'bert', dim: 32 },
    ]);
    const { texts } = goldenOf('bert');
    writeFileSync(join(folder, 'in.jsonl'), texts.map(({ text }) => `${JSON.stringify({ text })}\n`).join(''));
    const embedded = await run('embed', 'in.jsonl', '-o', 'out.jsonl', '--model', './bert', '--prompt', 'none', '--quiet');
    expect([embedded.code, embedded.stderr]).toEqual([0, '']);
    const rows = readFileSync(join(folder, 'out.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).embedding as number[]);
    expect(rows.length).toBe(texts.length);
    expect(
      largest(texts, ({ vector }, row) => largest(vector, (value, at) => Math.abs(value - (rows[row]?.[at] as number)))),
    ).toBeLessThanOrEqual(1e-4);
  });

  it('a model folder on the hub is used from the cache by its name; the network is not asked', async () => {
    const source = temporaryFolder();
    // External data too: the runtime must find it beside the link, not beside the blob.
    await exportModel(familyFolder('bert'), join(source, 'model'), { inlineLimitBytes: 1000 });
    const names = readdirSync(join(source, 'model'));
    expect(names.some((name) => name.endsWith('.data'))).toBe(true);
    const hub = await startHub({
      id: 'seeds/ready',
      files: Object.fromEntries(names.map((name) => [name, readFileSync(join(source, 'model', name))])),
    });
    const { folder, run } = place(hub);
    const pulled = await run('pull', 'seeds/ready');
    expect(pulled.stderr).toMatch(/use it with --model seeds\/ready\n$/);
    const asked = hub.seen.length;
    writeFileSync(join(folder, 'in.jsonl'), '{"text": "a ferry"}\n');
    for (const [model, output] of [
      ['seeds/ready', 'a.jsonl'],
      [`seeds/ready@${hub.commit.slice(0, 10)}`, 'b.jsonl'],
      [join(source, 'model'), 'c.jsonl'],
    ] as const) {
      expect(await run('embed', 'in.jsonl', '-o', output, '--model', model, '--quiet')).toMatchObject({ code: 0, stderr: '' });
    }
    expect(readFileSync(join(folder, 'a.jsonl'))).toEqual(readFileSync(join(folder, 'c.jsonl')));
    expect(readFileSync(join(folder, 'b.jsonl'))).toEqual(readFileSync(join(folder, 'c.jsonl')));
    expect(hub.seen.length).toBe(asked);
    expect((await run('pull', 'seeds/ready', '-o', 'x')).stderr).toMatch(
      /is a model folder as it is: there is nothing to export; leave -o out, and say --model seeds\/ready/,
    );
  });

  it('--model says what to run where the model is not there, or not a model folder yet', async () => {
    const hub = await startHub({ id: 'seeds/bert', files: await familyFiles('bert') });
    const { folder, run } = place(hub);
    writeFileSync(join(folder, 'in.jsonl'), '{"text": "a ferry"}\n');
    const embed = (model: string) => run('embed', 'in.jsonl', '-o', 'out.jsonl', '--model', model);
    expect(await embed('seeds/bert')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no model "seeds\/bert".*embedkit pull seeds\/bert\b/),
    });
    expect(hub.seen).toEqual([]);
    await run('pull', 'seeds/bert');
    const first = await embed('seeds/bert');
    expect(first.code).toBe(2);
    const command = /make one with embedkit (export seeds\/bert -o bert),/.exec(first.stderr)?.[1] ?? '';
    expect(await run(...command.split(' '))).toMatchObject({ code: 0 });
    expect(JSON.parse(readFileSync(join(folder, 'bert/embedkit.json'), 'utf8'))).toMatchObject({
      name: 'bert',
      source: `seeds/bert@${hub.commit}`,
    });
    expect((await embed('bert')).code).toBe(0);
    expect((await embed('seeds/bert@v3')).stderr).toMatch(/no model "seeds\/bert@v3".*seeds\/bert@[0-9a-f]{12}/);
    // A folder of that name comes first.
    await cp(join(folder, 'bert'), join(folder, 'seeds/bert'), { recursive: true });
    expect((await embed('seeds/bert')).code).toBe(0);
  });

  it('refuses an output that is there before it fetches anything', async () => {
    const hub = await startHub({ files: plainModel(noise(5000)) });
    const { folder, run } = place(hub);
    writeFileSync(join(folder, 'there'), '');
    expect(await run('pull', 'org/tiny', '-o', 'there')).toMatchObject({ code: 2, stderr: expect.stringMatching(/there exists; /) });
    expect(hub.seen).toEqual([]);
  });

  it('says how a name is written', async () => {
    expect(await place().run('pull', 'plain-name')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/is no name of a model on the hub; write ORG\/NAME/),
    });
  });
});

describe('a pull that is killed', () => {
  it('goes on where it was: kill -9 half-way, and every byte is sent once', async () => {
    const weights = noise(4 * 2 ** 20, 11);
    const half = 2 * 2 ** 20;
    const hub = await startHub({
      files: plainModel(weights),
      fault: ({ at }, count) => (at === 'storage' && count === 1 ? { stallAfter: half } : undefined),
    });
    const { folder, cache, env, run } = place(hub);
    const partial = join(cache, `models--org--tiny/blobs/${sha256(weights)}.embedkit.incomplete`);
    const child = spawn(process.execPath, [BIN, 'pull', 'org/tiny'], { cwd: folder, env: { ...process.env, ...env }, stdio: 'ignore' });
    const ended = new Promise((resolve) => child.on('close', (_, signal) => resolve(signal)));
    while (!existsSync(partial) || statSync(partial).size < half) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');
    const again = await run('pull', 'org/tiny');
    expect(again).toMatchObject({ code: 0, stderr: expect.stringMatching(/2\.00 MiB fetched/) });
    expect(sha256(readFileSync(join(again.stdout.toString().trim(), 'model.safetensors')))).toBe(sha256(weights));
    expect(hub.sent.get('model.safetensors')).toBe(weights.length);
    expect(existsSync(partial)).toBe(false);
  });

  it('says so when it is interrupted', async () => {
    const hub = await startHub({
      files: plainModel(noise(300_000, 12)),
      fault: ({ at }) => (at === 'storage' ? { stallAfter: 1000 } : undefined),
    });
    const { folder, env } = place(hub);
    const child = spawn(process.execPath, [BIN, 'pull', 'org/tiny'], { cwd: folder, env: { ...process.env, ...env } });
    const said: Buffer[] = [];
    child.stderr.on('data', (chunk) => said.push(chunk));
    const ended = new Promise((resolve) => child.on('close', resolve));
    while ((hub.sent.get('model.safetensors') ?? 0) < 1000) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(Buffer.concat(said).toString()).toBe('embedkit: interrupted by SIGINT; what has arrived is kept: the same command goes on\n');
  });
});

describe('a disk with no room', () => {
  it('ends in a sentence; with room the same command goes on', async () => {
    const weights = noise(400_000, 13);
    const hub = await startHub({ files: plainModel(weights) });
    const { folder, cache, env, run } = place(hub);
    // bash counts in 1024 bytes; without the signal the write itself fails.
    const command = `trap '' XFSZ; ulimit -f 100; exec "$0" "$@"`;
    const child = spawn('bash', ['-c', command, process.execPath, BIN, 'pull', 'org/tiny'], {
      cwd: folder,
      env: { ...process.env, ...env },
    });
    const said: Buffer[] = [];
    child.stderr.on('data', (chunk) => said.push(chunk));
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(1);
    expect(Buffer.concat(said).toString()).toMatch(/^embedkit: cannot write .*\.incomplete: [^\n]+; [^\n]+\n$/);
    const partial = join(cache, `models--org--tiny/blobs/${sha256(weights)}.embedkit.incomplete`);
    expect(statSync(partial).size).toBe(102_400);
    expect((await run('pull', 'org/tiny')).code).toBe(0);
    expect(hub.seen.filter(({ at }) => at === 'storage').map(({ range }) => range)).toEqual([undefined, 'bytes=102400-']);
    expect((await run('models', 'verify', 'org/tiny')).code).toBe(0);
  });
});

describe('two pulls at once', () => {
  it('do not spoil each other', async () => {
    const weights = noise(300_000, 12);
    const slow = { slow: { bytes: 20_000, everyMs: 100 } };
    const hub = await startHub({ files: plainModel(weights), fault: ({ at }) => (at === 'storage' ? slow : undefined) });
    const { run } = place(hub);
    const both = await Promise.all([run('pull', 'org/tiny'), run('pull', 'org/tiny')]);
    expect(both.map(({ code }) => code).sort()).toEqual([0, 4]);
    expect(both.find(({ code }) => code === 4)?.stderr).toMatch(/process \d+ on .* is writing org\/tiny in the cache; wait for it/);
    expect(hub.sent.get('model.safetensors')).toBe(weights.length);
  });
});

describe('models', () => {
  it('are listed, described, verified and removed', async () => {
    const hub = await startHub({ id: 'seeds/bert', files: await familyFiles('bert') });
    const { cache, run } = place(hub);
    expect((await run('models', 'list')).stdout.toString()).toMatch(
      /^name +revision +size +for embed\nbge-small-en-v1\.5 +shipped +\d+ MiB +ready\n$/,
    );
    await run('pull', 'seeds/bert');
    const first = hub.commit;
    const second = hub.change({ ...(await familyFiles('bert')), 'added_tokens.json': '{}' });
    await run('pull', 'seeds/bert');
    const table = (await run('models', 'list')).stdout.toString();
    expect(table).toMatch(new RegExp(`\\nseeds/bert +${first.slice(0, 12)} +\\S+ MiB +export first\\n`));
    expect(table).toMatch(new RegExp(`\\nseeds/bert +main ${second.slice(0, 12)} +\\S+ MiB +export first\\n`));
    expect(jsonOf(await run('models', 'list', '--json')).models).toMatchObject([
      { name: 'bge-small-en-v1.5', origin: 'shipped', commit: null, state: 'ready' },
      ...[first, second]
        .sort()
        .map((commit) => ({ name: 'seeds/bert', origin: 'hub', commit, refs: commit === second ? ['main'] : [], state: 'export' })),
    ]);

    const info = (await run('models', 'info', 'seeds/bert')).stdout.toString();
    expect(info).toMatch(new RegExp(`commit +${second}\\nrefs +main\\n`));
    expect(info).toMatch(/for embed +first embedkit export seeds\/bert@\w+ -o bert\n/);
    expect(info).toMatch(/\n1_Pooling\/config\.json +0\.00 MiB\n/);
    expect((await run('models', 'info', 'bge-small-en-v1.5')).stdout.toString()).toMatch(/commit +shipped\n(.*\n)*dimensions +384\n/);
    expect(await run('models', 'info', 'seeds/none')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/embedkit pull seeds\/none/),
    });

    expect(await run('models', 'verify')).toMatchObject({ code: 0, stderr: '' });
    const blob = join(cache, 'models--seeds--bert/blobs', sha256(readFileSync(join(familyFolder('bert'), 'model.safetensors'))));
    const bytes = readFileSync(blob);
    bytes[9] = (bytes[9] as number) ^ 1;
    writeFileSync(blob, bytes);
    const wrong = await run('models', 'verify', 'seeds/bert');
    expect(wrong).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/files of seeds\/bert are not what they should be; embedkit pull/),
    });
    expect(wrong.stdout.toString()).toContain(`\n${blob}: its bytes have another hash than its name says\n`);
    await run('pull', 'seeds/bert');
    rmSync(
      join(
        cache,
        'models--seeds--bert/blobs',
        readdirSync(join(cache, 'models--seeds--bert/blobs')).find((name) => name.length === 40) ?? '',
      ),
    );
    expect(jsonOf(await run('models', 'verify', 'seeds/bert', '--json')).models[0]?.['problems']).toMatchObject([
      { problem: 'leads to no blob' },
      { problem: 'leads to no blob' },
    ]);
    await run('pull', 'seeds/bert');
    expect(await run('models', 'verify', 'seeds/bert')).toMatchObject({ code: 0 });

    const blobs = () => readdirSync(join(cache, 'models--seeds--bert/blobs')).length;
    const before = blobs();
    const removed = await run('models', 'rm', `seeds/bert@${second.slice(0, 9)}`);
    expect(removed.stdout.toString()).toMatch(
      new RegExp(`^removed seeds/bert@${second.slice(0, 12)} \\(.*${second}\\): 0\\.00 MiB freed\\n$`),
    );
    expect(blobs()).toBe(before - 1);
    expect(readdirSync(join(cache, 'models--seeds--bert/refs'))).toEqual([]);
    expect((await run('models', 'rm', 'seeds/bert')).stdout.toString()).toMatch(
      /^removed seeds\/bert \(.*models--seeds--bert\): 0\.\d\d MiB freed\n$/,
    );
    expect(existsSync(join(cache, 'models--seeds--bert'))).toBe(false);
    expect(await run('models', 'rm', 'seeds/bert')).toMatchObject({ code: 2 });
    expect(await run('models', 'rm', 'bge-small-en-v1.5')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/comes with embedkit and stays/),
    });
  });
});

describe.runIf(hasHubLibrary)("Python's huggingface_hub (skipped where TEST_PYTHON has none)", () => {
  const python = (script: string, env: Record<string, string>) =>
    new Promise<string>((resolve, reject) => {
      const child = spawn(PYTHON, ['-c', script], {
        env: { ...process.env, ...env, HF_HUB_DISABLE_TELEMETRY: '1', HF_HUB_DISABLE_XET: '1' },
      });
      const out: Buffer[] = [];
      const said: Buffer[] = [];
      child.stdout.on('data', (chunk) => out.push(chunk));
      child.stderr.on('data', (chunk) => said.push(chunk));
      child.on('close', (code) =>
        code === 0 ? resolve(Buffer.concat(out).toString().trim()) : reject(new Error(Buffer.concat(said).toString())),
      );
    });

  it('finds what embedkit pulled, offline, and sees a sound cache', async () => {
    const hub = await startHub({ id: 'seeds/bert', files: await familyFiles('bert') });
    const { cache, env, run } = place(hub);
    const folder = (await run('pull', 'seeds/bert')).stdout.toString().trim();
    const script = `
import huggingface_hub as h
print(h.snapshot_download("seeds/bert"))
print(h.hf_hub_download("seeds/bert", "1_Pooling/config.json"))
info = h.scan_cache_dir()
print(len(info.warnings), [(r.repo_id, r.nb_files, sorted(v.commit_hash for v in r.revisions), sorted(r.refs)) for r in info.repos])`;
    const [snapshot, pooling, scanned] = (await python(script, { ...env, HF_HUB_OFFLINE: '1' })).split('\n');
    expect([snapshot, pooling]).toEqual([folder, join(folder, '1_Pooling/config.json')]);
    const files = readdirSync(join(cache, 'models--seeds--bert/blobs')).length;
    expect(scanned).toBe(`0 [('seeds/bert', ${files}, ['${hub.commit}'], ['main'])]`);
  });

  it('speaks to the loopback hub as it does to the real one, and embedkit takes over what it fetched', async () => {
    const hub = await startHub({ id: 'seeds/bert', files: await familyFiles('bert') });
    const { env, run } = place(hub);
    const folder = await python('import huggingface_hub as h; print(h.snapshot_download("seeds/bert"))', env);
    const pulled = await run('pull', 'seeds/bert');
    expect(pulled.stdout.toString().trim()).toBe(folder);
    expect(pulled.stderr).toMatch(/0\.00 MiB fetched/);
    expect(await run('models', 'verify', 'seeds/bert')).toMatchObject({ code: 0 });
  });
});
