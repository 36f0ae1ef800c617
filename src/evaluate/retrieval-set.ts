// Queries, documents and which answers which: a retrieval set from a folder in BEIR's layout. Scores nothing.
import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { EmbedkitError } from '../errors.js';
import type { Place } from '../records/record.js';
import { badRow, checkText, describeValue } from '../records/select.js';
import { type Judgement, readJudgements } from './judgements.js';
import { linesOf, objectOf } from './labelled-lines.js';

export interface LabelledTexts {
  readonly ids: readonly string[];
  /** texts[i] belongs to ids[i]. */
  readonly texts: readonly string[];
}

/** Documents whose texts are not held: a corpus may be larger than memory. */
export interface Documents {
  readonly ids: readonly string[];
  /** Their texts in the order of the ids, at most `rows` at a time; from the file, anew with each call. */
  blocks(rows: number): AsyncIterable<readonly string[]>;
}

export interface RetrievalSet {
  readonly kind: 'retrieval';
  /** The folder, and the split where it is not "test", as in "scifact" or "scifact/train". */
  readonly name: string;
  /** Only queries that have a judgement, in the order of queries.jsonl. */
  readonly queries: LabelledTexts;
  readonly documents: Documents;
  /** For each query: row of a judged document -> relevance. */
  readonly judgements: readonly ReadonlyMap<number, number>[];
}

const FORM = 'a retrieval set is a folder with corpus.jsonl, queries.jsonl and qrels/test.tsv, as BEIR lays it out';

type Row = Readonly<Record<string, unknown>>;
type TextOf = (row: Row, place: Place) => string;

/**
 * Reads corpus.jsonl (_id, title, text), queries.jsonl (_id, text) and qrels/test.tsv, or the only .tsv in qrels/.
 * The text of a document is title, blank, text, as BEIR's own models take it; it may be empty, that of a query may not.
 * @throws EmbedkitError `bad-row` naming file and line, or for a set without a relevant document; `input-not-found`
 */
export async function readRetrievalSet(folder: string): Promise<RetrievalSet> {
  const labels = await judgementFile(folder);
  const documents = await openDocuments(join(folder, 'corpus.jsonl'));
  const queries = await readTexts(join(folder, 'queries.jsonl'), queryText);
  const judged = await readJudgements(join(folder, 'qrels', labels), rowsOf(queries.ids), rowsOf(documents.ids));
  const split = labels.replace(/\.tsv$/, '');
  const name = basename(resolve(folder)) + (split === 'test' ? '' : `/${split}`);
  return { kind: 'retrieval', name, documents, ...onlyJudged(queries, judged) };
}

async function judgementFile(folder: string): Promise<string> {
  const qrels = join(folder, 'qrels');
  const names = await readdir(qrels).catch(() => undefined);
  if (names === undefined) throw new EmbedkitError('input-not-found', `no folder "${qrels}"`, { hint: FORM });
  const tables = names.filter((name) => name.endsWith('.tsv')).sort();
  if (tables.includes('test.tsv')) return 'test.tsv';
  if (tables.length === 1) return tables[0] as string;
  const found = tables.length === 0 ? 'no .tsv file' : `no test.tsv but ${tables.length} others (${tables.slice(0, 5).join(', ')})`;
  throw new EmbedkitError('input-not-found', `${qrels}: ${found}`, { hint: FORM });
}

async function readTexts(path: string, textOf: TextOf): Promise<LabelledTexts> {
  const texts = new Map<string, string>();
  for await (const { id, text } of textRows(path, textOf, texts)) texts.set(id, text);
  return { ids: [...texts.keys()], texts: [...texts.values()] };
}

/** Checks every row, and keeps the ids. */
async function openDocuments(path: string): Promise<Documents> {
  const ids = new Set<string>();
  for await (const { id } of textRows(path, documentText, ids)) ids.add(id);
  const count = ids.size;
  return { ids: [...ids], blocks: (rows) => documentBlocks(path, rows, count) };
}

async function* documentBlocks(path: string, rows: number, count: number): AsyncGenerator<readonly string[]> {
  let block: string[] = [];
  let read = 0;
  for await (const line of linesOf(path, FORM)) {
    block.push(documentText(objectOf(line), line.place));
    if (++read > count) break;
    if (block.length < rows) continue;
    yield block;
    block = [];
  }
  if (read !== count) {
    throw new EmbedkitError('input-unreadable', `${path} changed while it was read`, { hint: 'evaluate again when it is at rest' });
  }
  if (block.length > 0) yield block;
}

/** The rows of a file, each with an id that none of `known` has. */
async function* textRows(
  path: string,
  textOf: TextOf,
  known: { has(id: string): boolean },
): AsyncGenerator<{ readonly id: string; readonly text: string }> {
  let isEmpty = true;
  for await (const line of linesOf(path, FORM)) {
    const row = objectOf(line);
    const id = idOf(row, line.place);
    if (known.has(id)) throw badRow(line.place, `the _id "${id}" stands on an earlier line too`, 'remove one of the two lines');
    isEmpty = false;
    yield { id, text: textOf(row, line.place) };
  }
  if (isEmpty) throw new EmbedkitError('bad-row', `${path}: holds no row`, { hint: FORM });
}

/** Documents that are in memory anyway. */
export function documentsOf(ids: readonly string[], texts: readonly string[]): Documents {
  return {
    ids,
    async *blocks(rows) {
      for (let start = 0; start < texts.length; start += rows) yield texts.slice(start, start + rows);
    },
  };
}

function idOf(row: Row, place: Place): string {
  const id = row['_id'];
  if (typeof id === 'string' && id !== '') return id.toWellFormed();
  if (Number.isSafeInteger(id)) return String(id);
  const found = id === '' ? 'empty' : describeValue(id);
  throw badRow(place, `_id is ${found}, not text`, 'write _id as text');
}

function queryText(row: Row, place: Place): string {
  return checkText(row['text'], 'field "text"', place).trim();
}

function documentText(row: Row, place: Place): string {
  const title = stringOf(row, 'title', place) ?? '';
  const text = stringOf(row, 'text', place);
  if (text === undefined) throw badRow(place, 'no field "text"', FORM);
  return (title.trim() === '' ? text : `${title} ${text}`).trim().toWellFormed();
}

function stringOf(row: Row, name: string, place: Place): string | undefined {
  const value = row[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  throw badRow(place, `field "${name}" is ${describeValue(value)}, not text`, 'correct or remove the row');
}

function rowsOf(ids: readonly string[]): Map<string, number> {
  return new Map(ids.map((id, row) => [id, row]));
}

function onlyJudged(queries: LabelledTexts, judged: readonly Judgement[]): Pick<RetrievalSet, 'queries' | 'judgements'> {
  const byQuery = new Map<number, Map<number, number>>();
  for (const { query, document, relevance } of judged) {
    const documents = byQuery.get(query) ?? new Map<number, number>();
    byQuery.set(query, documents.set(document, relevance));
  }
  const rows = [...byQuery.keys()].sort((a, b) => a - b);
  const pick = (values: readonly string[]): string[] => rows.map((row) => values[row] as string);
  return {
    queries: { ids: pick(queries.ids), texts: pick(queries.texts) },
    judgements: rows.map((row) => byQuery.get(row) as Map<number, number>),
  };
}
