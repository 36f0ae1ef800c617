// Calibration texts read from every kind of input: bad rows counted, duplicates dropped, hashes, the same picks each time.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type CalibrationOptions, readCalibration } from '#src/quantize/calibration.js';
import type { TextTokenizer } from '#src/tokens/tokenizer.js';
import { FIXTURE_ROWS, fixture } from '../records/fixtures.js';
import { failureOf } from '../records/reading.js';
import { temporaryFolder } from '../run.js';

// A token a word, and one before and after the text.
const WORDS: TextTokenizer = {
  encode(text, maxTokens) {
    const words = text.split(/\s+/).filter(Boolean).length + 2;
    const ids = Array.from({ length: Math.min(words, maxTokens) }, () => 1);
    return { ids, lost: words - ids.length, lostIsExact: true };
  },
};

function read(paths: readonly string[], options: Partial<CalibrationOptions> = {}): ReturnType<typeof readCalibration> {
  return readCalibration({ paths, samples: 1000, heldOutShare: 0.25, ...options }, WORDS, 8);
}

function written(name: string, content: string | Buffer): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
}

const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');
const textsOf = (texts: readonly { text: string }[]): string[] => texts.map(({ text }) => text);
const lines = (rows: readonly unknown[]): string => rows.map((row) => `${typeof row === 'string' ? row : JSON.stringify(row)}\n`).join('');
const WHOLE = { heldOutShare: 0 };

describe('readCalibration', () => {
  it('reads JSON lines, counts bad rows by kind and drops duplicates', async () => {
    const rows = [
      { text: 'one two' },
      { text: '' },
      { text: ' \t' },
      { text: 5 },
      { id: 9 },
      'no JSON',
      '',
      [1],
      { text: 'one two' },
      { text: 'three' },
    ];
    const path = written('in.jsonl', lines(rows));
    const { observed, heldOut, rows: count, dropped, files, digest } = await read([path], WHOLE);
    const expected = [
      { text: 'one two', tokens: 4 },
      { text: 'three', tokens: 3 },
    ];
    expect({ observed, heldOut, count, dropped }).toEqual({ observed: expected, heldOut: [], count: 9, dropped: { blank: 2, notText: 4 } });
    expect(files).toEqual([{ name: path, sha256: sha256(readFileSync(path)), rows: 9 }]);
    expect(digest).toBe(sha256('"one two"\n"three"\n\n'));
  });

  it('reads CSV by field and by template, and counts short rows and bytes that are not UTF-8', async () => {
    const csv = Buffer.concat([Buffer.from('title,body\nA,first\nB\nC,\nD,'), Buffer.from([0xff]), Buffer.from('\nE,"second\nline"\n')]);
    const path = written('in.csv', csv);
    const byField = await read([path], { ...WHOLE, textField: 'body' });
    expect([textsOf(byField.observed), byField.rows, byField.dropped]).toEqual([['first', 'second\nline'], 5, { blank: 1, notText: 2 }]);
    const byTemplate = await read([path], { ...WHOLE, template: '{title}: {body}' });
    expect([textsOf(byTemplate.observed), byTemplate.dropped]).toEqual([['A: first', 'C: ', 'E: second\nline'], { blank: 0, notText: 2 }]);
  });

  it('reads Parquet and Arrow, and counts the rows of a column that hold no text', async () => {
    for (const name of ['table.parquet', 'zstd.feather']) {
      const path = fixture(name);
      const { observed, rows, dropped, files } = await read([path], { ...WHOLE, textField: 'doc.body' });
      expect([textsOf(observed), rows, dropped]).toEqual([FIXTURE_ROWS.map(({ body }) => body), 40, { blank: 0, notText: 0 }]);
      expect(files).toEqual([{ name: path, sha256: sha256(readFileSync(path)), rows: 40 }]);
      const kinds = await read([path], { ...WHOLE, template: '{kind}{score?}', samples: 5 });
      expect([kinds.observed.length, kinds.rows]).toEqual([5, 40]);
    }
    const failure = await failureOf(read([fixture('table.parquet')], { textField: 'score' }));
    expect(failure.sentence).toContain('no text in any of 40 rows to calibrate with; the first: ');
    expect(failure.sentence).toContain('row 0: field "score" is null, not text; correct or remove the row');
  });

  it('reads several inputs in one, standard input among them', async () => {
    const first = written('a.txt', 'alpha\n\n  \nbeta\n');
    const second = written('b.jsonl', lines([{ text: 'gamma' }, { text: null }]));
    const { observed, rows, dropped, files } = await read([first, second], WHOLE);
    expect([textsOf(observed), rows, dropped]).toEqual([['alpha', 'beta', 'gamma'], 4, { blank: 0, notText: 1 }]);
    expect(files.map((file) => file.rows)).toEqual([2, 2]);
    const piped = await read([first, '-'], { heldOutShare: 0.5, from: 'txt', stdin: Readable.from([Buffer.from('delta\nepsilon\n')]) });
    expect([textsOf(piped.observed), textsOf(piped.heldOut)]).toEqual([
      ['alpha', 'delta'],
      ['beta', 'epsilon'],
    ]);
    expect(piped.files[1]).toEqual({ name: 'standard input', sha256: sha256('"delta"\n\n"epsilon"\n'), rows: 2 });
    expect(piped.digest).toBe(sha256('"alpha"\n"delta"\n\n"beta"\n"epsilon"\n'));
  });

  it('reads a named pipe once', async () => {
    const path = join(temporaryFolder(), 'pipe.txt');
    execFileSync('mkfifo', [path]);
    const writing = writeFile(path, 'alpha\nbeta\n');
    const { observed, files } = await read([path], WHOLE);
    await writing;
    expect(textsOf(observed)).toEqual(['alpha', 'beta']);
    expect(files).toEqual([{ name: path, sha256: sha256('"alpha"\n"beta"\n\n'), rows: 2 }]);
  });

  it('cuts what is far too long, and counts tokens as the model takes them', async () => {
    const long = 'word '.repeat(1000);
    const { observed } = await read([written('in.jsonl', lines([{ text: long }, { text: 'a b' }]))], WHOLE);
    expect(observed).toEqual([
      { text: long.slice(0, 16 * 8), tokens: 8 },
      { text: 'a b', tokens: 4 },
    ]);
  });
});

