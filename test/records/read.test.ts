import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { FORMAT_NAMES, FORMATS, formatOf } from '#src/records/formats.js';
import { resolveInputs } from '#src/records/read.js';
import { temporaryFolder } from '../run.js';
import { FIXTURE_ROWS, fixture } from './fixtures.js';
import { failureOf, openRecords, readAll } from './reading.js';

const NOTHING = { from: undefined, stdin: undefined };
const cwd = process.cwd();

/** A folder with these files in it, each of one text that is its name. */
function folderOf(...names: string[]): string {
  const folder = temporaryFolder();
  for (const name of names) {
    mkdirSync(`${folder}/${name}`.replace(/\/[^/]*$/, ''), { recursive: true });
    const text = name.includes('jsonl') ? `{"text":"${name}"}` : name.includes('sv') ? `text\n${name}\n` : name;
    writeFileSync(`${folder}/${name}`, name.endsWith('.gz') ? gzipSync(text) : text);
  }
  return folder;
}

const texts = async (names: string[], reading = {}): Promise<string[]> => (await readAll(names, reading)).map(({ text }) => text);

afterEach(() => process.chdir(cwd));

describe('the format of a file', () => {
  it('is told by every extension, in any case, text formats compressed too', () => {
    for (const format of FORMAT_NAMES) {
      const { extensions, text } = FORMATS[format];
      for (const extension of extensions) {
        expect(formatOf(`a.b${extension.toUpperCase()}`)).toEqual({ format, compression: 'none' });
        expect(formatOf(`a${extension}.gz`)).toEqual(text ? { format, compression: 'gzip' } : undefined);
        expect(formatOf(`a${extension}.zst`)).toEqual(text ? { format, compression: 'zstd' } : undefined);
      }
    }
    expect(['a', 'a.json', 'a.gz', 'jsonl', 'a.jsonl.bz2'].map(formatOf)).toEqual(Array(5).fill(undefined));
  });

  it('can be named where the extension says nothing, and then compression is found out', async () => {
    const folder = folderOf('plain.log', 'packed.bak');
    writeFileSync(`${folder}/packed.bak`, gzipSync('zipped'));
    expect(await texts([`${folder}/plain.log`, `${folder}/packed.bak`], { from: 'txt' })).toEqual(['plain.log', 'zipped']);
    const failure = await failureOf(readAll([`${folder}/plain.log`]));
    expect([failure.code, failure.sentence]).toEqual([
      'usage',
      `the name "${folder}/plain.log" does not tell a format; say its format with --from (jsonl, csv, tsv, txt, parquet, arrow, arrow-stream)`,
    ]);
  });
});

describe('inputs', () => {
  it('are read in the order of the arguments, and files of a folder in the order of their paths', async () => {
    const folder = folderOf(
      'b.jsonl',
      'a/z.csv',
      'a/b.txt',
      'B.jsonl.gz',
      'c.tsv',
      '_SUCCESS.txt',
      '.hid.jsonl',
      '_tmp/x.jsonl',
      'README.md',
    );
    const inside = ['B.jsonl.gz', 'a/b.txt', 'a/z.csv', 'b.jsonl', 'c.tsv'];
    expect(await texts([folder])).toEqual(inside);
    expect(await texts([`${folder}/c.tsv`, `${folder}//`, `${folder}/b.jsonl`])).toEqual(['c.tsv', ...inside, 'b.jsonl']);
  });

  it('may be globs, absolute or not, also below hidden folders', async () => {
    const folder = folderOf('.cache/_day/2.jsonl', '.cache/_day/10.jsonl', '.cache/_day/x.txt', 'odd [1].jsonl');
    expect(await texts([`${folder}/.cache/_day/*.jsonl`])).toEqual(['.cache/_day/10.jsonl', '.cache/_day/2.jsonl']);
    process.chdir(folder);
    expect(await texts(['.cache/*/*.{txt,jsonl}'])).toEqual(['.cache/_day/10.jsonl', '.cache/_day/2.jsonl', '.cache/_day/x.txt']);
    expect(await texts(['odd [1].jsonl'])).toEqual(['odd [1].jsonl']);
  });

  it('of several formats make one stream', async () => {
    const folder = folderOf('a.jsonl', 'b.csv');
    const records = await readAll([`${folder}/a.jsonl`, fixture('view.arrow'), fixture('table.parquet'), `${folder}/b.csv`]);
    expect(
      records
        .map(({ kept }) => kept.kind)
        .join('')
        .replaceAll('arrow', 'A')
        .replaceAll('values', 'v'),
    ).toBe(`v${'A'.repeat(45)}v`);
  });

  it('may be named pipes', async () => {
    const pipe = `${temporaryFolder()}/pipe`;
    execFileSync('mkfifo', [pipe]);
    const [read] = await Promise.all([texts([pipe], { from: 'jsonl' }), writeFile(pipe, '{"text":"piped"}\n')]);
    expect(read).toEqual(['piped']);
    const [rows] = await Promise.all([readAll([pipe], { from: 'arrow' }), writeFile(pipe, readFileSync(fixture('table.arrows')))]);
    expect(rows.map(({ text }) => text)).toEqual(FIXTURE_ROWS.map(({ text }) => text));
    expect((await failureOf(readAll([pipe], { from: 'parquet' }))).message).toBe(
      `${pipe}: no Parquet file: it is empty, or not a regular file`,
    );
  });

  it.each([
    ['nowhere.jsonl', /no file, folder or match for "nowhere\.jsonl"; check the path/],
    ['*.nothing', /no file, folder or match for "\*\.nothing"/],
    ['', /no file, folder or match for ""/],
  ])('that are not there (%j) are said to be', async (name, sentence) => {
    const failure = await failureOf(resolveInputs([name], NOTHING));
    expect(failure.code).toBe('input-not-found');
    expect(failure.sentence).toMatch(sentence);
  });

  it('are missed in a folder that holds none, and in a library call without standard input', async () => {
    const folder = folderOf('notes.md');
    const empty = await failureOf(resolveInputs([folder], NOTHING));
    expect([empty.code, empty.message]).toEqual(['input-not-found', `folder "${folder}" holds no file that can be read`]);
    expect((await failureOf(resolveInputs(['-'], NOTHING))).code).toBe('usage');
  });

  it('that vanish before they are read are named', async () => {
    const folder = folderOf('a.jsonl');
    const inputs = await resolveInputs([folder], NOTHING);
    rmSync(`${folder}/a.jsonl`);
    const failure = await failureOf(openRecords(inputs).next());
    expect([failure.code, failure.message]).toEqual(['input-unreadable', expect.stringContaining(`${folder}/a.jsonl: `)]);
  });
});
