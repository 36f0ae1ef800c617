// Wrong usage and wrong paths: exit 2 or 1 before anything is read.
import { linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runCli } from '../run.js';
import { expectRefusal, folderWith } from './sentences.js';

const FILES = { 'a.jsonl': '{"text":"hello","id":1}\n', 'a.txt': 'hello\n', 'a.md': 'hello\n' };
const OUT = ['-o', 'out.parquet'];

describe('wrong usage', () => {
  it.each<[readonly string[], RegExp]>([
    [['a.jsonl'], /no output named; say -o out\.parquet/],
    [OUT, /missing required argument 'input'/],
    [['a.jsonl', ...OUT, '--limti', '3'], /unknown option '--limti' \(Did you mean --limit\?\)/],
    [['a.jsonl', ...OUT, '--limit', 'many'], /'--limit <rows>' argument 'many' is invalid.*"many" is not a whole number/],
    [['a.jsonl', ...OUT, '--limit', '-1'], /"-1" is not a whole number/],
    [['a.jsonl', ...OUT, '--threads', '0'], /--threads 0/],
    [['a.jsonl', ...OUT, '--threads-per-worker', '0'], /--threads-per-worker 0/],
    [['a.jsonl', ...OUT, '--batch-tokens', '0'], /--batch-tokens 0/],
    [['a.jsonl', ...OUT, '--window-rows', '0'], /--window-rows 0: not a whole number of at least 1/],
    [['a.jsonl', ...OUT, '--max-line-bytes', '0'], /--max-line-bytes 0/],
    [['a.jsonl', ...OUT, '--dtype', 'float8'], /Allowed choices are float32, float16/],
    [['a.jsonl', ...OUT, '--dims', '100'], /--dims 100/],
    [['a.jsonl', ...OUT, '--max-tokens', '513'], /--max-tokens 513.*512/],
    [['a.jsonl', ...OUT, '--template', '{'], /--template "\{": "\{" stands alone/],
    [['a.jsonl', ...OUT, '--keep', 'embedding'], /--keep embedding: the output has a column "embedding" of its own/],
    [['a.jsonl', ...OUT, '--keep', 'a,a'], /--keep names "a" twice/],
    [['a.jsonl', '-o', 'out.xls'], /-o out\.xls: the name does not tell a format; end it in \.parquet/],
    [['a.jsonl', '-o', 'a.jsonl'], /-o a\.jsonl is also an input; write to another file/],
    [['a.jsonl', '-o', './link.jsonl'], /-o \.\/link\.jsonl is also an input/],
    [['.', '-o', 'a.jsonl'], /-o a\.jsonl is also an input/],
    [['a.md', ...OUT], /the name "a\.md" does not tell a format; say its format with --from/],
    [['a.txt', ...OUT, '--keep', 'a'], /a\.txt is plain text, which has no columns; leave out --keep/],
    [
      ['a.jsonl', '-o', 'folder.parquet'],
      /-o folder\.parquet is a folder with 1 files in it; name a file in it, or another folder, or say --overwrite/,
    ],
    [['a.jsonl', ...OUT, '--model', 'gone'], /gone/],
    [['-', ...OUT, '--from', 'parquet'], /Parquet cannot be read from a pipe; name the file/],
  ])('%j', async (args, sentence) => {
    const folder = folderWith(FILES);
    symlinkSync('a.jsonl', `${folder}/link.jsonl`);
    mkdirSync(`${folder}/folder.parquet`);
    writeFileSync(`${folder}/folder.parquet/x`, '');
    await expectRefusal(folder, args, 2, sentence);
  });
});

describe('paths that lead nowhere', () => {
  it.each<[readonly string[], RegExp]>([
    [['gone.jsonl', ...OUT], /no file, folder or match for "gone\.jsonl"; check the path/],
    [['*.csv', ...OUT], /no file, folder or match for "\*\.csv"/],
    [['empty', ...OUT], /folder "empty" holds no file that can be read; embedkit reads jsonl, csv/],
    [['a.jsonl', '-o', 'gone/out.parquet'], /gone\/out\.parquet.*folder/],
    [['a.jsonl', '-o', 'empty/x.parquet/out.parquet'], /empty\/x\.parquet\/out\.parquet/],
  ])('%j', async (args, sentence) => {
    const folder = folderWith(FILES);
    mkdirSync(`${folder}/empty`);
    await expectRefusal(folder, args, 1, sentence);
  });

  it('a hard link to the input is no other file', async () => {
    const folder = folderWith(FILES);
    linkSync(`${folder}/a.jsonl`, `${folder}/hard.jsonl`);
    // The output replaces the name, and the input keeps its content: nothing is lost.
    const { code } = await runCli(['embed', 'a.jsonl', '-o', 'hard.jsonl', '--quiet'], { cwd: folder });
    expect(code).toBe(0);
    expect(readFileSync(`${folder}/a.jsonl`, 'utf8')).toBe(FILES['a.jsonl']);
  });
});

describe('without a command', () => {
  it.each([[[]], [['embd']], [['--verison']]])('%j is wrong usage', async (args) => {
    const { code, stderr, stdout } = await runCli(args);
    expect([code, stdout.length]).toEqual([2, 0]);
    expect(stderr).toMatch(args.length === 0 ? /^Usage: embedkit/ : /^embedkit: unknown [^\n]+\n$/);
  });

  it.each(['--help', '--version'])('%s is answered on standard output', async (flag) => {
    const { code, stderr, stdout } = await runCli([flag]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.toString()).toMatch(flag === '--help' ? /^Usage: embedkit/ : /^\d+\.\d+\.\d+\n$/);
  });
});
