// `embedkit cost` as a user runs it.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, temporaryFolder } from '../run.js';

const PRICES = ['--price-per-hour', '0.157534', '--api-price-per-million', '0.02', '--price-date', '2026-11-25'];
const VOLUME = ['--texts-per-month', '12M', '--tokens-per-text', '50'];
const cost = (args: readonly string[], cwd?: string) => runCli(['cost', ...args], cwd === undefined ? {} : { cwd });

describe('cost', () => {
  it('prints the verdict first, then a table and what it rests on', async () => {
    const { code, stdout, stderr } = await cost([...PRICES, ...VOLUME, '--rate', '25k']);
    expect([code, stderr]).toEqual([0, '']);
    const text = stdout.toString();
    expect(text).toMatch(/^The API is the cheaper choice: \$12\.00 a month by API, \$115\.00 on one machine/);
    expect(text).toMatch(/\ncost a month +\$12\.00 +\$115\.00\n/);
    expect(text).toMatch(/\nprices as given, of 2026-11-25; speeds: as given with --rate, not measured here\n/);
  });

  it('takes the speeds of a bench, a column each, and writes JSON and a page', async () => {
    const folder = temporaryFolder();
    const variants = [
      { name: 'int8', tokensPerSecond: 9000, p50: 1 },
      { name: 'fp32', figures: { tokens_per_second: { median: 5000, low: 4900 } } },
      { name: 'api', tokensPerSecond: null },
    ];
    writeFileSync(join(folder, 'bench.json'), JSON.stringify({ variants, machine: {} }));
    const { code, stdout } = await cost([...PRICES, ...VOLUME, '--bench', 'bench.json', '--json', '--html', 'cost.html'], folder);
    expect(code).toBe(0);
    const report = JSON.parse(stdout.toString());
    const machines: { name: string; tokensPerSecond: number }[] = report.machines;
    expect(machines.map(({ name, tokensPerSecond }) => [name, tokensPerSecond])).toEqual([
      ['int8', 9000],
      ['fp32', 5000],
    ]);
    expect(report).toMatchObject({ api: { perMonth: 12 }, inputs: { priceDate: '2026-11-25', source: 'medians of bench.json' } });
    expect(report.machines[0].verdict).toMatch(/^The API is the cheaper choice/);
    expect(readFileSync(join(folder, 'cost.html'), 'utf8')).toMatch(/^<!doctype html>[\s\S]*<\/svg>[\s\S]*<\/html>\n$/);
  });

  it.each<[string[], number, RegExp]>([
    [[], 2, /a cost needs --texts-per-month, .*--price-date too; no price or volume is built in/],
    [[...PRICES, ...VOLUME], 2, /no speed given; /],
    [[...PRICES, ...VOLUME, '--rate', '5', '--bench', 'x'], 2, /--bench and --rate are both given; /],
    [[...PRICES, ...VOLUME, '--rate', 'fast'], 2, /"fast" is not a number like 1000, 0\.02, 12M or 1B; /],
    [
      [...PRICES, ...VOLUME, '--bench', 'gone.json'],
      1,
      /--bench gone\.json cannot be read: no such file.*; name the file that embedkit bench/,
    ],
    [[...PRICES, ...VOLUME, '--bench', 'text.json'], 1, /--bench text\.json is not JSON; /],
    [[...PRICES, ...VOLUME, '--bench', 'empty.json'], 1, /--bench empty\.json: variants: .*; /],
    [[...PRICES, ...VOLUME, '--bench', 'none.json'], 1, /none of its variants has a speed; /],
    [
      [...PRICES, ...VOLUME, '--rate', '5', '--html', 'gone/x.html'],
      1,
      /--html gone\/x\.html: there is no folder gone; name another place/,
    ],
  ])('%j ends in one sentence', async (args, exit, sentence) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'text.json'), 'hello');
    writeFileSync(join(folder, 'empty.json'), '{}');
    writeFileSync(join(folder, 'none.json'), '{"variants":[{"name":"api"}]}');
    const { code, stdout, stderr } = await cost(args, folder);
    expect([code, stdout.length]).toEqual([exit, 0]);
    expect(stderr).toMatch(/^embedkit: [^\n]+; [^\n]+\n$/);
    expect(stderr).toMatch(sentence);
    expect(existsSync(join(folder, 'gone'))).toBe(false);
  });
});
