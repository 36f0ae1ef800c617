// A run from an Arrow stream into one: record batches answered one for one, whatever the windows, the pauses and the rows that are none.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import * as arrow from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import type { JobConfig } from '#src/index.js';
import { runJob } from '#src/job/run.js';
import { encoderOf } from '#src/job/storage.js';
import { fc } from '../properties.js';
import { temporaryFolder } from '../run.js';
import { stubModel } from './stub-model.js';

type Text = string | null;

const SCHEMA = new arrow.Schema([
  new arrow.Field('n', new arrow.Int32(), false, new Map([['unit', 'apples']])),
  new arrow.Field('text', new arrow.Utf8(), true),
  new arrow.Field('word', new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8(), 7), true),
  new arrow.Field('view', new arrow.Utf8View(), true),
]);

/** One record batch of the schema; `n` counts from `first`. */
function batchOf(texts: readonly Text[], first: number): arrow.RecordBatch {
  const long = texts.map((text, row) => (row % 3 === 0 ? null : `a view of more than twelve bytes: ${text}`));
  const children = [
    arrow.vectorFromArray(Int32Array.from(texts, (_, row) => first + row)),
    arrow.vectorFromArray([...texts], new arrow.Utf8()),
    arrow.vectorFromArray(
      texts.map((_, row) => `w${row % 5}`),
      SCHEMA.fields[2]?.type as arrow.Dictionary,
    ),
    arrow.vectorFromArray(long, new arrow.Utf8View()),
  ].map(
    (vector, index) => vector.data[0] ?? arrow.vectorFromArray([null], SCHEMA.fields[index]?.type as arrow.DataType).data[0]?.slice(0, 0),
  );
  const struct = arrow.makeData({
    type: new arrow.Struct(SCHEMA.fields),
    length: texts.length,
    nullCount: 0,
    children: children as arrow.Data[],
  });
  return new arrow.RecordBatch(SCHEMA, struct);
}

function batchesOf(sizes: readonly (readonly Text[])[]): arrow.RecordBatch[] {
  let first = 0;
  return sizes.map((texts) => {
    const batch = batchOf(texts, first);
    first += texts.length;
    return batch;
  });
}

/** The messages of a stream one by one: the schema, each batch with its dictionaries, the end mark. */
function messagesOf(batches: readonly arrow.RecordBatch[]): Buffer[] {
  const writer = new arrow.RecordBatchStreamWriter();
  const sink = new (class extends arrow.AsyncByteQueue {
    chunks: Uint8Array[] = [];
    override write(chunk: Uint8Array): void {
      this.chunks.push(chunk);
    }
  })();
  const taken = (): Buffer => Buffer.concat(sink.chunks.splice(0));
  writer.reset(sink, SCHEMA);
  const messages = [taken()];
  for (const batch of batches) {
    writer.write(batch);
    messages.push(taken());
  }
  writer.close();
  return [...messages, taken()];
}

interface Answered {
  readonly bytes: Buffer;
  readonly batches: readonly arrow.RecordBatch[];
  readonly bad: readonly { row: number; id: string | null }[];
}

function pipeJob(stdin: Readable, stdout: Writable, changes: Partial<JobConfig> = {}): JobConfig {
  return { input: { paths: ['-'], from: 'arrow-stream', stdin }, output: { path: '-', to: 'arrow-stream', stdout }, ...changes };
}

class Collected extends Writable {
  readonly chunks: Buffer[] = [];
  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.chunks.push(chunk);
    done();
  }
}

async function answer(messages: readonly Buffer[], changes: Partial<JobConfig> = {}): Promise<Answered> {
  const stdout = new Collected();
  await runJob(pipeJob(Readable.from(messages), stdout, changes), stubModel());
  const bytes = Buffer.concat(stdout.chunks);
  const path = changes.quarantine;
  const lines = path !== undefined && existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
  return { bytes, batches: arrow.tableFromIPC(bytes).batches, bad: lines.map((line) => JSON.parse(line)) };
}

async function failureOf(run: Promise<unknown>): Promise<string> {
  return run.then(
    () => 'none',
    (error: { code: string; sentence: string }) => `${error.code}: ${error.sentence}`,
  );
}

const cells = (batch: arrow.RecordBatch): unknown[][] =>
  Array.from({ length: batch.numRows }, (_, row) => ['n', 'text', 'word', 'view'].map((name) => batch.getChild(name)?.get(row)));

/** Of an output, which the library reads without batches that have no rows. */
const withRows = (batches: readonly arrow.RecordBatch[]): arrow.RecordBatch[] => batches.filter(({ numRows }) => numRows > 0);

const isGood = (text: Text): boolean => text !== null && text.trim() !== '';

/** Record batches in a stream: messages whose header says so. */
function countBatches(bytes: Buffer): number {
  let count = 0;
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = bytes.readInt32LE(at + 4);
    if (length === 0) break;
    const message = arrow.Message.decode(bytes.subarray(at + 8, at + 8 + length));
    if (message.isRecordBatch()) count++;
    at += 8 + length + message.bodyLength;
  }
  return count;
}

