// `embedkit embed` as a user runs it: what goes to which stream, and how it ends. One engine each, as few runs as will do.
import { readdirSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { fixture } from '../records/fixtures.js';
import { runCli, temporaryFolder } from '../run.js';

const env = { EMBEDKIT_THREADS: '1' };

interface OutputRow {
  readonly id: string;
  readonly embedding: number[];
}

const rowsOf = (stdout: Buffer): OutputRow[] =>
  stdout
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

function folder(): string {
  const cwd = temporaryFolder();
  writeFileSync(`${cwd}/a.txt`, 'first text\n\n  \nsecond text\n');
  writeFileSync(`${cwd}/b.jsonl`, '\n{"text":"third text","id":90071992547409931}\n{"text":"first text"}\n');
  writeFileSync(`${cwd}/c.csv`, 'text,_id\nsecond text,c-1\n');
  return cwd;
}

describe('embed', () => {
  it('numbers rows over all files from 0 where they have no id, and logs JSON lines', async () => {
    const args = ['embed', 'a.txt', 'b.jsonl', 'c.csv', '-o', '-', '--log-format', 'json'];
    const { code, stdout, stderr } = await runCli(args, { cwd: folder(), env });
    expect(code).toBe(0);
    const rows = rowsOf(stdout);
    expect(rows.map(({ id }) => id)).toEqual(['0', '1', '90071992547409931', '3', 'c-1']);
    expect([rows[3]?.embedding, rows[4]?.embedding]).toEqual([rows[0]?.embedding, rows[1]?.embedding]);
    const events = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.at(-1)).toMatchObject({ event: 'summary', rows: 5, truncatedTexts: 0, duplicateIds: 0, threads: 1, output: '-' });
  });

  it('reads gzip from standard input, says nothing if told to, and puts the prompt before each text', async () => {
    const stdin = gzipSync('{"text":"first text"}\r\n{"text":"second text"}');
    const run = (prompt: string) => runCli(['embed', '-', '-o', '-', '--quiet', '--prompt', prompt], { cwd: folder(), env, stdin });
    const literal = 'Represent this sentence for searching relevant passages: ';
    const [query, spelled, none] = [await run('query'), await run(literal), await run('none')];
    expect([query.code, query.stderr]).toEqual([0, '']);
    expect(rowsOf(query.stdout).map(({ id }) => id)).toEqual(['0', '1']);
    expect(query.stdout.equals(none.stdout)).toBe(false);
    expect(rowsOf(query.stdout).map(({ embedding }) => embedding)).toEqual(rowsOf(spelled.stdout).map(({ embedding }) => embedding));
  });

  it.each([
    ['x.jsonl.gz', () => gzipSync('{"text":"again and again"}\n'.repeat(500_000))],
    ['x.csv', () => `text\n${'again and again\n'.repeat(500_000)}`],
  ])('stops at --limit in %s without reading on', async (name, content) => {
    const cwd = temporaryFolder();
    writeFileSync(`${cwd}/${name}`, content());
    const { code, stdout } = await runCli(['embed', name, '-o', '-', '--limit', '1', '--quiet'], { cwd, env });
    expect([code, rowsOf(stdout).length]).toEqual([0, 1]);
  });

  it('stops at --limit in Parquet', async () => {
    const { code, stdout, stderr } = await runCli(['embed', fixture('table.parquet'), '-o', '-', '--limit', '2', '--quiet'], { env });
    expect([code, stderr, rowsOf(stdout).map(({ id }) => id)]).toEqual([0, '', ['1152921504606846976', '1152921504606846977']]);
  });
});

describe('embed --dry-run', () => {
  const content = '{"id":1,"text":"a b"}\n{"id":1,"text":"a b"}\nno\n{"text":""}\n';

  it('predicts rows, bad rows, truncation, duplicates, time and memory, and writes nothing', async () => {
    const cwd = temporaryFolder();
    writeFileSync(`${cwd}/x.jsonl`, content);
    const { code, stdout, stderr } = await runCli(['embed', 'x.jsonl', '-o', 'out.parquet', '--dry-run', '--max-tokens', '3'], {
      cwd,
      env,
    });
    expect([code, stderr, readdirSync(cwd)]).toEqual([0, '', ['x.jsonl']]);
    const report = stdout.toString();
    expect(report).toMatch(
      /^rows +2\nbad rows +2 \(a run puts them aside\)\n +x\.jsonl, line 3: not JSON .*\n +x\.jsonl, line 4: .* is empty/,
    );
    expect(report).toMatch(/\ntokens +3\ntruncated +2 texts \(1 token lost\)\nduplicates +1 id, 1 text\n/);
    expect(report).toMatch(/\ntime +about [\d.]+ s \(.*\)\nmemory +about [\d,]+ MiB\noutput +about [\d.]+ MiB\n$/);
  });

  it('needs no output named, and says it in JSON if asked', async () => {
    const args = ['embed', '-', '--dry-run', '--log-format', 'json'];
    const { code, stdout } = await runCli(args, { stdin: content, env });
    expect(code).toBe(0);
    expect(JSON.parse(stdout.toString())).toMatchObject({ event: 'prediction', rows: 2, badRows: 2, duplicateIds: 1, duplicateTexts: 1 });
  });
});
