// deploy/ against a real server: every metric that a rule or a panel names is there, the rules hold their own tests, and a real Prometheus
// gets an answer to each panel's query. Needs promtool and prometheus (Debian: prometheus) on the path, or their folder in TEST_PROMETHEUS_DIR.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../run.js';
import { bodyOf, type Served, served, until } from './served.js';

const DEPLOY = fileURLToPath(new URL('../../deploy/', import.meta.url));

function programAt(name: string): string | undefined {
  const folders = [process.env.TEST_PROMETHEUS_DIR ?? '', ...(process.env.PATH ?? '').split(delimiter)];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

const promtool = programAt('promtool');
const prometheus = programAt('prometheus');

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}

const panels = (JSON.parse(readFileSync(`${DEPLOY}grafana-dashboard.json`, 'utf8')) as { panels: Panel[] }).panels;
const queries = panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const));

/** A few of each outcome: answers, cut texts and refusals. */
async function load({ post }: Served): Promise<void> {
  for (let i = 0; i < 5; i++) await post('/embed', { texts: ['some text', 'word '.repeat(600)] });
  for (const texts of ['none', [1]]) await post('/embed', { texts });
}

describe('rules and dashboard', () => {
  it('name no metric that the server lacks', async () => {
    const one = await served();
    await load(one);
    const text = await (await fetch(`${one.url}/metrics`)).text();
    const known = new Set([...text.matchAll(/^(?:# TYPE )?([a-z_0-9]+)(?=[ {])/gm)].map(([, name]) => name));
    const named = [...queries.map(([, expr]) => expr), readFileSync(`${DEPLOY}serve-rules.yml`, 'utf8')].join('\n');
    const names = [...new Set(named.match(/\b(?:embeddings|process|nodejs)_[a-z_0-9]+/g))];
    expect(names.length).toBeGreaterThan(15);
    expect(names.filter((name) => !known.has(name))).toEqual([]);
  });

  it.skipIf(promtool === undefined)('hold what their tests say (skipped where there is no promtool)', () => {
    const ran = spawnSync(promtool as string, ['test', 'rules', 'serve-rules.test.yml'], { cwd: DEPLOY, encoding: 'utf8' });
    expect([ran.status, ran.stdout + ran.stderr]).toEqual([0, expect.stringContaining('SUCCESS')]);
    const checked = spawnSync(promtool as string, ['check', 'rules', 'serve-rules.yml', 'prometheus-rules.yml'], {
      cwd: DEPLOY,
      encoding: 'utf8',
    });
    expect([checked.status, checked.stderr]).toEqual([0, '']);
  });

  it.skipIf(promtool === undefined)('are scraped in a form that promtool finds nothing to say about', async () => {
    const one = await served();
    await load(one);
    const text = await (await fetch(`${one.url}/metrics`)).text();
    const ours = text.split('\n\n').filter((block) => /^# HELP embeddings_/.test(block.trim()));
    const ran = spawnSync(promtool as string, ['check', 'metrics'], { input: `${ours.join('\n').trim()}\n`, encoding: 'utf8' });
    expect([ran.status, ran.stdout, ran.stderr]).toEqual([0, '', '']);
  });

  it.skipIf(prometheus === undefined)('have data for every panel in a real Prometheus (skipped where there is none)', async () => {
    const one = await served();
    const folder = temporaryFolder();
    const address = '127.0.0.1:19390';
    const config = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [`${DEPLOY}serve-rules.yml`],
      scrape_configs: [{ job_name: 'embedkit', static_configs: [{ targets: [new URL(one.url).host] }] }],
    };
    writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
    const args = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=${address}`];
    const child = spawn(prometheus as string, args, { stdio: 'ignore' });
    const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
    onTestFinished(() => {
      child.kill('SIGKILL');
      return gone;
    });
    const asked = async (expr: string): Promise<number> => {
      const query = encodeURIComponent(expr.replaceAll('$instance', '.*'));
      const answer = await fetch(`http://${address}/api/v1/query?query=${query}`).catch(() => undefined);
      if (!answer?.ok) return 0;
      return (await bodyOf<{ data?: { result: unknown[] } }>(answer)).data?.result.length ?? 0;
    };
    await until(async () => (await asked('up == 1')) > 0, 30_000);
    let without: string[] = [];
    const allAnswer = async (): Promise<boolean> => {
      await load(one);
      const counts = await Promise.all(queries.map(([, expr]) => asked(expr)));
      without = queries.filter((_, index) => counts[index] === 0).map(([title, expr]) => `${title}: ${expr}`);
      return without.length === 0;
    };
    await until(allAnswer, 30_000).catch(() => undefined);
    expect(without).toEqual([]);
  });
});
