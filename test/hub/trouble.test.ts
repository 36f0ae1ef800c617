// Everything that a hub, a proxy or a disk can do to a pull: tried again where that helps, else one sentence with what to do.

import { existsSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EmbedkitError } from '#src/errors.js';
import { type PullOptions, pull } from '#src/hub/pull.js';
import { hubSettings } from '#src/hub/settings.js';
import { noise, plainModel, quickly, temporaryCache } from './cache.js';
import { type Fault, type Hub, type HubOptions, type Seen, sha256, startHub } from './hub.js';
import { startProxy } from './proxy.js';

const WEIGHTS = noise(300_000, 9);
const BLOB = sha256(WEIGHTS);

const hubWith = (fault: HubOptions['fault'], more: Partial<HubOptions> = {}): Promise<Hub> =>
  startHub({ files: plainModel(WEIGHTS), ...(fault && { fault }), ...more });
const storage =
  (fault: (count: number) => Fault | undefined) =>
  ({ at }: Seen, count: number): Fault | undefined =>
    at === 'storage' ? fault(count) : undefined;
const times = (n: number, fault: Fault) => storage((count) => (count <= n ? fault : undefined));

async function refusal(text: string, options: PullOptions): Promise<EmbedkitError> {
  const error: unknown = await pull(text, options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof EmbedkitError)) throw error;
  expect(error.hint).toMatch(/\w/);
  expect(error.sentence).not.toMatch(/\n| at .*\.js:\d/);
  return error;
}

describe('is over after another try:', () => {
  it.each([
    ['429 with a time to wait', times(2, { status: 429, headers: { 'retry-after': '0' } })],
    ['500 of the storage', times(3, { status: 500 })],
    ['403 of the storage, whose address has run out', times(2, { status: 403 })],
    ['503 of the list', ({ url }: Seen, count: number) => (url.includes('/tree/') && count <= 3 ? { status: 503 } : undefined)],
    ['a body of another length', times(2, { body: Buffer.from('<html>sign in</html>') })],
    ['a body with one byte wrong', times(1, { body: Buffer.concat([WEIGHTS.subarray(0, 9), Buffer.from([0x55]), WEIGHTS.subarray(10)]) })],
    [
      'a range that was not asked for',
      storage((count) =>
        count === 1 ? { breakAfter: 1000 } : count === 2 ? { headers: { 'content-range': 'bytes 7-8/300000' } } : undefined,
      ),
    ],
    ['a body that stalls', times(2, { stallAfter: 1000 })],
    [
      'a redirect to nowhere',
      ({ at, file, url }: Seen, count: number) =>
        at === 'hub' && file === 'model.safetensors' && url.includes('resolve') && count === 1
          ? { location: 'file:///etc/passwd' }
          : undefined,
    ],
  ])('%s', async (_, fault) => {
    const cache = temporaryCache();
    const hub = await hubWith(fault);
    const { folder } = await pull('org/tiny', quickly(hub, { stallMs: 1200 }));
    expect(readFileSync(join(folder, 'model.safetensors')).equals(WEIGHTS)).toBe(true);
    expect(readdirSync(join(cache, 'models--org--tiny/blobs')).filter((name) => name.includes('incomplete'))).toEqual([]);
  });

  it('a slow body that never stops for long', async () => {
    temporaryCache();
    const hub = await hubWith(storage(() => ({ slow: { bytes: 30_000, everyMs: 150 } })));
    await pull('org/tiny', quickly(hub, { stallMs: 1200 }));
    expect(hub.sent.get('model.safetensors')).toBe(WEIGHTS.length);
  });
});