describe('a pipe', () => {
  it('answers each batch with one, without the rows that are none, whatever the windows', async () => {
    const text: fc.Arbitrary<Text> = fc.constantFrom('a', 'b c', 'd e f', 'g', 'a b', 'c c c', null, '', ' ');
    const sizes = fc.array(fc.array(text, { maxLength: 12 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 1, max: 20 }), async (texts, rows) => {
        const given = batchesOf(texts);
        const quarantine = join(temporaryFolder(), 'bad.jsonl');
        const { bytes, batches, bad } = await answer(messagesOf(given), { window: { rows }, quarantine });
        const good = given.map((batch) => cells(batch).filter(([, value]) => isGood(value as Text)));
        expect(batches.length === 1 && batches[0]?.numRows === 0 ? [] : withRows(batches).map(cells)).toEqual(
          good.filter((some) => some.length > 0),
        );
        expect(bad.map(({ row }) => row)).toEqual(texts.flat().flatMap((value, row) => (isGood(value) ? [] : [row])));
        const again = await answer([Buffer.concat(messagesOf(given))], { quarantine });
        expect(again.bytes.equals(bytes)).toBe(true);
      }),
      { numRuns: 12 },
    );
  });

  it('keeps fields as they are and adds its own, of the text alone', async () => {
    const [batch] = (await answer(messagesOf(batchesOf([['a', 'b', 'a']])))).batches as [arrow.RecordBatch];
    const names = ['n', 'text', 'word', 'view', 'embedding', 'token_count', 'truncated', 'content_hash'];
    expect(batch.schema.fields.map(({ name }) => name)).toEqual(names);
    expect([...(batch.schema.fields[0]?.metadata ?? [])]).toEqual([['unit', 'apples']]);
    expect(batch.schema.fields.slice(0, 4).map(({ nullable, type }) => [nullable, String(type)])).toEqual(
      SCHEMA.fields.map(({ nullable, type }) => [nullable, String(type)]),
    );
    expect(JSON.parse(batch.schema.metadata.get('embedkit') ?? '')).toMatchObject({ dim: 384 });
    const [a, b, again] = [0, 1, 2].map((row) => [...((batch.getChild('embedding') as arrow.Vector).get(row) as arrow.Vector)]);
    expect(again).toEqual(a);
    expect(b).not.toEqual(a);
  });

  it.each(['int8', 'binary'] as const)('answers with the codes of %s that a file has', async (dtype) => {
    const given = messagesOf(batchesOf([['a', 'b'], [], ['c']]));
    const vectors = (found: Answered): arrow.Data[] =>
      withRows(found.batches).map((batch) => (batch.getChild('embedding') as arrow.Vector).data[0] as arrow.Data);
    const floats = vectors(await answer(given));
    const stdout = new Collected();
    await runJob(pipeJob(Readable.from(given), stdout, { output: { path: '-', to: 'arrow-stream', stdout, dtype } }), stubModel());
    const batches = arrow.tableFromIPC(Buffer.concat(stdout.chunks)).batches;
    const ranges = JSON.parse(batches[0]?.schema.metadata.get('embedkit') ?? '').int8_ranges;
    expect(ranges === undefined).toBe(dtype === 'binary');
    const encode = encoderOf({ dtype, ranges });
    const codes = vectors({ bytes: Buffer.alloc(0), batches, bad: [] });
    expect(codes.map(({ type }) => String(type))).toEqual(
      Array(2).fill(dtype === 'int8' ? 'FixedSizeList[384]<Int8>' : 'FixedSizeList[48]<Uint8>'),
    );
    expect(codes.map(({ children }) => [...(children[0] as arrow.Data).values])).toEqual(
      floats.map(({ children }) => [...encode((children[0] as arrow.Data).values)]),
    );
  });

  it('lets only the columns pass that --keep names', async () => {
    const changes = { input: { paths: ['-'], from: 'arrow-stream', keep: [{ name: 'view', type: undefined }] } } as const;
    const stdin = Readable.from(messagesOf(batchesOf([['a', 'b']])));
    const stdout = new Collected();
    await runJob(pipeJob(stdin, stdout, { input: { ...changes.input, stdin } }), stubModel());
    const names = arrow.tableFromIPC(Buffer.concat(stdout.chunks)).schema.fields.map(({ name }) => name);
    expect(names).toEqual(['view', 'embedding', 'token_count', 'truncated', 'content_hash']);
  });

  it('answers empty batches too, and an empty stream with its schema', async () => {
    const { bytes } = await answer(messagesOf(batchesOf([[], ['a'], [], []])));
    expect(countBatches(bytes)).toBe(4);
    const empty = await answer(messagesOf([]));
    expect(countBatches(empty.bytes)).toBe(0);
    expect(arrow.tableFromIPC(empty.bytes).schema.fields).toHaveLength(8);
  });

  it('answers before more is sent', async () => {
    const given = batchesOf([['a', 'b'], [], ['c'], ['d', 'e', 'f']]);
    const [schema, ...messages] = messagesOf(given);
    const stdin = new PassThrough();
    const stdout = new PassThrough();
    const running = runJob(pipeJob(stdin, stdout, { window: { rows: 2 } }), stubModel());
    stdin.write(schema);
    const reader = await arrow.RecordBatchReader.from(stdout as AsyncIterable<Buffer>);
    await reader.open();
    for (const [index, batch] of given.entries()) {
      // After the pause that let the answer before it go.
      await new Promise((resolve) => setTimeout(resolve, 20));
      stdin.write(messages[index]);
      const { value } = await reader.next();
      expect(cells(value as arrow.RecordBatch)).toEqual(cells(batch));
    }
    stdin.end(messages.at(-1));
    expect((await reader.next()).done).toBe(true);
    await expect(running).resolves.toMatchObject({ rows: 6 });
  });

  it('reads no further than a few windows ahead of a reader that does not take the answers', async () => {
    const texts = Array.from({ length: 64 }, (_, row) => `text ${row}`);
    const [schema, ...messages] = messagesOf(batchesOf(Array.from({ length: 200 }, () => texts)));
    let sent = 0;
    async function* feed(): AsyncGenerator<Buffer> {
      yield schema as Buffer;
      for (const message of messages) {
        sent++;
        yield message;
      }
    }
    const stop = new AbortController();
    let taken = 0;
    const stuck = new Writable({ write: (_chunk, _encoding, done) => void (taken++ < 3 ? done() : undefined) });
    const running = runJob(pipeJob(Readable.from(feed()), stuck, { window: { rows: 128 }, signal: stop.signal }), stubModel());
    let before = -1;
    while (before !== sent) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect(sent).toBeLessThan(60);
    stop.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
  });
});

