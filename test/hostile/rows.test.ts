// Rows that cannot be embedded: with --on-error fail, exit 1 with one sentence that names file, line or row, what was found and what to do.

import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fixture } from '../records/fixtures.js';
import { runCli } from '../run.js';
import { expectRefusal, folderWith } from './sentences.js';

const OUT = ['-o', 'out.parquet', '--on-error', 'fail'];
const GOOD = '{"text":"good"}\n';

describe('a bad row', () => {
  it.each<[string, string | Buffer, RegExp]>([
    ['a.jsonl', `${GOOD}hello\n`, /a\.jsonl, line 2: not JSON \(.*\); write one JSON object a line/],
    ['a.jsonl', Buffer.concat([Buffer.from(GOOD), Buffer.from([0x22, 0xe9, 0x22])]), /a\.jsonl, line 2: not UTF-8 .*; convert the file/],
    ['a.jsonl', Buffer.from(`\ufeff${GOOD}`, 'utf16le'), /a\.jsonl: UTF-16 text, not UTF-8; convert the file to UTF-8/],
    ['a.jsonl', '{"body":"x"}', /a\.jsonl, line 1: no field "text"; name one of these with --text-field: body/],
    ['a.jsonl', `${GOOD}\n{"text":""}`, /a\.jsonl, line 3: field "text" is empty; remove the row or fill it in/],
    ['a.jsonl', '{"text":null}', /a\.jsonl, line 1: field "text" is null, not text/],
    ['a.jsonl', '{"text":NaN}', /a\.jsonl, line 1: not JSON/],
    ['a.csv', 'id,text\n1,a\n2,b,c\n', /a\.csv, line 3: 3 values, but the header names 2 columns; correct the row/],
    ['a.csv', 'id,text\n1,"a\n2,b\n', /a\.csv, line 2: a value opens with a quote that is never closed; close it/],
    ['a.csv', 'text,text\na,b\n', /a\.csv, line 1: the header names the column "text" twice; rename one of them/],
  ])('%s with %j', async (name, content, sentence) => {
    await expectRefusal(folderWith({ [name]: content }), [name, ...OUT], 1, sentence);
  });

  it('of a Parquet file that has NaN for text', async () => {
    const folder = folderWith({ 'a.parquet': readFileSync(fixture('odd.parquet')) });
    await expectRefusal(
      folder,
      ['a.parquet', ...OUT, '--text-field', 'number'],
      1,
      /a\.parquet, row 0: field "number" is the number 1\.5, not text/,
    );
  });

  it('on standard input is named too', async () => {
    await expectRefusal(folderWith({}), ['-', ...OUT], 1, /standard input, line 2: field "text" is empty/, { stdin: `${GOOD}{"text":""}` });
  });

  it('cannot steer the terminal', async () => {
    const { stderr } = await runCli(['embed', '-', ...OUT], { stdin: '{"a\\u001b[31m\\n":1}', cwd: folderWith({}) });
    expect(stderr).toMatch(/^embedkit: standard input, line 1: no field "text"; name one of these .*a\\u001b\[31m\\u000a\n$/);
  });
});

describe('a line of 100 MB', () => {
  const limits = [
    ['a.jsonl', '{"text":"', /a\.jsonl, line 1: longer than 33554432 bytes; split it, or raise --max-line-bytes/],
    ['a.txt', '', /a\.txt, line 1: longer than 33554432 bytes/],
    ['a.csv', 'text\n', /a\.csv, line 2: the row is longer than --max-line-bytes allows/],
  ] as const;

  it.each(limits)('in %s is refused', async (name, start, sentence) => {
    const folder = folderWith({});
    const file = createWriteStream(`${folder}/${name}`);
    file.write(start);
    for (let written = 0; written < 100; written++) if (!file.write(Buffer.alloc(2 ** 20, 'a'))) await once(file, 'drain');
    file.end();
    await once(file, 'close');
    await expectRefusal(folder, [name, ...OUT], 1, sentence);
  });

  it('has a limit that can be set', async () => {
    const folder = folderWith({ 'a.txt': `${'a'.repeat(100)}\n` });
    await expectRefusal(folder, ['a.txt', ...OUT, '--max-line-bytes', '99'], 1, /a\.txt, line 1: longer than 99 bytes/);
  });
});
