// `embedkit search`: what it finds is what holding every row against the query finds, in every format an output may have.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cosine, openModel, rowOf, runJob } from '#src/index.js';
import { type SearchResult, searchOutput } from '#src/search/search.js';
import { runCli, temporaryFolder } from '../run.js';

const PASSAGES = readFileSync(new URL('../../examples/passages.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .filter((_, row) => row % 8 === 0)
  .map((line) => JSON.parse(line) as { id: string; title: string; text: string });
const QUERY = 'mending a bicycle tyre';
const PROMPT = 'Represent this sentence for searching relevant passages: ';

/** Id and cosine of every passage, the nearest first. */
let expected: { id: string; score: number }[];
let folder: string;

async function embed(name: string, output: object = {}, keep: readonly string[] = ['title', 'text']): Promise<string> {
  const path = join(folder, name);
  const input = { paths: [join(folder, 'in.jsonl')], keep: keep.map((column) => ({ name: column, type: undefined })) };
  await runJob({ input, output: { path, ...output } });
  return path;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'embedkit-search-'));
  writeFileSync(join(folder, 'in.jsonl'), PASSAGES.map((passage) => JSON.stringify(passage)).join('\n'));
  const model = await openModel();
  const documents = await model.embed(PASSAGES.map(({ text }) => text));
  const query = await model.embed([QUERY], { prompt: 'query' });
  await model.close();
  expected = PASSAGES.map(({ id }, row) => ({ id, score: cosine(rowOf(documents, row), rowOf(query, 0)) })).sort(
    (a, b) => b.score - a.score,
  );
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function expectNearest({ hits, rows }: SearchResult, k: number, within: number): void {
  expect(rows).toBe(PASSAGES.length);
  expect(hits.map(({ id }) => id)).toEqual(expected.slice(0, k).map(({ id }) => id));
  hits.forEach(({ score, row, id, text }, at) => {
    expect(Math.abs(score - (expected[at]?.score as number))).toBeLessThan(within);
    expect([PASSAGES[row]?.id, PASSAGES[row]?.text]).toEqual([id, text]);
  });
}

describe('search', () => {
  it.each([
    ['out.parquet', {}, 1e-6],
    ['out.arrow', {}, 1e-6],
    ['out.arrows', {}, 1e-6],
    ['out.jsonl', {}, 1e-6],
    ['folder/', {}, 1e-6],
    ['half.parquet', { dtype: 'float16' }, 1e-3],
    ['codes.parquet', { dtype: 'int8' }, 2e-3],
  ])(
    'finds the nearest rows of %s',
    async (name, output, within) => {
      const found = await searchOutput(await embed(name, output), QUERY, { k: 5 });
      expectNearest(found, 5, within);
      expect(found).toMatchObject({ prompt: PROMPT, column: 'text', precision: 'int8', checked: !name.endsWith('.jsonl') });
    },
    60_000,
  );

  it('holds the query against the signs of binary, in files that say so and where it is told', async () => {
    const path = await embed('bits.parquet', { dtype: 'binary' });
    const found = await searchOutput(path, QUERY, { k: 500 });
    const model = await openModel();
    const [documents, query] = [await model.embed(PASSAGES.map(({ text }) => text)), await model.embed([QUERY], { prompt: 'query' })];
    await model.close();
    const signs = documents.data.map((value) => (value > 0 ? 1 : -1));
    expect(found.hits).toHaveLength(PASSAGES.length);
    for (const { row, score } of found.hits)
      expect(score).toBeCloseTo(cosine(signs.subarray(row * 384, (row + 1) * 384), rowOf(query, 0)), 5);
    expect(found.hits.map(({ score }) => score)).toEqual(found.hits.map(({ score }) => score).toSorted((a, b) => b - a));
    const lines = await embed('bits.jsonl', { dtype: 'binary' });
    expect((await searchOutput(lines, QUERY, { k: 5, dtype: 'binary' })).hits).toEqual(found.hits.slice(0, 5));
    await expect(searchOutput(lines, QUERY, { k: 5 })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/whole numbers/),
    });
  }, 60_000);

  it('gives all rows where there are fewer than k, and the title where that is what was kept', async () => {
    const { hits, column } = await searchOutput(await embed('titles.parquet', {}, ['title']), QUERY, { k: 500 });
    expect([hits.length, column]).toEqual([PASSAGES.length, 'title']);
    expect(hits[0]?.text).toBe(PASSAGES.find(({ id }) => id === hits[0]?.id)?.title);
    const bare = await searchOutput(await embed('bare.parquet', {}, []), QUERY, { k: 2, prompt: 'none' });
    expect([bare.prompt, bare.column, bare.hits.map(({ text }) => text)]).toEqual(['', null, ['', '']]);
  }, 60_000);

  it('prints lines, or one JSON object, and shows the column that is asked for', async () => {
    const path = await embed('printed.parquet');
    const ran = await runCli(['search', path, QUERY, '-k', '2', '--show', 'title']);
    const [first, ...hits] = ran.stdout.toString().trim().split('\n');
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(first).toContain(`${PASSAGES.length} rows, query by bge-small-en-v1.5 (int8), prompt ${JSON.stringify(PROMPT)}`);
    expect(hits).toHaveLength(2);
    expect(hits[0]).toContain(`${expected[0]?.score.toFixed(4)}  ${expected[0]?.id}`);
    expect(hits[0]).toContain(PASSAGES.find(({ id }) => id === expected[0]?.id)?.title);
    const json = await runCli(['search', path, QUERY, '-k', '1', '--json']);
    expect(JSON.parse(json.stdout.toString())).toMatchObject({ query: QUERY, hits: [{ id: expected[0]?.id }] });
  }, 60_000);
});