describe('ends in a sentence:', () => {
  const all = (status: number, code?: string) => (): Fault => ({
    status,
    ...(code !== undefined && { headers: { 'x-error-code': code } }),
  });
  it.each([
    [
      '401 without a token',
      all(401, 'RepoNotFound'),
      {},
      /org\/tiny: .* does not show it to everyone, or has no such model \(status 401\); .*HF_TOKEN/,
    ],
    [
      '401 with one',
      all(401),
      { token: 'hf_secret' },
      /does not know this model or this token \(status 401\); check the name and HF_TOKEN/,
    ],
    ['403', all(403), { token: 'hf_secret' }, /does not allow it \(status 403\); set HF_TOKEN to a token that may read it/],
    ['403 of a gated model', all(403, 'GatedRepo'), {}, /accepted its terms \(status 403\); accept them on 127/],
    ['404', all(404, 'RepoNotFound'), {}, /has no such model, revision or file \(status 404\); check the name/],
    ['418', all(418), {}, /refuses it \(status 418\)/],
  ] as const)('%s, at once', async (_, fault, more, sentence) => {
    const cache = temporaryCache();
    const hub = await hubWith(fault);
    const error = await refusal('org/tiny', quickly(hub, more));
    expect([error.code, error.exitCode]).toEqual(['server-refused', 1]);
    expect(error.sentence).toMatch(sentence);
    expect(error.sentence).not.toContain('hf_secret');
    expect(hub.seen.length).toBe(1);
    // Nothing is left of a name that led to nothing.
    expect(readdirSync(cache)).toEqual([]);
  });

  it('a revision that is not there', async () => {
    temporaryCache();
    const hub = await hubWith(undefined);
    expect((await refusal('org/tiny@v9', quickly(hub))).sentence).toMatch(
      /org\/tiny@v9: .* knows no such revision .*; check what stands behind the @/,
    );
  });

  it.each([
    [
      '500 without end',
      storage(() => ({ status: 500 })),
      'server-failed',
      /model\.safetensors: 127\.0\.0\.1:\d+ failed \(status 500\); .*what has arrived is kept/,
      6,
    ],
    [
      '429 for longer than anyone waits',
      storage(() => ({ status: 429, headers: { 'retry-after': '9999' } })),
      'server-failed',
      /asks to wait \(status 429\)/,
      1,
    ],
    [
      'a body that stalls without end',
      storage(() => ({ stallAfter: 10 })),
      'server-unreachable',
      /nothing came for too long; check the network/,
      6,
    ],
    ['breaks without progress', storage(() => ({ breakAfter: 5 })), 'server-unreachable', /127\.0\.0\.1:\d+: .*; check the network/, 6],
    [
      'a wrong hash without end',
      storage(() => ({ body: noise(300_000, 2) })),
      'model-invalid',
      /another SHA-256 than its list says \([0-9a-f]{64}\); something on the way alters it/,
      2,
    ],
    ['a wrong length without end', storage(() => ({ body: noise(9) })), 'server-failed', /sends 9 bytes where the list says 300000/, 6],
  ] as const)('%s', async (_, fault, code, sentence, tries) => {
    temporaryCache();
    const hub = await hubWith(fault);
    const error = await refusal('org/tiny', quickly(hub, { stallMs: 1200, patience: { attempts: 6, firstWaitMs: 1, longestWaitMs: 2 } }));
    expect(error.code).toBe(code);
    expect(error.sentence).toMatch(sentence);
    expect(hub.seen.filter(({ at }) => at === 'storage').length).toBe(tries);
  });

  it('a wrong git hash of a small file', async () => {
    temporaryCache();
    const hub = await hubWith(({ file, url }) =>
      file === 'config.json' && url.includes('cache') ? { body: Buffer.from('{"model_type":"bart"}') } : undefined,
    );
    expect((await refusal('org/tiny', quickly(hub))).sentence).toMatch(/config\.json: .* another git SHA-1/);
  });

  it('a host that is not there', async () => {
    temporaryCache();
    const settings = { endpoint: 'http://127.0.0.1:1', token: undefined, offline: false, stallMs: 1000 };
    const error = await refusal('org/tiny', { settings, patience: { attempts: 2, firstWaitMs: 1, longestWaitMs: 2 } });
    expect(error.sentence).toMatch(/^127\.0\.0\.1:1: the connection was refused; check the network, HF_ENDPOINT and the proxy/);
    expect(error.code).toBe('server-unreachable');
  });

  it('redirects in a circle', async () => {
    temporaryCache();
    const hub = await hubWith(({ at, url }) =>
      at === 'hub' && url.includes('revision') ? { status: 302, headers: { location: url } } : undefined,
    );
    expect((await refusal('org/tiny', quickly(hub, { patience: { attempts: 1 } }))).sentence).toMatch(/more than 10 redirects/);
  });

  it('a disk that is full: what arrived stays, and the next pull goes on', async () => {
    const cache = temporaryCache();
    const hub = await hubWith(undefined);
    let left = 1;
    const write: typeof writeSync = ((descriptor: number, bytes: Buffer, offset: number) => {
      if (bytes.length > 1000 && left-- <= 0) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      return writeSync(descriptor, bytes, offset);
    }) as typeof writeSync;
    const error = await refusal('org/tiny', quickly(hub, { write }));
    expect([error.code, error.message]).toEqual(['output-unwritable', expect.stringMatching(/the disk is full/)]);
    const kept = statSync(join(cache, `models--org--tiny/blobs/${BLOB}.embedkit.incomplete`)).size;
    expect(kept).toBeGreaterThan(0);
    expect((await pull('org/tiny', quickly(hub))).fetchedBytes).toBe(WEIGHTS.length - kept);
  });

  it('an interrupt, which leaves what has arrived', async () => {
    const cache = temporaryCache();
    const controller = new AbortController();
    const hub = await hubWith(storage(() => ({ stallAfter: 100_000 })));
    const reason = new EmbedkitError('interrupted', 'interrupted', { hint: 'x' });
    const onProgress = ({ bytes }: { bytes: number }): void => void (bytes >= 100_000 && controller.abort(reason));
    await expect(pull('org/tiny', quickly(hub, { signal: controller.signal, onProgress }))).rejects.toBe(reason);
    expect(statSync(join(cache, `models--org--tiny/blobs/${BLOB}.embedkit.incomplete`)).size).toBe(100_000);
  });
});

