// Vectors of earlier outputs, for rows whose text and model are still the same, known by content hash: left where they are in a Parquet file
// that holds them as they are in memory, and copied into a flat file from all others.
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readdir, realpath, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import type { Data, RecordBatch, Vector } from 'apache-arrow';
import { type StoredValues, storedLength } from '../columns/row.js';
import { EmbedkitError, messageOf } from '../errors.js';
import { fingerprint } from '../model/settings.js';
import { readArrowBatches } from '../records/arrow.js';
import { formatOf } from '../records/formats.js';
import { openParquet } from '../records/parquet-file.js';
import { type ColumnPlaces, placesOf } from '../records/parquet-places.js';
import { type Input, resolveInputs } from '../records/read.js';
import type { Source } from '../records/source.js';
import { isThere } from '../there.js';
import { PROVENANCE_KEY, type VectorPlan } from './provenance.js';
import { floatsOf } from './storage.js';
import type { Target } from './target.js';
import { contiguous } from './vector-files.js';
import type { VectorIndex } from './vector-index.js';

/** Formats with metadata. */
const SAYS_ITS_MAKING: ReadonlySet<string> = new Set(['parquet', 'arrow', 'arrow-stream']);

const KEYS = ['content_hash', 'token_count', 'truncated'] as const;
const COLUMNS = [...KEYS, 'embedding'] as const;

const FLAT_NAME = /^reuse-\d+\.f32$/;

export interface ReuseOptions {
  readonly plan: VectorPlan;
  /** What the run writes: a folder's files go before the new ones are there. */
  readonly target: Target;
  /** Where flat files of vectors go; they last as long as the run. */
  readonly folder: string;
  readonly onWarning: (message: string) => void;
}

/**
 * Makes the vectors of earlier outputs known. One that is missing is said to be empty; one of another model, length or type is
 * said to be of no use. Throws `usage` for a format without provenance, `input-unreadable` for a damaged file.
 */
export async function rememberOutputs(known: VectorIndex, paths: readonly string[], options: ReuseOptions): Promise<void> {
  let files = 0;
  for (const path of paths) {
    const format = formatOf(path)?.format;
    if (format !== undefined && !SAYS_ITS_MAKING.has(format)) throw withoutProvenance(path);
    for (const input of await outputsAt(path, options)) {
      await rememberOutput(known, input, { ...options, path: join(options.folder, `reuse-${files++}.f32`) });
    }
  }
}

/** Removes the flat files, which the next run makes anew. */
export async function forgetOutputs(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) if (FLAT_NAME.test(name)) await rm(join(folder, name), { force: true });
}

async function rememberOutput(
  known: VectorIndex,
  { source, format }: Input,
  options: ReuseOptions & { readonly path: string },
): Promise<void> {
  if (!SAYS_ITS_MAKING.has(format)) {
    throw withoutProvenance(source.name);
  }
  const places = await lentPlaces(source, format, options);
  const flat = places === undefined ? createWriteStream(options.path) : undefined;
  const file = known.addFile(
    places === undefined ? { path: options.path, outlives: false, ...contiguous(0) } : { path: source.name, outlives: true, ...places },
  );
  const columns = places === undefined ? COLUMNS : KEYS;
  const batches = format === 'parquet' ? parquetBatches(source.name, columns) : readArrowBatches(source, { bytesDone: 0 });
  let row = 0;
  try {
    for await (const batch of batches) {
      const refusal = row === 0 ? refusalOf(batch, columns, options.plan) : undefined;
      if (refusal !== undefined) return options.onWarning(`--reuse ${source.name}: ${refusal}; nothing is taken from it`);
      if (flat !== undefined && !flat.write(vectorBytes(batch, options.plan))) await once(flat, 'drain');
      addKeys(known, batch, file, row);
      row += batch.numRows;
    }
  } finally {
    flat?.end();
    if (flat !== undefined) await finished(flat);
  }
}

