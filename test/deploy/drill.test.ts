// The weekly drill against stand-ins: it passes where all is well, and tells where it is not.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { deadPort, type Manner, standIn } from '../client/stand-in.js';
import { BIN } from '../run.js';
import { REAL_ENGINE, served } from '../serve/served.js';

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const ROOT = path('../..');

function drill(args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [path('../../deploy/drill.mjs'), ...args], { cwd: ROOT }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
    );
  });
}

/** Vectors of the drill's two texts as server.mjs makes them, or turned by a little or a lot. */
const vectors = (turn: number): number[][] => [17, 49].map((length) => [1, length, turn * length, 1]);
const own = (turn = 0): Manner => ({ json: { embeddings: vectors(turn), model: 'small' } });
const openai = (turn: number): Manner => ({
  json: { data: vectors(turn).map((embedding, index) => ({ index, embedding })), model: 'cloud' },
});

async function serving(): Promise<string[]> {
  const port = await deadPort();
  return ['--url', `http://127.0.0.1:${port}`, '--serve', `${process.execPath} ${path('server.mjs')} ${port}`, '--probe-after-ms', '300'];
}

describe('the drill', () => {
  it('sees the fallback and the return, by the same fingerprint', async () => {
    const other = await standIn({ manners: [own()] });
    const { code, output } = await drill([...(await serving()), '--fallback-url', other.url]);
    expect(output).toMatch(
      /^started +server .*\nkilled +fallback .* \(small, same-fingerprint\) .* 0 lost\nvectors .* at least 1\.000000\nstarted again +server .*\nthe drill passed\n$/,
    );
    expect(code).toBe(0);
  });

  it('passes with real servers: one that is killed and comes back, and one to turn to, by either contract', async () => {
    const other = await served({ engineScript: REAL_ENGINE, threads: 1 });
    const port = await deadPort();
    const command = `${process.execPath} ${BIN} serve --port ${port} --threads 1 --quiet`;
    const own = ['--url', `http://127.0.0.1:${port}`, '--serve', command, '--probe-after-ms', '300'];
    const byFingerprint = await drill([...own, '--fallback-url', other.url]);
    expect(byFingerprint.output).toMatch(
      /^started +server .*\nkilled +fallback .* \(bge-small-en-v1\.5, same-fingerprint\) .* 0 lost\nvectors .* at least 1\.000000\nstarted again +server .* 0 lost\nthe drill passed\n/,
    );
    expect(byFingerprint.code).toBe(0);
    await expect(fetch(`${own[1]}/health`)).rejects.toThrow();
    // OpenAI's contract, as a cloud would speak it.
    const asOpenai = ['--fallback-kind', 'openai', '--fallback-model', 'bge-small-int8', '--same-model', 'bge-small-en-v1.5:384'];
    const listed = await drill([...own, '--fallback-url', `${other.url}/v1`, ...asOpenai]);
    expect([listed.code, listed.output]).toEqual([0, expect.stringMatching(/\nkilled +fallback .*\nthe drill passed\n/s)]);
  });

  it('holds the vectors of a listed model against the server', async () => {
    const listed = ['--fallback-kind', 'openai', '--fallback-model', 'cloud', '--same-model', 'cloud:4'];
    const near = await standIn({ manners: [openai(0.01)], fingerprint: null });
    const far = await standIn({ manners: [openai(1)], fingerprint: null });
    const passed = await drill([...(await serving()), '--fallback-url', `${near.url}/v1`, ...listed]);
    expect([passed.code, passed.output]).toEqual([0, expect.stringMatching(/\(cloud, listed\)/)]);
    const failed = await drill([...(await serving()), '--fallback-url', `${far.url}/v1`, ...listed]);
    expect([failed.code, failed.output]).toEqual([
      1,
      expect.stringMatching(/taken for the same model \(listed\), but the cosine of its vectors is 0\.70/),
    ]);
  });

  it('fails where no fallback is allowed, and leaves no server behind', async () => {
    const other = await standIn({ fingerprint: '0'.repeat(64) });
    const server = await serving();
    const { code, output } = await drill([...server, '--fallback-url', other.url, '--within', '4']);
    expect([code, output]).toEqual([
      1,
      expect.stringMatching(/the drill failed: after 4 s the fallback does not answer: .*it declares another fingerprint/),
    ]);
    await expect(fetch(`${server[1]}/info`)).rejects.toThrow();
  });

  it('says how it is used', async () => {
    expect(await drill(['--url', 'http://h'])).toMatchObject({
      code: 2,
      output: expect.stringMatching(/^Usage: node deploy\/drill\.mjs --url URL/),
    });
  });
});
