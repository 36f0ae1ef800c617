// Labelled sets from files as people have them, and a sentence for each way in which a file can be wrong.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { EmbedkitError } from '#src/errors.js';
import { MAX_LABELLED_LINE_BYTES } from '#src/evaluate/labelled-lines.js';
import { type RetrievalSet, readLabelledSet, type StsSet } from '#src/evaluate/labelled-set.js';
import { temporaryFolder } from '../run.js';
import { describeShared, sharedPath } from '../shared.js';

type Files = Record<string, string | Buffer>;

const BEIR = {
  'corpus.jsonl':
    '{"_id":"d1","title":"A title","text":"and text. "}\n{"_id":"d2","title":"","text":" no title"}\n{"_id":"d3","text":"none"}\n',
  'queries.jsonl': '{"_id":"q1","text":"first"}\n{"_id":"q2","text":"unjudged"}\n{"_id":"q3","text":"third"}\n',
  'qrels/test.tsv': 'query-id\tcorpus-id\tscore\nq3\td1\t2\nq1\td2\t1\nq3\td3\t0\n',
} as const;

function folderOf(files: Files): string {
  const root = join(temporaryFolder(), 'made-up');
  mkdirSync(root);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

const readSts = async (content: string | Buffer): Promise<StsSet> =>
  (await readLabelledSet(join(folderOf({ 'pairs.tsv': content }), 'pairs.tsv'))) as StsSet;
/** A retrieval set with the texts of its documents read. */
async function whole(reading: Promise<unknown>): Promise<Omit<RetrievalSet, 'documents'> & { readonly documents: object }> {
  const set = (await reading) as RetrievalSet;
  const blocks: (readonly string[])[] = [];
  for await (const block of set.documents.blocks(2)) blocks.push(block);
  expect(blocks.slice(0, -1).every((block) => block.length === 2)).toBe(true);
  return { ...set, documents: { ids: set.documents.ids, texts: blocks.flat() } };
}

const readBeir = (files: Files): ReturnType<typeof whole> => whole(readLabelledSet(folderOf({ ...BEIR, ...files })));

/** The code and the sentence of the failure, the folder left out. */
async function failureOf(reading: Promise<unknown>): Promise<[string, string]> {
  const error = await reading.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof EmbedkitError)) throw new Error(`no EmbedkitError but ${String(error)}`);
  expect(error.hint).toBeTruthy();
  expect(error.sentence).not.toContain('\n');
  return [error.code, error.message.replace(/[^\s"]*\/made-up/, 'made-up')];
}

describe('an STS file', () => {
  const expected = {
    kind: 'sts',
    name: 'made-up/pairs',
    a: ['one', 'three'],
    b: ['two', 'four\tand more'],
    scores: Float64Array.of(5, 0.25),
  };

  it.each([
    ['plain', '5.0\tone\ttwo\n.25\tthree\tfour\tand more\n'],
    ['with a header', 'score\tsentence1\tsentence2\n5\tone\ttwo\n0.25\tthree\tfour\tand more\n'],
    ['from Windows', '\ufeffscore\ta\tb\r\n5e0\tone\ttwo\r\n0.25\tthree\tfour\tand more\r\n'],
    ['with a byte order mark and no header', '\ufeff5\tone\ttwo\n0.25\tthree\tfour\tand more'],
    ['with blank lines', '\n5\tone\ttwo\n  \n0.25\tthree\tfour\tand more\n\n'],
    ['compressed', gzipSync('5\tone\ttwo\n0.25\tthree\tfour\tand more\n')],
  ])('is read: %s', async (_, content) => {
    expect(await readSts(content)).toEqual(expected);
  });

  it.each([
    ['1\ta\tb\n2\tc\n', 'line 2: fewer than three fields'],
    ['1\ta\tb\nx\tc\td\n', 'line 2: the score is not a number'],
    ['1\ta\tb\n\tc\td\n', 'line 2: the score is not a number'],
    ['1\ta\tb\n4,5\tc\td\n', 'line 2: the score is not a number'],
    ['1\ta\tb\n0x10\tc\td\n', 'line 2: the score is not a number'],
    ['1\ta\tb\nNaN\tc\td\n', 'line 2: the score is not a number'],
    ['1\ta\tb\n1e999\tc\td\n', 'line 2: the score is not a number'],
    ['1\ta\tb\n2\t\td\n', 'line 2: the first text is empty'],
    ['1\ta\tb\n2\tc\t  \n', 'line 2: the second text is only white space'],
    ['no tabs at all\n', 'line 1: fewer than three fields'],
    [Buffer.from('1\ta\tb\n2\t\xff\tc\n', 'latin1'), 'line 2: not UTF-8 (after 2 bytes that are)'],
  ])('names file and line of %j', async (content, sentence) => {
    expect(await failureOf(readSts(content))).toEqual(['bad-row', `made-up/pairs.tsv, ${sentence}`]);
  });

  it('names a file in UTF-16', async () => {
    const content = Buffer.from('\ufeff1\ta\tb\n', 'utf16le');
    expect(await failureOf(readSts(content))).toEqual(['input-unreadable', 'made-up/pairs.tsv: UTF-16 text, not UTF-8']);
  });

  it.each([
    ['', 'holds no pair'],
    ['score\ta\tb\n', 'holds no pair'],
    ['3\ta\tb\n3\tc\td\n', 'all scores are 3, so there is no order to compare with'],
  ])('is refused where it ranks nothing: %j', async (content, found) => {
    expect(await failureOf(readSts(content))).toEqual(['bad-row', `made-up/pairs.tsv: ${found}`]);
  });
});

describe('a line without an end', () => {
  it('is refused with a hint that names no flag', async () => {
    const path = folderOf({ 'pairs.tsv': Buffer.alloc(MAX_LABELLED_LINE_BYTES + 1, 'x') });
    const reading = readLabelledSet(join(path, 'pairs.tsv'));
    await expect(reading).rejects.toMatchObject({ code: 'text-too-long', hint: 'shorten or remove this line' });
  });
});

describe('a BEIR folder', () => {
  const expected = {
    kind: 'retrieval',
    name: 'made-up',
    queries: { ids: ['q1', 'q3'], texts: ['first', 'third'] },
    documents: { ids: ['d1', 'd2', 'd3'], texts: ['A title and text.', 'no title', 'none'] },
    judgements: [
      new Map([[1, 1]]),
      new Map([
        [0, 2],
        [2, 0],
      ]),
    ],
  };

  it('is read, with the judged queries alone', async () => {
    expect(await readBeir({})).toEqual(expected);
  });

  it('that changes between two readings is refused, not scored', async () => {
    const folder = folderOf(BEIR);
    const { documents } = (await readLabelledSet(folder)) as RetrievalSet;
    for (const content of [BEIR['corpus.jsonl'].split('\n')[0], BEIR['corpus.jsonl'].repeat(2)]) {
      writeFileSync(join(folder, 'corpus.jsonl'), content as string);
      const reading = (async () => {
        for await (const block of documents.blocks(100)) expect(block).toHaveLength(3);
      })();
      await expect(reading).rejects.toMatchObject({
        code: 'input-unreadable',
        message: expect.stringContaining('changed while it was read'),
      });
    }
  });

  it('is read from Windows, with marks, blank lines, no header, and the same judgement twice', async () => {
    const windows = (text: string): string => `\ufeff${text.replaceAll('\n', '\r\n\r\n')}`;
    const files = Object.fromEntries(Object.entries(BEIR).map(([path, text]) => [path, windows(text)]));
    expect(await readBeir(files)).toEqual(expected);
    expect(await readBeir({ 'qrels/test.tsv': 'q3\td1\t2\nq1\td2\t1\nq3\td3\t0\nq1\td2\t1\n' })).toEqual(expected);
  });

  it('takes numbers for ids, null for no title, an empty document, and ids that objects have as names', async () => {
    const set = await readBeir({
      'corpus.jsonl':
        '{"_id":7,"title":null,"text":""}\n{"_id":"constructor","title":"T","text":""}\n{"_id":"__proto__","text":"\\ud800"}\n',
      'qrels/test.tsv': 'q1\t7\t1\nq1\tconstructor\t1\nq1\t__proto__\t-1\n',
    });
    expect(set).toHaveProperty('documents', { ids: ['7', 'constructor', '__proto__'], texts: ['', 'T', '\ufffd'] });
    expect(set.judgements).toEqual([
      new Map([
        [0, 1],
        [1, 1],
        [2, -1],
      ]),
    ]);
  });

  it('takes test.tsv among others, or the only table', async () => {
    expect((await readBeir({ 'qrels/train.tsv': 'q2\td1\t1\n' })).queries.ids).toEqual(['q1', 'q3']);
    const { 'qrels/test.tsv': _, ...rest } = BEIR;
    const only = (await readLabelledSet(folderOf({ ...rest, 'qrels/dev.tsv': 'q2\td1\t1\n', 'qrels/README': 'x' }))) as RetrievalSet;
    expect([only.name, only.queries.ids]).toEqual(['made-up/dev', ['q2']]);
  });

  it.each<[string, string | Buffer, string]>([
    ['qrels/test.tsv', 'h\th\th\nq9\td1\t1\n', 'line 2: no query "q9" in queries.jsonl'],
    ['qrels/test.tsv', 'q1\td1\t1\nq1\td9\t1\n', 'line 2: no document "d9" in corpus.jsonl'],
    ['qrels/test.tsv', 'q1\td1\t1\nq1\td2\t0.5\n', 'line 2: the score is not a whole number'],
    ['qrels/test.tsv', 'q1\td1\t1\nq1\td2\t\n', 'line 2: the score is not a whole number'],
    ['qrels/test.tsv', 'q1\td1\t1\nq1\td1\t2\n', 'line 2: another score (2, before 1) for a pair judged before'],
    ['qrels/test.tsv', 'q1 0 d1 1\n', 'line 1: 1 field, not three'],
    ['qrels/test.tsv', 'q1\t0\td1\t1\n', 'line 1: 4 fields, not three'],
    ['queries.jsonl', '{"_id":"q1","text":"x"}\nnull\n', 'line 2: null, not an object'],
    ['queries.jsonl', '{"_id":"q1","text":""}\n', 'line 1: field "text" is empty'],
    ['queries.jsonl', '{"_id":"q1"}\n', 'line 1: field "text" is missing, not text'],
    ['corpus.jsonl', '{"_id":"d1","text":"x"}\n{"_id":"d1","text":"y"}\n', 'line 2: the _id "d1" stands on an earlier line too'],
    ['corpus.jsonl', '{"_id":"d1","text":"x"\n', 'line 1: not JSON'],
    ['corpus.jsonl', '[1]\n', 'line 1: an array, not an object'],
    ['corpus.jsonl', '{"text":"x"}\n', 'line 1: _id is missing, not text'],
    ['corpus.jsonl', '{"_id":"","text":"x"}\n', 'line 1: _id is empty, not text'],
    ['corpus.jsonl', '{"_id":12345678901234567890,"text":"x"}\n', 'line 1: _id is the number 12345678901234567000, not text'],
    ['corpus.jsonl', '{"_id":"d1"}\n', 'line 1: no field "text"'],
    ['corpus.jsonl', '{"_id":"d1","title":3,"text":"x"}\n', 'line 1: field "title" is the number 3, not text'],
    ['corpus.jsonl', Buffer.from('{"_id":"d1","text":"\xe9"}\n', 'latin1'), 'line 1: not UTF-8 (after 20 bytes that are)'],
  ])('names file and line: %s %j', async (path, content, sentence) => {
    expect(await failureOf(readBeir({ [path]: content }))).toEqual(['bad-row', `made-up/${path}, ${sentence}`]);
  });

  it.each([
    ['corpus.jsonl', '', 'holds no row'],
    ['queries.jsonl', '\n\n', 'holds no row'],
    ['qrels/test.tsv', 'query-id\tcorpus-id\tscore\n', 'holds no judgement'],
    ['qrels/test.tsv', 'q1\td1\t0\n', 'no judgement is above 0, so nothing is relevant'],
  ])('is refused where it is empty: %s %j', async (path, content, found) => {
    expect(await failureOf(readBeir({ [path]: content }))).toEqual(['bad-row', `made-up/${path}: ${found}`]);
  });

  it.each(['corpus.jsonl', 'queries.jsonl'] as const)('says which file is missing: %s', async (path) => {
    const { [path]: _, ...rest } = BEIR as Files;
    expect(await failureOf(readLabelledSet(folderOf(rest)))).toEqual(['input-not-found', `no file "made-up/${path}"`]);
  });

  it('says what is missing in qrels', async () => {
    const { 'qrels/test.tsv': _, ...rest } = BEIR;
    expect(await failureOf(readLabelledSet(folderOf(rest)))).toEqual(['input-not-found', 'no folder "made-up/qrels"']);
    const read = (files: Files) => failureOf(readLabelledSet(folderOf({ ...rest, ...files })));
    expect(await read({ 'qrels/notes.md': '' })).toEqual(['input-not-found', 'made-up/qrels: no .tsv file']);
    const two = 'made-up/qrels: no test.tsv but 2 others (dev.tsv, train.tsv)';
    expect(await read({ 'qrels/dev.tsv': '', 'qrels/train.tsv': '' })).toEqual(['input-not-found', two]);
    expect(await read({ 'qrels/test.tsv/x': '' })).toEqual(['input-not-found', '"made-up/qrels/test.tsv" is not a file']);
  });
});

describe('a path', () => {
  it('that is not there is named', async () => {
    expect(await failureOf(readLabelledSet(join(folderOf({}), 'none')))).toEqual(['input-not-found', 'no labelled set "made-up/none"']);
  });
});

describeShared('the shared sets', () => {
  it('STS-B dev has 1,500 pairs', async () => {
    const set = (await readLabelledSet(sharedPath('data/stsb/dev.tsv'))) as StsSet;
    expect([set.kind, set.name, set.a.length, set.b.length, set.scores.length]).toEqual(['sts', 'stsb/dev', 1500, 1500, 1500]);
    expect([Math.min(...set.scores), Math.max(...set.scores)]).toEqual([0, 5]);
    expect([set.scores[1], set.a[1], set.b[1]]).toEqual([4.75, 'A young child is riding a horse.', 'A child is riding a horse.']);
  });

  it('SciFact has 300 test queries, 339 judgements and 5,183 documents', async () => {
    const set = (await readLabelledSet(sharedPath('data/scifact'))) as RetrievalSet;
    const judgements = set.judgements.reduce((sum, judged) => sum + judged.size, 0);
    expect([set.kind, set.name, set.queries.ids.length, judgements, set.documents.ids.length]).toEqual([
      'retrieval',
      'scifact',
      300,
      339,
      5183,
    ]);
    const [document] = set.judgements[set.queries.ids.indexOf('1')]?.keys() ?? [];
    expect(set.documents.ids[document as number]).toBe('31715818');
  });
});
