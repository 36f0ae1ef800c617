// A pull against a hub on loopback: what is fetched, where it goes, and that nothing is fetched twice.
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findSnapshot } from '#src/hub/cached.js';
import { pull } from '#src/hub/pull.js';
import { named, noise, plainModel, quickly, temporaryCache } from './cache.js';
import { gitHash, sha256, startHub } from './hub.js';

const REPO = 'models--org--tiny';
const WEIGHTS = noise(5000);

describe('a pull', () => {
  it('lays the cache out as the hub does: blobs by hash, relative links, a ref', async () => {
    const cache = temporaryCache();
    const hub = await startHub({ files: { ...plainModel(WEIGHTS), '1_Pooling/config.json': '{}' }, pageSize: 2 });
    const { commit, folder, bytes, fetchedBytes } = await pull('org/tiny', quickly(hub));
    expect(commit).toBe(hub.commit);
    expect(folder).toBe(join(cache, REPO, 'snapshots', commit));
    expect(readFileSync(join(cache, REPO, 'refs/main'), 'utf8')).toBe(commit);
    const blobs = [
      gitHash(Buffer.from('{"model_type":"bert"}')),
      gitHash(Buffer.from('{"model":{}}')),
      gitHash(Buffer.from('{}')),
      sha256(WEIGHTS),
    ];
    expect(readdirSync(join(cache, REPO, 'blobs')).sort()).toEqual(blobs.sort());
    expect(readlinkSync(join(folder, 'model.safetensors'))).toBe(`../../blobs/${sha256(WEIGHTS)}`);
    expect(readlinkSync(join(folder, '1_Pooling/config.json'))).toBe(`../../../blobs/${gitHash(Buffer.from('{}'))}`);
    expect(readFileSync(join(folder, 'model.safetensors')).equals(WEIGHTS)).toBe(true);
    expect([bytes, fetchedBytes]).toEqual([5000 + 21 + 12 + 2, 5000 + 21 + 12 + 2]);
    expect(readdirSync(join(cache, '.locks', REPO))).toEqual([]);
  });

  it('fetches one form of the weights and the settings around it, and nothing else', async () => {
    temporaryCache();
    const modules = '[{"type":"a.Pooling","path":"pool"},{"type":"a.Transformer","path":""},{"type":"a.Dense","path":"2_Dense"}]';
    const wanted = {
      ...plainModel(WEIGHTS),
      'modules.json': modules,
      'pool/config.json': '{}',
      '2_Dense/config.json': '{ }',
      '2_Dense/model.safetensors': 'dd',
    };
    const others = [
      'README.md',
      'pytorch_model.bin',
      'tf_model.h5',
      'flax_model.msgpack',
      'openvino/openvino_model.bin',
      'onnx/model.onnx',
      'vocab.txt',
      '2_Dense/pytorch_model.bin',
      '.gitattributes',
      '1_Other/config.json',
    ];
    const hub = await startHub({ files: { ...wanted, ...Object.fromEntries(others.map((path) => [path, path])) } });
    const { folder } = await pull('org/tiny', quickly(hub));
    expect([...hub.sent.keys()].sort()).toEqual(Object.keys(wanted).sort());
    const there = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => !statSync(join(folder, path)).isDirectory());
    expect(there.sort()).toEqual(Object.keys(wanted).sort());
  });

  it('asks for nothing but the list when all is there, and takes over what other libraries fetched', async () => {
    const cache = temporaryCache();
    const hub = await startHub({ files: plainModel(WEIGHTS) });
    await pull('org/tiny', quickly(hub));
    const before = hub.seen.length;
    expect((await pull('org/tiny', quickly(hub))).fetchedBytes).toBe(0);
    expect(hub.seen.slice(before).every(({ file }) => file === '')).toBe(true);
    expect(readdirSync(join(cache, REPO, 'blobs')).length).toBe(3);
  });

  it('shares blobs between revisions, and moves the ref with the branch', async () => {
    const cache = temporaryCache();
    const hub = await startHub({ files: plainModel(WEIGHTS) });
    const first = await pull('org/tiny', quickly(hub));
    const commit = hub.change({ ...plainModel(WEIGHTS), 'config.json': '{"model_type":"bert","a":1}' });
    const second = await pull('org/tiny@main', quickly(hub));
    expect([second.commit, second.fetchedBytes]).toEqual([commit, 27]);
    expect(readFileSync(join(cache, REPO, 'refs/main'), 'utf8')).toBe(commit);
    const pinned = await pull(`org/tiny@${first.commit}`, quickly(hub));
    expect([pinned.commit, pinned.fetchedBytes]).toEqual([first.commit, 0]);
    // A commit is no branch: nothing is named after it.
    expect(readdirSync(join(cache, REPO, 'refs'))).toEqual(['main']);
    expect((await findSnapshot(named('org/tiny')))?.commit).toBe(commit);
    expect((await findSnapshot(named(`org/tiny@${first.commit.slice(0, 8)}`)))?.commit).toBe(first.commit);
  });

  it('replaces a blob whose bytes are not what its name says', async () => {
    const cache = temporaryCache();
    const hub = await startHub({ files: plainModel(WEIGHTS) });
    const { folder } = await pull('org/tiny', quickly(hub));
    writeFileSync(join(cache, REPO, 'blobs', sha256(WEIGHTS)), noise(5000, 7));
    expect((await pull('org/tiny', quickly(hub))).fetchedBytes).toBe(5000);
    expect(readFileSync(join(folder, 'model.safetensors')).equals(WEIGHTS)).toBe(true);
  });

  it('puts a link over whatever lies in its place in the snapshot', async () => {
    temporaryCache();
    const hub = await startHub({ files: plainModel(WEIGHTS) });
    const { folder } = await pull('org/tiny', quickly(hub));
    for (const make of [
      () => writeFileSync(join(folder, 'config.json'), 'x'),
      () => symlinkSync('/nowhere', join(folder, 'config.json')),
    ]) {
      (await import('node:fs')).rmSync(join(folder, 'config.json'), { force: true });
      make();
      await pull('org/tiny', quickly(hub));
      expect(lstatSync(join(folder, 'config.json')).isSymbolicLink()).toBe(true);
      expect(readFileSync(join(folder, 'config.json'), 'utf8')).toBe('{"model_type":"bert"}');
    }
  });

  it('works without the network where HF_HUB_OFFLINE is set, from what is there', async () => {
    temporaryCache();
    const hub = await startHub({ files: plainModel(WEIGHTS) });
    const offline = { settings: { endpoint: 'http://127.0.0.1:1', token: undefined, offline: true, stallMs: 1000 } };
    await expect(pull('org/tiny', offline)).rejects.toMatchObject({ code: 'usage', message: /HF_HUB_OFFLINE/ });
    const { folder } = await pull('org/tiny', quickly(hub));
    expect(await pull('org/tiny', offline)).toMatchObject({ folder, fetchedBytes: null, selection: { form: 'safetensors' } });
  });
});

