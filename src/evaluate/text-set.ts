// Texts without labels, some of them in pairs: what two models can be compared on where nobody judged anything. Scores nothing.
import { basename, resolve } from 'node:path';
import { EmbedkitError } from '../errors.js';
import { isBad } from '../records/bad-rows.js';
import { formatOf } from '../records/formats.js';
import { readRecords, resolveInputs } from '../records/read.js';
import { checkText } from '../records/select.js';
import { linesOf, MAX_LABELLED_LINE_BYTES, type TextLine } from './labelled-lines.js';

export interface TextSet {
  readonly kind: 'texts';
  /** The file's name. */
  readonly name: string;
  /** Distinct texts, in order of first appearance. */
  readonly texts: readonly string[];
  /** Two rows of `texts` a pair. */
  readonly pairs: Int32Array;
  /** Rows of the file, and how many of them are used: fewer where there were too many. */
  readonly rows: number;
  readonly used: number;
}

/** Rows used: their nearest neighbours take time that grows with the square. Of more, every n-th is taken. */
export const MOST_ROWS = 4096;

const FORM = 'write a text a line, or two texts with a tab between them';

/** The texts of a row: one, or two for a pair. */
type Texts = readonly [string] | readonly [string, string];

/**
 * Reads a file of texts: lines of one text, or of text, tab, text, in any file but those that `embed` knows as JSONL, CSV, Parquet or
 * Arrow, of which it is the field "text".
 * @throws EmbedkitError `bad-row`, also for fewer than two different texts; `input-not-found`, `input-unreadable`
 */
export async function readTextSet(path: string): Promise<TextSet> {
  const sample = new EvenRows();
  for await (const row of isLines(path) ? lineRows(path) : recordRows(path)) sample.add(row);
  const byText = new Map<string, number>();
  const pairs: number[] = [];
  for (const row of sample.rows) {
    for (const text of row) if (!byText.has(text)) byText.set(text, byText.size);
    if (row.length === 2) pairs.push(...row.map((text) => byText.get(text) as number));
  }
  if (byText.size < 2) {
    const found = `${path}: holds ${byText.size === 0 ? 'no text' : 'a single text'}, so nothing has a neighbour`;
    throw new EmbedkitError('bad-row', found, { hint: 'name a file with some hundreds of texts' });
  }
  const name = basename(resolve(path));
  return { kind: 'texts', name, texts: [...byText.keys()], pairs: Int32Array.from(pairs), rows: sample.count, used: sample.rows.length };
}

function isLines(path: string): boolean {
  const format = formatOf(path)?.format;
  return format === undefined || format === 'txt' || format === 'tsv';
}

async function* lineRows(path: string): AsyncGenerator<Texts> {
  for await (const line of linesOf(path, FORM)) yield textsOf(line);
}

function textsOf({ text, place }: TextLine): Texts {
  const tab = text.indexOf('\t');
  if (tab === -1) return [checkText(text, 'the line', place)];
  return [checkText(text.slice(0, tab), 'the first text', place), checkText(text.slice(tab + 1), 'the second text', place)];
}

async function* recordRows(path: string): AsyncGenerator<Texts> {
  const inputs = await resolveInputs([path], { from: undefined, stdin: undefined });
  const selection = { textField: 'text', template: undefined, idField: undefined, keep: [] };
  const options = { selection, limits: { maxLineBytes: MAX_LABELLED_LINE_BYTES } };
  for await (const items of readRecords(inputs, options, { bytesDone: 0 })) {
    for (const item of items) {
      if (isBad(item)) throw item.error;
      yield [item.text];
    }
  }
}

/** Every n-th row of those added, n a power of two: as many as MOST_ROWS allows, whatever their number turns out to be. */
class EvenRows {
  count = 0;
  rows: Texts[] = [];
  private stride = 1;

  add(row: Texts): void {
    if (this.count++ % this.stride !== 0) return;
    if (this.rows.length === MOST_ROWS) {
      this.rows = this.rows.filter((_, at) => at % 2 === 0);
      this.stride *= 2;
      if ((this.count - 1) % this.stride !== 0) return;
    }
    this.rows.push(row);
  }
}
