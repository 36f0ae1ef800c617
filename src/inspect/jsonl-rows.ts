// The rows of a JSONL output: every line an object with the columns of an output, vectors as numbers.

import { EmbedkitError, messageOf } from '../errors.js';
import { DEFAULT_MAX_LINE_BYTES } from '../job/config.js';
import { type Line, lineText, readLines } from '../records/lines.js';
import { describePlace, type Place } from '../records/record.js';
import { describeValue } from '../records/select.js';
import { readBytes, type Source } from '../records/source.js';
import { altered, type FileBatch, type FileRow, shownValue } from './rows.js';

const ROWS_A_BATCH = 256;

export type JsonRow = Readonly<Record<string, unknown>>;

/** The objects of a file, `atOnce` or fewer at a time. Throws `input-unreadable` at a line that is none, such as the last one of a cut file. */
export async function* jsonRows(source: Source, atOnce = ROWS_A_BATCH): AsyncGenerator<{ readonly row: JsonRow; readonly place: Place }[]> {
  const limits = { maxLineBytes: DEFAULT_MAX_LINE_BYTES };
  for await (const lines of readLines(readBytes(source, { bytesDone: 0 }), source.name, limits)) {
    for (let start = 0; start < lines.length; start += atOnce) {
      yield lines.slice(start, start + atOnce).map((line) => ({ row: parse(line), place: line.place }));
    }
  }
}

function parse(line: Line): JsonRow {
  const value = parseJson(line);
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as JsonRow;
  throw altered(describePlace(line.place), describeValue(value));
}

function parseJson(line: Line): unknown {
  try {
    return JSON.parse(lineText(line));
  } catch (error) {
    const found = `${describePlace(line.place)}: no whole JSON object (${messageOf(error)})`;
    throw new EmbedkitError('input-unreadable', found, { hint: 'the file was cut or altered: embed the input again', cause: error });
  }
}

/** Column of an output -> what JSON has for it. */
const KINDS: Record<string, (value: unknown) => boolean> = {
  id: (value) => typeof value === 'string',
  embedding: (value) => Array.isArray(value) && value.length > 0,
  token_count: (value) => Number.isInteger(value),
  truncated: (value) => typeof value === 'boolean',
  content_hash: (value) => typeof value === 'string',
};

/** What keeps a row from being one of an output: fields that are missing or of another kind. */
export function fieldFaults(row: JsonRow): string[] {
  return Object.entries(KINDS).flatMap(([name, fits]) => {
    if (!Object.hasOwn(row, name)) return [`no field "${name}"`];
    return fits(row[name]) ? [] : [`a field "${name}" that is ${describeValue(row[name])}`];
  });
}

/** Rows with vectors of `dim` values. Throws `input-unreadable` for a row that is none. */
export async function* jsonlBatches(source: Source, dim: number, text?: string): AsyncGenerator<FileBatch> {
  for await (const found of jsonRows(source)) {
    const data = new Float32Array(found.length * dim);
    const rows = found.map(({ row, place }, index) => {
      const [fault] = fieldFaults(row);
      if (fault !== undefined) throw altered(describePlace(place), fault);
      data.set(vectorOf(row, place, dim), index * dim);
      return fileRow(row);
    });
    const textOf = (index: number): string => shownValue(text === undefined ? undefined : found[index]?.row[text]);
    yield { rows, vectors: { rows: rows.length, dim, data }, textOf };
  }
}

function vectorOf(row: JsonRow, place: Place, dim: number): Float32Array {
  const values = row['embedding'] as readonly unknown[];
  if (values.length !== dim) throw altered(describePlace(place), `a vector of ${values.length} values after others of ${dim}`);
  // A null would become 0, a usable number.
  return Float32Array.from(values, (value) => (typeof value === 'number' ? value : Number.NaN));
}

function fileRow(row: JsonRow): FileRow {
  return {
    id: row['id'] as string,
    tokenCount: row['token_count'] as number,
    truncated: row['truncated'] as boolean,
    contentHash: row['content_hash'] as string,
  };
}

/** The kind of a JSON value, as a column's type. */
export function jsonType(value: unknown): string {
  if (Array.isArray(value)) return `array of ${value.length}`;
  return value === null ? 'null' : typeof value;
}