describe('a token', () => {
  it('goes to the hub and to no host that it redirects to', async () => {
    temporaryCache();
    const token = 'a-token-of-a-mirror';
    const hub = await startHub({ files: plainModel(WEIGHTS), token });
    await pull('org/tiny', quickly(hub, { token }));
    expect(hub.seen.filter(({ at }) => at === 'storage').map((one) => one.token)).toEqual([undefined]);
    const atHub = hub.seen.filter(({ at }) => at === 'hub');
    expect(atHub.length).toBeGreaterThan(5);
    expect(new Set(atHub.map((one) => one.token))).toEqual(new Set([`Bearer ${token}`]));
  });

  it('does not follow the list of files to another host either', async () => {
    temporaryCache();
    const other = await startHub({ files: plainModel(WEIGHTS) });
    const hub = await startHub({
      files: plainModel(WEIGHTS),
      fault: ({ url }) => (url.includes('/tree/') ? { status: 302, headers: { location: `${other.endpoint}${url}` } } : undefined),
    });
    await pull('org/tiny', quickly(hub, { token: 'secret' }));
    expect(other.seen.map(({ token }) => token)).toEqual([undefined]);
  });
});

describe('breaks', () => {
  it('resume each time where they were: five breaks, and no byte sent twice', async () => {
    temporaryCache();
    const weights = noise(6 * 2 ** 20, 3);
    const at = 2 ** 20 + 77;
    const hub = await startHub({
      files: plainModel(weights),
      fault: ({ at: where }, count) => (where === 'storage' && count <= 5 ? { breakAfter: at } : undefined),
    });
    const waits: string[] = [];
    const { folder, fetchedBytes } = await pull(
      'org/tiny',
      quickly(hub, { patience: { attempts: 2, firstWaitMs: 1, longestWaitMs: 5 }, onNotice: (said) => waits.push(said) }),
    );
    expect(sha256(readFileSync(join(folder, 'model.safetensors')))).toBe(sha256(weights));
    expect(hub.seen.filter(({ at: where }) => where === 'storage').map(({ range }) => range)).toEqual(
      [undefined, 1, 2, 3, 4, 5].map((n) => n && `bytes=${n * at}-`),
    );
    expect(hub.sent.get('model.safetensors')).toBe(weights.length);
    expect(fetchedBytes).toBe(weights.length + 33);
    expect(waits.length).toBe(5);
  });

  it('of a server that knows no ranges keep what is there', async () => {
    temporaryCache();
    const weights = noise(900_000, 4);
    const hub = await startHub({
      files: plainModel(weights),
      fault: ({ at }, count) => (at === 'storage' ? { noRanges: true, ...(count <= 2 && { breakAfter: count * 300_000 }) } : undefined),
    });
    const { folder, fetchedBytes } = await pull('org/tiny', quickly(hub));
    expect(readFileSync(join(folder, 'model.safetensors')).equals(weights)).toBe(true);
    // Kept, though sent again.
    expect(fetchedBytes).toBe(weights.length + 33);
  });

  it('leave a partial file that the next pull goes on with, and a wrong one is fetched whole', async () => {
    const cache = temporaryCache();
    const weights = noise(400_000, 5);
    const partial = join(cache, REPO, 'blobs', `${sha256(weights)}.embedkit.incomplete`);
    const isBroken = { now: true };
    const hub = await startHub({
      files: plainModel(weights),
      fault: ({ at }, count) => (at === 'storage' && isBroken.now ? (count === 1 ? { breakAfter: 150_000 } : { status: 503 }) : undefined),
    });
    await expect(pull('org/tiny', quickly(hub))).rejects.toMatchObject({ code: 'server-failed', message: /status 503/ });
    expect(statSync(partial).size).toBe(150_000);
    expect(existsSync(join(cache, REPO, 'refs/main'))).toBe(false);
    isBroken.now = false;
    expect((await pull('org/tiny', quickly(hub))).fetchedBytes).toBe(250_000);
    expect(existsSync(partial)).toBe(false);

    // As after a power loss: the length is there, the bytes are not.
    for (const spoilt of [Buffer.alloc(150_000), Buffer.alloc(500_000), Buffer.alloc(400_000)]) {
      (await import('node:fs')).rmSync(join(cache, REPO, 'blobs', sha256(weights)));
      writeFileSync(partial, spoilt);
      const { folder } = await pull('org/tiny', quickly(hub));
      expect(readFileSync(join(folder, 'model.safetensors')).equals(weights)).toBe(true);
      expect(existsSync(partial)).toBe(false);
    }
  });
});