describe('search is refused', () => {
  const refused = async (args: readonly string[]): Promise<[number | null, string]> => {
    const { code, stderr, stdout } = await runCli(['search', ...args]);
    expect([stdout.length, stderr.trim().split('\n').length]).toEqual([0, 1]);
    return [code, stderr];
  };

  it('for another model than that of the file, and for slips', async () => {
    const path = await embed('other.parquet');
    const sentence =
      /was made by bge-small-en-v1\.5 \(int8, [0-9a-f]{12}\), and bge-small-en-v1\.5 \(fp32, [0-9a-f]{12}\) is another model; name/;
    expect(await refused([path, QUERY, '--precision', 'fp32'])).toEqual([2, expect.stringMatching(sentence)]);
    expect(await refused([path, ' '])).toEqual([2, expect.stringContaining('the query is empty')]);
    expect(await refused([path, QUERY, '-k', '0'])).toEqual([2, expect.stringContaining('-k 0: not a whole number from 1 to 10000')]);
    const column = `--show year: ${path} has no such column; it keeps title, text`;
    expect(await refused([path, QUERY, '--show', 'year'])).toEqual([2, expect.stringContaining(column)]);
  }, 60_000);

  it('for what is no output, and for vectors of another length', async () => {
    const place = temporaryFolder();
    writeFileSync(join(place, 'x.parquet'), 'PAR1 and no more');
    const row = { id: 'a', embedding: [0.6, 0.8], token_count: 3, truncated: false, content_hash: '0'.repeat(32) };
    writeFileSync(join(place, 'short.jsonl'), `${JSON.stringify(row)}\n`);
    expect((await refused([join(place, 'none.parquet'), QUERY]))[0]).toBe(1);
    expect((await refused([join(place, 'x.parquet'), QUERY]))[0]).toBe(1);
    const sentence = 'has vectors of 2 values, and bge-small-en-v1.5 gives none of that length';
    expect(await refused([join(place, 'short.jsonl'), QUERY])).toEqual([2, expect.stringContaining(sentence)]);
  });
});