describe('a pipe that fails', () => {
  it('ends at the first bad row, after whole batches only', async () => {
    const stdout = new Collected();
    const run = runJob(pipeJob(Readable.from(messagesOf(batchesOf([['a', 'b'], ['c', null, 'd'], ['e']]))), stdout), stubModel());
    expect(await failureOf(run)).toMatch(/^bad-row: standard input, row 3: field "text" is null, not text/);
    const bytes = Buffer.concat(stdout.chunks);
    expect(countBatches(bytes)).toBeLessThan(2);
    expect(bytes.subarray(-8).toString('hex')).not.toBe('ffffffff00000000');
  });

  it('does not take a stream without its end mark for a whole one', async () => {
    const messages = messagesOf(batchesOf([['a'], ['b'], ['c']]));
    for (const cut of [messages.slice(0, -1), messages.slice(0, 2), [Buffer.concat(messages).subarray(0, -100)], []]) {
      expect(await failureOf(answer(cut))).toMatch(/^input-unreadable: standard input: /);
    }
  });

  it.each([
    [{ model: { onOverflow: 'chunk' } }, /^usage: --on-overflow chunk makes several rows of one/],
    [{ quarantine: 'q.jsonl', onError: 'fail' }, /^usage: --quarantine and --on-error fail exclude/],
    [{ onError: 'quarantine' }, /^usage: --on-error quarantine needs an output that is a file/],
  ] as const)('says what it does not do: %j', async (changes, expected) => {
    expect(await failureOf(answer(messagesOf([]), changes as Partial<JobConfig>))).toMatch(expected);
  });

  it('says which columns cannot pass', async () => {
    const own = new arrow.Table({ text: arrow.vectorFromArray(['a']), truncated: arrow.vectorFromArray([1]) });
    expect(await failureOf(answer([Buffer.from(arrow.tableToIPC(own, 'stream'))]))).toMatch(
      /^usage: the stream has a column "truncated", and the output/,
    );
    const input = { paths: ['-'], from: 'arrow-stream', keep: [{ name: 'gone', type: undefined }] } as const;
    const stdin = Readable.from(messagesOf([]));
    const run = runJob(pipeJob(stdin, new Collected(), { input: { ...input, stdin } }), stubModel());
    expect(await failureOf(run)).toMatch(
      /^usage: --keep gone: the stream has no column of that name; name some of these: n, text, word, view/,
    );
  });

  it('refuses a batch of more rows than it holds', async () => {
    const many = new arrow.Table({ text: arrow.vectorFromArray(Array.from({ length: 65_537 }, () => 'a')) });
    const [batch] = many.batches;
    expect(batch?.numRows).toBe(65_537);
    expect(await failureOf(answer([Buffer.from(arrow.tableToIPC(many, 'stream'))]))).toMatch(
      /a record batch of 65537 rows, more than the 65536/,
    );
  });

  it('keeps to the file that a file output has for bad rows', async () => {
    const stdin = Readable.from(messagesOf([]));
    const output = { path: join(temporaryFolder(), 'out.parquet') };
    const run = runJob({ input: { paths: ['-'], from: 'arrow-stream', stdin }, output, quarantine: 'q.jsonl' }, stubModel());
    expect(await failureOf(run)).toMatch(/^usage: --quarantine is for streams/);
  });
});
