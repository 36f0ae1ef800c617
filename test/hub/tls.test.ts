// `pull` as most run it: a hub over TLS, behind a proxy or not, by a certificate that the machine trusts or does not.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Ran, runCli, temporaryFolder } from '../run.js';
import { familyFiles } from './cache.js';
import { type Hub, startHub } from './hub.js';
import { startProxy } from './proxy.js';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const suite = hasOpenssl ? 'a hub over TLS' : 'a hub over TLS (skipped: there is no openssl to make a certificate)';

// The proxies of the machine that runs the tests are none of theirs.
for (const name of ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY']) for (const one of [name, name.toLowerCase()]) delete process.env[one];

interface Place {
  readonly hub: Hub;
  readonly certificate: string;
  pull(env?: Record<string, string>): Promise<Ran>;
}

async function place(): Promise<Place> {
  const folder = temporaryFolder();
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const asked = ['-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=hub', '-addext', 'subjectAltName=IP:127.0.0.1'];
  expect(spawnSync('openssl', ['req', '-x509', ...asked, '-keyout', key, '-out', certificate]).status).toBe(0);
  const tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(certificate, 'utf8') };
  const hub = await startHub({ id: 'seeds/bert', files: await familyFiles('bert'), tls });
  const base = { HF_HOME: join(folder, 'home'), HF_ENDPOINT: hub.endpoint };
  return { hub, certificate, pull: (env = {}) => runCli(['pull', 'seeds/bert'], { cwd: folder, env: { ...base, ...env } }) };
}

describe.skipIf(!hasOpenssl)(suite, () => {
  it('is pulled from, and through HTTPS_PROXY, in whose tunnels all of it goes', async () => {
    const { hub, certificate, pull } = await place();
    const { url, tunnels } = await startProxy();
    const trusting = { NODE_EXTRA_CA_CERTS: certificate };
    expect(await pull({ ...trusting, HTTPS_PROXY: url })).toMatchObject({ code: 0, stderr: expect.stringContaining('all hashes right') });
    // The hub's own and the storage's.
    expect(new Set(tunnels).size).toBe(2);
    expect(tunnels).toContain(new URL(hub.endpoint).host);
    const before = tunnels.length;
    expect(await pull(trusting)).toMatchObject({ code: 0 });
    expect(tunnels.length).toBe(before);
  });

  it('with a certificate that nobody vouches for is not, and the sentence says what to do', async () => {
    const { hub, pull } = await place();
    const { code, stderr } = await pull();
    expect(code).toBe(1);
    expect(stderr).toMatch(/certificate/);
    expect(stderr).toMatch(/NODE_EXTRA_CA_CERTS/);
    expect(stderr.trim().split('\n').length).toBe(1);
    expect(hub.seen).toEqual([]);
  });
});
