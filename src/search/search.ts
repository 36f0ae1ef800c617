// `search`: a query finds the nearest rows of an output of `embed`, exactly, in one pass over the file. The place to start reading.
import { CHUNK_COLUMNS, OWN_COLUMNS, type VectorDtype } from '../columns/row.js';
import { type EmbeddingModel, startModel } from '../embedder/open.js';
import { EmbedkitError } from '../errors.js';
import { addDocuments, NO_ROW, openTopRows, type TopRows } from '../evaluate/top-rows.js';
import { type Claims, settleClaims } from '../inspect/claims.js';
import { openOutput } from '../inspect/output.js';
import type { OutputFile } from '../inspect/output-file.js';
import type { FileBatch } from '../inspect/rows.js';
import { untilAborted } from '../job/abort.js';
import { comparable, decoded, type Storage } from '../job/storage.js';
import type { Precision } from '../model/names.js';
import { promptFor } from '../model/settings.js';
import type { Matrix } from '../vectors/matrix.js';
import { normalise } from '../vectors/normalise.js';

export interface SearchOptions {
  /** Hits; default 10. */
  readonly k?: number | undefined;
  /** What made the file, where it does not say so itself or lies elsewhere now. */
  readonly model?: string | undefined;
  readonly precision?: Precision | undefined;
  /** Default: the model's `query`, or none where it has none. */
  readonly prompt?: string | undefined;
  /** Type of the vectors of JSONL, which does not say so itself; default float32. */
  readonly dtype?: VectorDtype | undefined;
  /** Kept column to show; default: "text", "title", or the first of text. */
  readonly show?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Hit {
  /** Row of the file, from 0. */
  readonly row: number;
  readonly id: string;
  /** Cosine of the query's vector and the row's, which of binary is its signs. */
  readonly score: number;
  /** Of the column that is shown; empty where there is none. */
  readonly text: string;
}

export interface SearchResult {
  readonly file: string;
  readonly rows: number;
  readonly model: string;
  readonly precision: Precision;
  /** The text that was put before the query. */
  readonly prompt: string;
  readonly query: string;
  /** The column that is shown. */
  readonly column: string | null;
  /** Whether the file says that this model made it. */
  readonly checked: boolean;
  /** The best first; of equal scores the earlier row. */
  readonly hits: readonly Hit[];
}

export const DEFAULT_HITS = 10;

/** Above this a list is no first look, and every document is held against all of it. */
export const MOST_HITS = 10_000;

/**
 * Searches an output, a file or a folder. What is held does not grow with it.
 * @throws EmbedkitError `usage` for another model than the file's, a column it lacks or an empty query; `input-not-found`,
 *   `input-unreadable`, `model-invalid`, `engine-failed`; or the reason of `options.signal`
 */
export async function searchOutput(path: string, query: string, options: SearchOptions = {}): Promise<SearchResult> {
  const k = checkHits(options.k ?? DEFAULT_HITS);
  if (query.trim() === '') throw new EmbedkitError('usage', 'the query is empty', { hint: 'write some words' });
  const file = await openOutput(path);
  const column = shownColumn(file, options.show);
  const claims = await settleClaims(file, { model: options.model, precision: options.precision, dtype: options.dtype });
  checkModel(file, claims);
  const { manifest, precision } = claims.folder;
  const prompt = promptFor(manifest, options.prompt ?? (Object.hasOwn(manifest.prompts, 'query') ? 'query' : 'none'));
  const vector = await queryVector(prompt + query, claims, options.signal);
  const { hits, rows } = await findHits(file, vector, { k, column, storage: claims.storage, signal: options.signal });
  const checked = file.provenance !== undefined;
  return { file: path, rows, model: manifest.name, precision, prompt, query, column: column ?? null, checked, hits };
}

function checkHits(k: number): number {
  if (Number.isSafeInteger(k) && k >= 1 && k <= MOST_HITS) return k;
  throw new EmbedkitError('usage', `-k ${k}: not a whole number from 1 to ${MOST_HITS}`, { hint: 'choose one' });
}

function shownColumn({ columns, path }: OutputFile, asked: string | undefined): string | undefined {
  const own: readonly string[] = [...OWN_COLUMNS, ...CHUNK_COLUMNS];
  const kept = columns.filter(({ name }) => !own.includes(name));
  if (asked !== undefined) {
    if (columns.some(({ name }) => name === asked && name !== 'embedding')) return asked;
    const names = kept.map(({ name }) => name).join(', ');
    const hint = names === '' ? 'embed with --keep to carry columns through' : `it keeps ${names}`;
    throw new EmbedkitError('usage', `--show ${asked}: ${path} has no such column`, { hint });
  }
  const preferred = ['text', 'title'].find((name) => kept.some((column) => column.name === name));
  return preferred ?? kept.find(({ type }) => /utf8|^string$/i.test(type))?.name;
}

/** Vectors of another model share no space with these: their cosines mean nothing. */
function checkModel({ path, provenance, format }: OutputFile, { folder, fingerprint, claimedFingerprint, dims: dim }: Claims): void {
  const { manifest, precision } = folder;
  if (provenance !== undefined && fingerprint !== claimedFingerprint) {
    const made = `${provenance.model} (${provenance.precision}, ${shortened(claimedFingerprint)})`;
    const found = `${path} was made by ${made}, and ${manifest.name} (${precision}, ${shortened(fingerprint)}) is another model`;
    throw new EmbedkitError('usage', found, { hint: 'name the model that made it with --model and --precision, or embed the input again' });
  }
  if ([manifest.dim, ...manifest.dimensions].includes(dim)) return;
  const found = `${path} has vectors of ${dim} values, and ${manifest.name} gives none of that length`;
  throw new EmbedkitError('usage', found, { hint: `${format} does not say what made it: name the model with --model` });
}

function shortened(fingerprint: string): string {
  return fingerprint.slice(0, 12);
}

/** 1 x dim, of length 1. */
async function queryVector(text: string, { folder, maxTokens, dims }: Claims, signal: AbortSignal | undefined): Promise<Matrix> {
  const model: EmbeddingModel = startModel(folder, { threads: 1, maxTokens });
  try {
    await untilAborted(model.pool.ready(), signal);
    const vector = await untilAborted(model.embed([text], { prompt: 'none', dims }), signal);
    normalise(vector);
    return vector;
  } finally {
    await model.close();
  }
}

interface FindOptions {
  readonly k: number;
  readonly column: string | undefined;
  readonly storage: Storage;
  readonly signal: AbortSignal | undefined;
}

async function findHits(
  file: OutputFile,
  query: Matrix,
  { k, column, storage, signal }: FindOptions,
): Promise<{ hits: Hit[]; rows: number }> {
  const top = openTopRows(query, k);
  // Of signs, which are of length 1 for no other type.
  const length = storage.dtype === 'binary' ? Math.sqrt(query.dim) : 1;
  let said: Said = new Map();
  let rows = 0;
  for await (const batch of file.batches({ vectors: true, text: column })) {
    signal?.throwIfAborted();
    const first = rows;
    addDocuments(top, comparable(decoded(batch.vectors, storage), storage), (row) => first + row);
    rows += batch.rows.length;
    said = saidOf(top, said, batch, first);
  }
  const hits = [...top.rows].flatMap((row, at) => {
    const words = said.get(row);
    return row === NO_ROW || words === undefined ? [] : [{ row, ...words, score: (top.scores[at] as number) / length }];
  });
  return { hits, rows };
}

type Said = ReadonlyMap<number, { readonly id: string; readonly text: string }>;

/** Ids and texts of the rows that are best so far, and of no others. */
function saidOf({ rows }: TopRows, before: Said, batch: FileBatch, first: number): Said {
  const said = new Map<number, { id: string; text: string }>();
  for (const row of rows) {
    const known = before.get(row);
    const found = row < first ? undefined : batch.rows[row - first];
    if (known !== undefined) said.set(row, known);
    else if (found !== undefined) said.set(row, { id: found.id, text: batch.textOf(row - first) });
  }
  return said;
}
