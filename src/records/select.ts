// Which part of a row is the text, the id and the kept columns. Row formats ask for them by name; pure functions.
import type { EmbedkitError } from '../errors.js';
import { printable } from '../format.js';
import { BlankText, RowError } from './bad-rows.js';
import { describePlace, type Place, type TextRecord } from './record.js';
import { parseTemplate, type Template } from './template.js';

/** Characters of a column's name in a message. */
const MAX_SHOWN_NAME = 64;

export interface Selection {
  /** Field that holds the text; a dotted path reaches into objects. */
  readonly textField: string;
  /** Text put together from several fields, for example "{title}\n{text}"; wins over textField. */
  readonly template: string | undefined;
  /** Field that holds the id; undefined means `id`, then `_id`, then the row number. */
  readonly idField: string | undefined;
  /** Names of the columns carried through; a row that lacks one has undefined there. */
  readonly keep: readonly string[];
  /** Whether a row whose default id field holds no id is a bad one; default: yes. */
  readonly needsId?: boolean;
}

/** One row of a row format: reads the value at a path, and lists what there is when it is not there. */
export interface RowAccess {
  /** Value at a dotted path; undefined where there is none. */
  get(path: string): unknown;
  names(): readonly string[];
}

export const DEFAULT_ID_FIELDS = ['id', '_id'] as const;

export type RowReader = (row: RowAccess, place: Place) => TextRecord;

/** Builds the function that turns rows into records for this selection. */
export function rowReader(selection: Selection): RowReader {
  const template = selection.template === undefined ? undefined : parseTemplate(selection.template);
  const readOwnText = (row: RowAccess, place: Place): string =>
    template === undefined ? readText(row, selection.textField, place) : fillTemplate(template, row, place);
  return (row, place) => {
    const id = readId(row, selection, place);
    try {
      const text = readOwnText(row, place);
      return { id, text, kept: { kind: 'values', values: selection.keep.map((name) => row.get(name)) }, place };
    } catch (error) {
      if (error instanceof RowError) error.rowId = id;
      throw error;
    }
  };
}

function readText(row: RowAccess, field: string, place: Place): string {
  const value = row.get(field);
  if (value === undefined) throw noSuchField(field, '--text-field', row, place);
  return checkText(value, `field "${field}"`, place);
}

/** The text of a row, or the sentence that says why it is none. */
export function checkText(value: unknown, what: string, place: Place): string {
  if (typeof value !== 'string') {
    throw badRow(place, `${what} is ${describeValue(value)}, not text`, 'correct or remove the row');
  }
  if (value.trim() === '') {
    throw new BlankText('bad-row', `${describePlace(place)}: ${what} is ${value === '' ? 'empty' : 'only white space'}`, {
      hint: 'remove the row or fill it in',
    });
  }
  // What JSON can escape but UTF-8 cannot hold, half a surrogate pair, is U+FFFD from here on.
  return value.toWellFormed();
}

function fillTemplate(template: Template, row: RowAccess, place: Place): string {
  const parts = template.map((part) => (part.kind === 'literal' ? part.text : fillField(part, row, place)));
  return checkText(parts.join(''), 'the filled template', place);
}

/** What stands between columns elsewhere. */
const OTHER_DELIMITER = /[;|]|\\u0009/;

const PRINTABLE: ReadonlySet<string> = new Set(['string', 'number', 'bigint', 'boolean']);

function fillField(part: { path: string; optional: boolean }, row: RowAccess, place: Place): string {
  const value = row.get(part.path);
  const missing = value === undefined || value === null || Number.isNaN(value);
  if (part.optional && missing) return '';
  if (value === undefined) throw noSuchField(part.path, '--template', row, place, `or write {${part.path}?} where it may be missing`);
  if (!missing && PRINTABLE.has(typeof value)) return String(value);
  const hint = missing ? `write {${part.path}?} where it may be missing` : 'name another field';
  throw badRow(place, `field "${part.path}" is ${describeValue(value)}, not text`, hint);
}

function readId(row: RowAccess, { idField: field, needsId = true }: Selection, place: Place): string | undefined {
  if (field !== undefined) {
    const value = row.get(field);
    if (value === undefined) throw noSuchField(field, '--id-field', row, place);
    return idText(value, field, place);
  }
  for (const name of DEFAULT_ID_FIELDS) {
    const value = row.get(name);
    if (value !== undefined) return needsId || isId(value) ? idText(value, name, place) : undefined;
  }
  return undefined;
}

function isId(value: unknown): value is string | bigint | number {
  return typeof value === 'string' || typeof value === 'bigint' || (typeof value === 'number' && Number.isFinite(value));
}

/** An id as text; whole numbers keep every digit. */
export function idText(value: unknown, field: string, place: Place): string {
  if (value === '') throw badRow(place, `id field "${field}" is empty`, 'give the row an id, or leave the field out: then it is numbered');
  if (isId(value)) return String(value).toWellFormed();
  throw badRow(place, `id field "${field}" is ${describeValue(value)}`, 'ids are text or numbers: name another column with --id-field');
}

function noSuchField(field: string, flag: string, row: RowAccess, place: Place, also = ''): EmbedkitError {
  // A damaged header can be one name of any length over several lines.
  const known = row.names().slice(0, 20);
  const names = known.map((name) => printable(name.slice(0, MAX_SHOWN_NAME))).join(', ') || '(none)';
  if (known.length === 1 && OTHER_DELIMITER.test(names)) {
    return badRow(
      place,
      `no field "${field}", only one named "${names}"`,
      'put commas between the columns of CSV, or tabs with --from tsv',
    );
  }
  const hint = [`name one of these with ${flag}: ${names}`, also].filter(Boolean).join(', ');
  return badRow(place, `no field "${field}"`, hint);
}

export function badRow(place: Place, found: string, hint: string, cause?: unknown): EmbedkitError {
  return new RowError('bad-row', `${describePlace(place)}: ${found}`, { hint, cause });
}

/** What a value is, for a message: never its content at length. */
export function describeValue(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'missing';
  if (typeof value === 'number') return `the number ${value}`;
  if (typeof value === 'bigint') return `the number ${value}`;
  if (typeof value === 'boolean') return `the boolean ${value}`;
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'string') return 'text';
  if (value instanceof Uint8Array) return 'bytes';
  return 'an object';
}
