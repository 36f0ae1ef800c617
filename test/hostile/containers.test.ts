// Files that are cut off, empty or something else: an unreadable container is always exit 1, an empty text file is no error.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { fixture } from '../records/fixtures.js';
import { runCli } from '../run.js';
import { expectRefusal, folderWith } from './sentences.js';

const GZIP = gzipSync('{"text":"hello"}\n'.repeat(100));
const half = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length / 2);
const TOO_EARLY = 'the compressed data ends too early \\(a truncated file\\?\\); fetch or write the file again';

describe('an unreadable container', () => {
  it.each<[string, Buffer, RegExp]>([
    ['cut.jsonl.gz', half(GZIP), new RegExp(`cut\\.jsonl\\.gz: ${TOO_EARLY}`)],
    ['cut.jsonl.zst', half(readFileSync(fixture('lines.jsonl.zst'))), new RegExp(`cut\\.jsonl\\.zst: ${TOO_EARLY}`)],
    ['cut.parquet', half(readFileSync(fixture('table.parquet'))), /cut\.parquet: cannot be read: .*; check that the file is whole/],
    ['cut.feather', half(readFileSync(fixture('lz4.feather'))), /cut\.feather: the Arrow data has no end mark \(a truncated file\?\)/],
    ['text.parquet', Buffer.from('{"text":"hello"}\n'), /text\.parquet: cannot be read: .*Parquet.*; check that the file is whole/i],
    ['text.jsonl.gz', Buffer.from('{"text":"hello"}\n'), /text\.jsonl\.gz: cannot be read: incorrect header check/],
    ['text.arrow', Buffer.from('{"text":"hello"}\n'), /text\.arrow: /],
    ['zero.parquet', Buffer.alloc(0), /zero\.parquet: no Parquet file: it is empty/],
  ])('%s', async (name, content, sentence) => {
    await expectRefusal(folderWith({ [name]: content }), [name, '-o', 'out.parquet'], 1, sentence);
  });

  it('stops a run whose first file was good', async () => {
    const folder = folderWith({ 'a.jsonl': '{"text":"good"}\n', 'b.jsonl.gz': half(GZIP) });
    await expectRefusal(folder, ['a.jsonl', 'b.jsonl.gz', '-o', 'out.parquet'], 1, /b\.jsonl\.gz/);
  });
});

describe('an empty text file', () => {
  it.each(['parquet', 'arrow', 'jsonl'])('becomes a %s file of no rows', async (format) => {
    const folder = folderWith({ 'a.jsonl': '', 'b.txt': '\n \n', 'c.csv': 'id,text\n' });
    const { code, stderr } = await runCli(['embed', 'a.jsonl', 'b.txt', 'c.csv', '-o', `out.${format}`], { cwd: folder });
    expect(stderr).toMatch(new RegExp(`^out\\.${format}: 0 rows`));
    expect(code).toBe(0);
    const bytes = readFileSync(`${folder}/out.${format}`);
    expect(bytes.subarray(0, 6).toString('latin1')).toMatch(format === 'parquet' ? /^PAR1/ : format === 'arrow' ? /^ARROW1/ : /^$/);
  });
});
