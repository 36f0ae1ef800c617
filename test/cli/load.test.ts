// `embedkit load` as a user runs it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { queueing } from '../load/server.js';
import { runCli, temporaryFolder } from '../run.js';

describe('load', () => {
  it('prints a line a rate, the knee and the table', async () => {
    const server = await queueing({ serviceMs: 1, lanes: 9 });
    const { code, stdout, stderr } = await runCli([
      'load',
      server.url,
      '--rates',
      '5,10',
      '--seconds',
      '1',
      '--warm-up',
      '0',
      '--beyond',
      '1.5',
    ]);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^5\.0 requests\/s: [\d.]+ good answers\/s, P50 [\d.]+ ms\n10\.0 requests\/s: [^\n]+\n15\.0 requests\/s: [^\n]+\n$/,
    );
    const text = stdout.toString();
    expect(text).toMatch(/^knee: 10\.0 requests\/s or more: every rate was kept up with\n\nrequests\/s +good\/s +tokens\/s +P50 ms/);
    expect(text).toMatch(/\n +15\.0 .*1\.5 x the knee; kept up\n/);
    expect(text).toMatch(/\nopen loop, Poisson arrivals, 1 s a rate after 0 s of warm-up, mix fixed, 1 text\(s\) a request, seed 1; /);
  });

  it('prints one JSON object, with the key of a file', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'key'), 'k\n');
    const server = await queueing({ serviceMs: 1, lanes: 9 });
    const args = ['load', server.url, '--rates', '5', '--seconds', '1', '--warm-up', '0', '--api-key-file', 'key', '--json', '--quiet'];
    const { code, stdout, stderr } = await runCli(args, { cwd: folder });
    expect([code, stderr, [...server.keys]]).toEqual([0, '', ['Bearer k']]);
    expect(JSON.parse(stdout.toString())).toMatchObject({ kind: 'embedkit-load', knee: 5, steps: [{ rate: 5 }] });
  });

  it('is what bench --url does, with the flags of bench', async () => {
    const folder = temporaryFolder();
    const server = await queueing({ serviceMs: 1, lanes: 9 });
    const args = ['bench', '--url', server.url, '--rates', '5', '--seconds', '1', '--beyond', '2', '--json', 'bench.json'];
    const { code, stdout, stderr } = await runCli(args, { cwd: folder });
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^5\.0 requests\/s: [^\n]+\n10\.0 requests\/s: [^\n]+\n$/)]);
    expect(stdout.toString()).toMatch(/^knee: 5\.0 requests\/s or more: [^\n]+\n\nrequests\/s/);
    const written = JSON.parse(readFileSync(join(folder, 'bench.json'), 'utf8'));
    expect(written).toMatchObject({ kind: 'embedkit-load', settings: { seconds: 1, beyond: [2] }, steps: [{ rate: 5 }] });
    const odd = await runCli(['bench', '--url', server.url, '--baseline-url', 'http://h']);
    expect([odd.code, odd.stderr]).toEqual([2, expect.stringMatching(/^embedkit: --baseline-url with --url; leave one of them out/)]);
  });

  it.each<[string[], number, RegExp]>([
    [['here'], 2, /"here" is no address; write it like/],
    [['http://127.0.0.1:9', '--rates', '1,x'], 2, /"x" is not a number like 20 or 1\.5; /],
    [['http://127.0.0.1:9', '--rates', '0'], 2, /--rates 0; choose a number/],
    [['http://127.0.0.1:9', '--api-key-file', 'gone'], 1, /--api-key-file gone cannot be read: .*; check the path/],
    [['http://127.0.0.1:9'], 1, /the first request came back as no-connection; start it with embedkit serve/],
  ])('%j ends in one sentence', async (args, exit, sentence) => {
    const { code, stdout, stderr } = await runCli(['load', ...args]);
    expect([code, stdout.length]).toEqual([exit, 0]);
    expect(stderr).toMatch(/^embedkit: [^\n]+; [^\n]+\n$/);
    expect(stderr).toMatch(sentence);
  });
});