/** Where the vectors of an output stand, if they can be left there until the new output is in its place; undefined: they are copied. */
async function lentPlaces({ name }: Source, format: string, { plan, target }: ReuseOptions): Promise<ColumnPlaces | undefined> {
  if (format !== 'parquet' || plan.dtype !== 'float32') return undefined;
  const isReplaced = target.kind === 'folder' && (await realpath(dirname(resolve(name)))) === target.path;
  return isReplaced ? undefined : placesOf(name, 'embedding', plan.dims);
}

async function* parquetBatches(path: string, columns: readonly string[]): AsyncGenerator<RecordBatch> {
  const unreadable = (error: unknown): EmbedkitError =>
    new EmbedkitError('input-unreadable', `--reuse ${path}: ${messageOf(error)}`, {
      hint: 'leave it out, or write it again',
      cause: error,
    });
  const file = await openParquet(path).catch((error) => {
    throw unreadable(error);
  });
  try {
    const missing = COLUMNS.find((name) => !file.names.includes(name));
    if (missing !== undefined) throw new Error(`no column "${missing}"`);
    for await (const batch of file.batches(columns)) {
      batch.schema.metadata.set(PROVENANCE_KEY, file.metadata.get(PROVENANCE_KEY) ?? '');
      yield batch;
    }
  } catch (error) {
    throw unreadable(error);
  } finally {
    await file.close();
  }
}

/** Why the vectors of a file are not those that this run would compute; undefined where they are. */
function refusalOf(batch: RecordBatch, columns: readonly string[], plan: VectorPlan): string | undefined {
  const json = batch.schema.metadata.get(PROVENANCE_KEY);
  if (!json || columns.some((name) => batch.getChild(name) === null)) return 'embedkit did not write it';
  const said = JSON.parse(json) as Record<string, unknown>;
  const made: Record<string, unknown> = { ...said, int8_ranges: JSON.stringify(said['int8_ranges']) };
  const wanted: Record<string, unknown> = {
    fingerprint: fingerprint(plan.folder.manifest, plan.maxTokens),
    precision: plan.folder.precision,
    dim: plan.dims,
    dtype: plan.dtype,
    int8_ranges: JSON.stringify(plan.ranges),
    prompt: plan.prompt,
  };
  const other = Object.keys(wanted).find((name) => made[name] !== wanted[name]);
  if (other === 'int8_ranges') return 'its int8_ranges are others than those of the model';
  return other === undefined ? undefined : `its ${other} is ${shown(made[other])}, not ${shown(wanted[other])}`;
}

function shown(value: unknown): string {
  return value === '' ? 'none' : String(value).slice(0, 40);
}

/** The vectors of a batch as float32, row after row; of codes what stands for them, which becomes the same codes again. */
function vectorBytes(batch: RecordBatch, plan: VectorPlan): Uint8Array {
  const list = batch.getChild('embedding')?.data[0] as Data;
  const items = list.children[0] as Data;
  const stored = items.values.slice(0, batch.numRows * storedLength(plan.dtype, plan.dims)) as StoredValues;
  const floats = floatsOf(stored, plan);
  return new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
}

function addKeys(known: VectorIndex, batch: RecordBatch, file: number, firstRow: number): void {
  const [hash, tokens, truncated] = COLUMNS.map((name) => batch.getChild(name)) as [Vector, Vector, Vector];
  for (let row = 0; row < batch.numRows; row++) {
    known.add(hash.get(row), { file, row: firstRow + row, tokenCount: tokens.get(row), truncated: truncated.get(row) });
  }
}

function withoutProvenance(path: string): EmbedkitError {
  return new EmbedkitError('usage', `--reuse ${path}: only Parquet and Arrow say what made their vectors`, { hint: 'name one of these' });
}

/** The files of a path, of a folder or of a pattern; none, said so, where it is not there, or a folder that a run was about to write anew. */
async function outputsAt(path: string, { onWarning }: ReuseOptions): Promise<readonly Input[]> {
  try {
    return await resolveInputs([path], { from: undefined, stdin: undefined });
  } catch (error) {
    if (!(error instanceof EmbedkitError) || error.code !== 'input-not-found') throw error;
    onWarning(`--reuse ${path} is ${(await isThere(path)) ? 'empty' : 'not there'}: nothing is taken from it`);
    return [];
  }
}
