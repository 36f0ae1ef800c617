// API keys: who has none is kept out of what costs, and the file may change while the server runs.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { EmbedkitError } from '#src/errors.js';
import { openKeys } from '#src/serve/keys.js';
import { temporaryFolder } from '../run.js';
import { bodyOf, type Served, served, until } from './served.js';

const ONE = 'first-key-0123456789';
const TWO = 'second-key-0123456789';

function keyFile(text: string): string {
  const path = join(temporaryFolder(), 'keys');
  writeFileSync(path, text);
  return path;
}

async function statusWith(one: Served, headers: Record<string, string>): Promise<number> {
  return (await one.post('/embed', { texts: ['a'] }, headers)).status;
}

const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

describe('a server with keys', () => {
  it('keeps strangers from what costs, and lets probes and scrapers in', async () => {
    const one = await served({ apiKeyFile: keyFile(`# clients\n${ONE}\n\n${TWO}\n`) });
    const stranger = await one.post('/v1/embeddings', { input: 'a', model: 'bge-small-int8' });
    expect([stranger.status, stranger.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect((await bodyOf(stranger)).error).toMatchObject({ code: 'unauthorized', type: 'unauthorized' });
    for (const headers of [bearer(ONE), bearer(TWO), { 'x-api-key': TWO }]) expect(await statusWith(one, headers)).toBe(200);
    for (const wrong of ['', ONE.slice(1), `${ONE}x`, '# clients', ONE.toUpperCase()])
      expect(await statusWith(one, bearer(wrong))).toBe(401);
    const open = ['/health', '/ready', '/metrics', '/openapi.json', '/'].map(async (path) => (await fetch(one.url + path)).status);
    expect(await Promise.all(open)).toEqual([200, 200, 200, 200, 200]);
    expect((await fetch(`${one.url}/info`)).status).toBe(401);
    const spec = await bodyOf<{ paths: Record<string, Record<string, { security?: unknown }>> }>(fetch(`${one.url}/openapi.json`));
    expect([spec.paths['/embed']?.post?.security, spec.paths['/health']?.get?.security]).toEqual([[{ key: [] }], undefined]);
  });

  it('shows no key in its log, and tells clients apart', async () => {
    const one = await served({ apiKeyFile: keyFile(`${ONE}\n${TWO}\n`) });
    for (const key of [ONE, TWO, 'third-key-0123456789']) await statusWith(one, bearer(key));
    expect(JSON.stringify(one.lines)).not.toMatch(/-key-0123/);
    expect(new Set(one.lines.map(({ client }) => client)).size).toBe(3);
  });

  it('does not wait for the body of a stranger', async () => {
    const one = await served({ apiKeyFile: keyFile(ONE), limits: { maxBodyBytes: 10 } });
    expect((await one.post('/embed', { texts: ['longer than that'] })).status).toBe(401);
    expect(await statusWith(one, bearer(ONE))).toBe(413);
  });

  it('takes a changed file at once, and keeps the old keys where it holds none', async () => {
    const path = keyFile(ONE);
    const one = await served({ apiKeyFile: path });
    writeFileSync(path, `${TWO}\n`);
    await until(async () => (await statusWith(one, bearer(TWO))) === 200);
    expect(await statusWith(one, bearer(ONE))).toBe(401);
    writeFileSync(path, '# none\n');
    await until(async () => {
      expect(await statusWith(one, bearer(TWO))).toBe(200);
      return one.lines.some(({ msg }) => /holds no key/.test(String(msg)));
    });
  });
});

describe('a key file', () => {
  it.each([
    ['', /holds no key; write keys of 16 or more letters/],
    ['# only this\n', /holds no key/],
    ['short\n', /line 1 is no key/],
    [`${ONE}\nwith a blank in it\n`, /line 2 is no key/],
  ])('that reads %j is refused', (text, message) => {
    let found = '';
    try {
      openKeys(keyFile(text), () => undefined);
    } catch (error) {
      found = (error as EmbedkitError).sentence;
    }
    expect(found).toMatch(message);
  });

  it('that is not there is refused', () => {
    expect(() => openKeys('/no/such/file', () => undefined)).toThrow(/--api-key-file \/no\/such\/file/);
  });
});