describe('readCalibration without texts', () => {
  it('says what was found and what to do', async () => {
    const empty = written('empty.txt', '\n\n');
    expect(await failureOf(read([empty]))).toMatchObject({
      code: 'bad-row',
      sentence: `${empty}: no rows to calibrate with; name an input that holds texts`,
    });
    const other = written('other.jsonl', lines([{ body: 'x' }, { body: 'y' }]));
    expect(await failureOf(read([other]))).toMatchObject({
      code: 'bad-row',
      sentence: `no text in any of 2 rows to calibrate with; the first: ${other}, line 1: no field "text"; name one of these with --text-field: body`,
    });
  });

  it('refuses options that cannot be, and inputs that are not there', async () => {
    const path = written('in.txt', 'a\n');
    for (const wrong of [{ samples: 0 }, { samples: 1.5 }, { heldOutShare: 1 }, { heldOutShare: -0.1 }, { heldOutShare: Number.NaN }]) {
      expect(await failureOf(read([path], wrong))).toMatchObject({ code: 'usage' });
    }
    expect(await failureOf(read([`${path}.gone`]))).toMatchObject({ code: 'input-not-found' });
  });
});

describe('readCalibration over 200,000 rows', () => {
  const ROWS = 200_000;
  const rowText = (row: number): string => `${row} ${'word '.repeat(row % 1000 === 3 ? 20 : row % 5)}`.trim();

  function* corpus(): Generator<Buffer> {
    for (let row = 0; row < ROWS; row += 1000) {
      yield Buffer.from(Array.from({ length: 1000 }, (_, index) => `${rowText(row + index)}\n`).join(''));
    }
  }

  const sample = (): ReturnType<typeof readCalibration> =>
    read(['-'], { from: 'txt', stdin: Readable.from(corpus()), samples: 300, heldOutShare: 0.2 });

  it('picks as many as asked for, of all lengths, from all of it, the same each time', async () => {
    const calibration = await sample();
    const { observed, heldOut, rows } = calibration;
    expect([observed.length, heldOut.length, rows]).toEqual([240, 60, ROWS]);
    const all = textsOf([...observed, ...heldOut]);
    expect(new Set(all).size).toBe(300);
    const bucket = (text: string): number => Math.floor(Math.log2(text.length));
    const tenth = (text: string): number => Math.floor(Number.parseInt(text, 10) / (ROWS / 10));
    for (const part of [observed, heldOut]) {
      const texts = textsOf(part);
      expect(texts).toEqual(texts.map((text) => rowText(Number.parseInt(text, 10))));
      expect(texts.map((text) => Number.parseInt(text, 10))).toEqual(texts.map((text) => Number.parseInt(text, 10)).sort((a, b) => a - b));
      expect([...new Set(texts.map(tenth))]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect([2, 3, 4, 6].filter((length) => !texts.some((text) => bucket(text) === length))).toEqual([]);
    }
    expect(await sample()).toEqual(calibration);
  });
});