describe('a list of files', () => {
  it.each([
    '../evil',
    '/etc/passwd',
    'a/../../evil',
    'a//b',
    './a',
    'a\\..\\b',
    'C:/x',
    'a/\u0000b',
    'x'.repeat(2000),
    'config.json/x',
    'config.json',
  ])('with the path %j is refused before anything is written', async (path) => {
    const cache = temporaryCache();
    const hub = await hubWith(undefined, { tree: (entries) => [...entries, { type: 'file', path, size: 1, oid: 'b'.repeat(40) }] });
    const error = await refusal('org/tiny', quickly(hub));
    expect(error.code).toBe('model-invalid');
    expect(error.message).toMatch(/its list of files names "/);
    expect(readdirSync(cache)).toEqual([]);
  });

  it.each([
    ['a size that is none', { size: -1 }],
    ['a hash that is a path', { oid: '../../../evil' }],
    ['an LFS hash that is a path', { lfs: { oid: '../../../evil', size: 3, pointerSize: 1 } }],
    ['no path', { path: undefined }],
  ])('with %s is refused', async (_, wrong) => {
    const cache = temporaryCache();
    const hub = await hubWith(undefined, { tree: (entries) => entries.map((entry) => ({ ...entry, ...wrong })) });
    expect((await refusal('org/tiny', quickly(hub))).code).toBe('server-failed');
    expect(readdirSync(cache)).toEqual([]);
  });

  it.each([
    [
      'no weights',
      { 'config.json': '{}', 'tokenizer.json': '{}', 'pytorch_model.bin': 'x' },
      /org\/tiny has no weights in safetensors or onnx/,
    ],
    ['no tokenizer', { 'config.json': '{}', 'model.safetensors': 'x' }, /org\/tiny has no tokenizer\.json/],
    [
      'a family that is not read and no ONNX',
      { ...plainModel(WEIGHTS), 'config.json': '{"model_type":"llama"}' },
      /"llama".*--form safetensors/,
    ],
  ])('with %s is refused before the weights are fetched', async (_, files, sentence) => {
    temporaryCache();
    const hub = await startHub({ files });
    expect((await refusal('org/tiny', quickly(hub))).sentence).toMatch(sentence);
    expect(hub.sent.has('model.safetensors')).toBe(false);
  });
});

describe('two pulls of a model at once', () => {
  it('do not spoil each other: one works, the other says who does', async () => {
    temporaryCache();
    const hub = await hubWith(storage(() => ({ slow: { bytes: 30_000, everyMs: 50 } })));
    let second: Promise<EmbedkitError> | undefined;
    const onProgress = ({ bytes }: { bytes: number }): void => {
      if (bytes > 60_000) second ??= refusal('org/tiny', quickly(hub));
    };
    const first = await pull('org/tiny', quickly(hub, { onProgress }));
    expect(await second).toMatchObject({ code: 'locked', exitCode: 4 });
    expect(readFileSync(join(first.folder, 'model.safetensors')).equals(WEIGHTS)).toBe(true);
    expect(hub.sent.get('model.safetensors')).toBe(WEIGHTS.length);
  });
});

describe('a proxy', () => {
  it('is used where the environment names one, and not for NO_PROXY', async () => {
    const { url, tunnels } = await startProxy();
    onTestFinished(() => {
      delete process.env['HTTP_PROXY'];
      delete process.env['NO_PROXY'];
    });
    temporaryCache();
    const hub = await hubWith(undefined);
    process.env['HTTP_PROXY'] = url;
    await pull('org/tiny', quickly(hub));
    expect(new Set(tunnels).size).toBe(2);
    expect(tunnels).toContain(new URL(hub.endpoint).host);
    process.env['NO_PROXY'] = '127.0.0.1';
    const before = tunnels.length;
    await pull('org/tiny', quickly(hub));
    expect(tunnels.length).toBe(before);
  });
});

describe('the environment', () => {
  it.each([
    [{}, { endpoint: 'https://huggingface.co', token: undefined, offline: false, stallMs: 30_000 }],
    [
      { HF_ENDPOINT: 'https://mirror.example/api/hub/', HF_TOKEN: ' hf_x\n', HF_HUB_OFFLINE: 'true', HF_HUB_DOWNLOAD_TIMEOUT: '5' },
      { endpoint: 'https://mirror.example/api/hub', token: 'hf_x', offline: true, stallMs: 5000 },
    ],
    [
      { HF_HUB_OFFLINE: '0', HF_TOKEN: '' },
      { endpoint: 'https://huggingface.co', token: undefined, offline: false, stallMs: 30_000 },
    ],
  ])('%j', (env, settings) => {
    expect(hubSettings(env)).toEqual(settings);
  });

  it.each([
    [{ HF_ENDPOINT: 'mirror' }],
    [{ HF_ENDPOINT: 'ftp://x' }],
    [{ HF_ENDPOINT: 'https://user:word@x' }],
    [{ HF_TOKEN: 'one two' }],
    [{ HF_TOKEN: 'a\r\nx: y' }],
    [{ HF_HUB_DOWNLOAD_TIMEOUT: 'soon' }],
  ])('%j is refused, without saying a token', (env) => {
    expect(() => hubSettings(env)).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.not.stringMatching(/one two|x: y|word/) }),
    );
  });
});

it('leaves nothing outside the folder of the model and of its locks', async () => {
  const cache = temporaryCache();
  const hub = await hubWith(undefined);
  await pull('org/tiny', quickly(hub));
  expect(readdirSync(cache).sort()).toEqual(['.locks', 'models--org--tiny']);
  expect(existsSync(join(cache, 'models--org--tiny/blobs', BLOB))).toBe(true);
});
