// Kept columns of row formats: plain values become an Arrow vector, their type found in the first row group or named.
import { Bool, type DataType, Field, Float64, Int64, List, Utf8, type Vector, vectorFromArray } from 'apache-arrow';
import { stringify } from 'lossless-json';
import type { EmbedkitError } from '../errors.js';
import { misfit } from './kept-errors.js';
import type { KeepColumn, KeptTypeName, RowPlace } from './row.js';

/** A scalar type, or a list of one. */
export interface KeptType {
  readonly scalar: KeptTypeName;
  readonly list: boolean;
}

const ARROW_TYPES: Record<KeptTypeName, () => DataType> = {
  string: () => new Utf8(),
  json: () => new Utf8(),
  int64: () => new Int64(),
  float64: () => new Float64(),
  bool: () => new Bool(),
};

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

export function arrowType({ scalar, list }: KeptType): DataType {
  const type = ARROW_TYPES[scalar]();
  return list ? new List(new Field('item', type, true)) : type;
}

/**
 * The narrowest type that holds all values of a column: numbers widen from int64 to float64, arrays of one scalar type
 * are lists, and whatever mixes types or holds objects becomes JSON text.
 */
export function inferType(values: readonly unknown[]): KeptType {
  const present = values.filter((value) => value !== null && value !== undefined);
  const list = present.length > 0 && present.every(Array.isArray);
  const scalars = list ? present.flat().filter((value) => value !== null) : present;
  const scalar = scalars.map(scalarType).reduce(widen, undefined) ?? 'string';
  // A whole number that a float cannot hold beside one with a fraction: only as text does neither lose anything.
  const isLossy = scalar === 'float64' && !scalars.every((value) => CONVERT.float64(value) !== undefined);
  return scalar === 'json' || isLossy ? { scalar: 'json', list: false } : { scalar, list };
}

function scalarType(value: unknown): KeptTypeName {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'int64' : 'float64';
  if (typeof value === 'bigint') return value >= INT64_MIN && value <= INT64_MAX ? 'int64' : 'json';
  return 'json';
}

function widen(a: KeptTypeName | undefined, b: KeptTypeName): KeptTypeName {
  if (a === undefined || a === b) return b;
  const numbers = new Set<KeptTypeName>(['int64', 'float64']);
  return numbers.has(a) && numbers.has(b) ? 'float64' : 'json';
}

/** The Arrow vector of a kept column. Throws `bad-row` for a value that its type does not hold. */
export function valuesToVector(column: KeepColumn, type: KeptType, values: readonly unknown[], places: readonly RowPlace[]): Vector {
  const converted = values.map((value, index) => {
    const result = converting(column, type, value);
    if (result === undefined) throw misfitOf(column, type, value, places[index] as RowPlace);
    return result;
  });
  return vectorFromArray(converted, arrowType(type));
}

/** Whether a column of this type holds a value. */
export function fitsType(column: KeepColumn, type: KeptType, value: unknown): boolean {
  return converting(column, type, value) !== undefined;
}

export function misfitOf(column: KeepColumn, type: KeptType, value: unknown, place: RowPlace): EmbedkitError {
  return misfit(column, typeName(type), widerName(column, type, value), value, place);
}

/** The value as the column holds it; undefined where it does not fit. */
function converting(column: KeepColumn, type: KeptType, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  const convert = column.type === undefined ? CONVERT[type.scalar] : readAs(column.type);
  return type.list ? convertList(value, convert) : convert(value);
}

/** A value as the type named for its column wants it. Throws `bad-row` where it does not fit. */
export function namedValue(column: KeepColumn, type: KeptTypeName, value: unknown, place: RowPlace): unknown {
  if (value === null || value === undefined) return null;
  const result = readAs(type)(value);
  if (result === undefined) throw misfit(column, type, widerName(column, { scalar: type, list: false }, value), value, place);
  return result;
}

/** Gives the value as the type wants it, or undefined where it does not fit. */
type Convert = (value: unknown) => unknown;

/** For types found in the values: nothing changes its kind. */
const CONVERT: Record<KeptTypeName, Convert> = {
  string: (value) => (typeof value === 'string' ? value.toWellFormed() : undefined),
  int64: (value) => (scalarType(value) === 'int64' ? BigInt(value as number | bigint) : undefined),
  float64: (value) =>
    typeof value === 'number' || (typeof value === 'bigint' && BigInt(Number(value)) === value) ? Number(value) : undefined,
  bool: (value) => (typeof value === 'boolean' ? value : undefined),
  json: (value) => stringify(value) ?? 'null',
};

/** For types that were named: text, as in CSV, is read as the type, an empty one as null; any scalar can be text. */
function readAs(type: KeptTypeName): Convert {
  if (type === 'string') return (value) => CONVERT.string(typeof value === 'object' ? value : String(value));
  return (value) => {
    if (type !== 'json' && typeof value === 'string') return fromText(value.trim(), type);
    // Who names float64 wants the nearest one.
    return type === 'float64' && typeof value === 'bigint' ? Number(value) : CONVERT[type](value);
  };
}

function fromText(text: string, type: KeptTypeName): unknown {
  if (text === '') return null;
  if (type === 'int64') return /^[+-]?\d+$/.test(text) ? CONVERT.int64(BigInt(text.replace('+', ''))) : undefined;
  if (type === 'bool') return { true: true, false: false }[text.toLowerCase()];
  return Number.isNaN(Number(text)) ? undefined : Number(text);
}

function convertList(value: unknown, convert: Convert): unknown[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const items = value.map((item) => (item === null ? null : convert(item)));
  return items.includes(undefined) ? undefined : items;
}

function typeName({ scalar, list }: KeptType): string {
  return list ? `list of ${scalar}` : scalar;
}

/** A type that holds `value` and what the column held before. */
function widerName(column: KeepColumn, type: KeptType, value: unknown): KeptTypeName {
  if (type.list || typeof value === 'object') return 'json';
  if (column.type !== undefined) return 'string';
  return type.scalar === 'float64' ? 'json' : widen(type.scalar, scalarType(value));
}
