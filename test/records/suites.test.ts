// Other people's collections of hard inputs, read from beside the checkout.
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, it } from 'vitest';
import { EmbedkitError } from '#src/errors.js';
import { describeShared, sharedPath } from '../shared.js';
import { readPiped } from './reading.js';

const files = (folder: string): string[] => readdirSync(sharedPath(folder)).map((name) => sharedPath(`${folder}/${name}`));

function withoutLastNewline(bytes: Buffer): Buffer {
  return bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes;
}

/** What the reader makes of a document that stands on one line as a member of an object. */
async function outcomeOf(document: Buffer): Promise<'read' | string> {
  const line = Buffer.concat([Buffer.from('{"text":"t","value":'), document, Buffer.from('}')]);
  const found: EmbedkitError[] = [];
  const records = await readPiped([line], 'jsonl', { onBadRow: (error) => found.push(error), keep: ['value'] });
  if (found.some(({ sentence }) => !/^standard input, line \d+: .+; .+$/.test(sentence) || sentence.includes('\n'))) return 'no sentence';
  return records.length === 1 && found.length === 0 ? 'read' : 'refused';
}

describeShared('JSONTestSuite', () => {
  const documents = files('data/jsontestsuite/test_parsing').map((path) => ({
    name: basename(path),
    bytes: withoutLastNewline(readFileSync(path)),
  }));
  // More than one line: another row format. A document that is cut or goes on may make sense inside an object.
  const oneLine = documents.filter(({ bytes }) => !bytes.toString('latin1').includes('\n'));

  it('has what must be read', async () => {
    const must = oneLine.filter(({ name }) => name.startsWith('y_'));
    expect(must.length).toBeGreaterThan(85);
    for (const { name, bytes } of must) expect([name, await outcomeOf(bytes)]).toEqual([name, 'read']);
  });

  it('has what must be refused, with a sentence', async () => {
    const mustNot = oneLine.filter(({ name }) => name.startsWith('n_') && name !== 'n_object_trailing_comment_open.json');
    expect(mustNot.length).toBeGreaterThan(170);
    for (const { name, bytes } of mustNot) expect([name, await outcomeOf(bytes)]).toEqual([name, 'refused']);
  });

  it('has what parsers may judge either way', async () => {
    const may = documents.filter(({ name }) => name.startsWith('i_'));
    for (const { name, bytes } of may) expect([name, 'read', 'refused']).toContain(await outcomeOf(bytes));
  });

  it('crashes nothing as it is', async () => {
    for (const { name, bytes } of documents) {
      const outcome = await readPiped([bytes], 'jsonl', { onBadRow: () => undefined }).catch((error) => error);
      expect([name, Array.isArray(outcome) || outcome instanceof EmbedkitError]).toEqual([name, true]);
    }
  });
});

describeShared('naughty strings', () => {
  const strings: string[] = JSON.parse(readFileSync(sharedPath('data/naughty-strings/blns.json'), 'utf8'));
  const texts = strings.filter((text) => text.trim() !== '');

  it('come back equal from JSON lines and CSV', async () => {
    expect(texts.length).toBeGreaterThan(400);
    const jsonl = texts.map((text) => JSON.stringify({ text })).join('\n');
    expect((await readPiped([Buffer.from(jsonl)], 'jsonl')).map(({ text }) => text)).toEqual(texts);
    const csv = `text\n${texts.map((text) => `"${text.replaceAll('"', '""')}"`).join('\n')}\n`;
    expect((await readPiped([Buffer.from(csv)], 'csv')).map(({ text }) => text)).toEqual(texts);
  });

  it('come line by line from plain text', async () => {
    const bytes = readFileSync(sharedPath('data/naughty-strings/blns.txt'));
    const lines = bytes
      .toString('utf8')
      .split('\n')
      .map((line) => line.replace(/\r$/, ''));
    expect((await readPiped([bytes], 'txt')).map(({ text }) => text)).toEqual(lines.filter((line) => line.trim() !== ''));
  });
});

describeShared('UTF-8 tests', () => {
  it('have valid lines that are read and invalid ones that are refused by number', async () => {
    const bytes = readFileSync(sharedPath('data/utf8-tests/utf8tests.bin'));
    const bad: number[] = [];
    const onBadRow = ({ message }: Error): unknown => bad.push(Number(/line (\d+): not UTF-8/.exec(message)?.[1]));
    const records = await readPiped([bytes], 'txt', { onBadRow });
    // Each line says which it is: "7.1:valid:...".
    const lines = bytes.toString('latin1').trimEnd().split('\n');
    const numbersOf = (kind: string): number[] => lines.flatMap((line, index) => (line.split(':')[1]?.startsWith(kind) ? [index + 1] : []));
    expect(bad).toEqual(numbersOf('invalid'));
    expect(records.map(({ place }) => place.number)).toEqual(numbersOf('valid'));
    expect([bad.length, records.length]).toEqual([145, 77]);
  });

  it('have a text form that is all valid', async () => {
    const bytes = readFileSync(sharedPath('data/utf8-tests/utf8tests.txt'));
    const lines = bytes.toString('utf8').split('\n');
    expect((await readPiped([bytes], 'txt')).map(({ text }) => text)).toEqual(lines.filter((line) => line.trim() !== ''));
  });
});
