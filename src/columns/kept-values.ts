// Kept columns of row formats: plain values become an Arrow vector, their type found in the first row group or named.
import { Bool, type DataType, Field, Float64, Int64, List, Utf8, type Vector, vectorFromArray } from 'apache-arrow';
import { stringify } from 'lossless-json';
import { EmbedkitError } from '../errors.js';
import { KEPT_TYPES, type KeepColumn, type KeptTypeName, type RowPlace } from './row.js';

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
  return scalar === 'json' ? { scalar, list: false } : { scalar, list };
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
    if (value === null || value === undefined) return null;
    const result = type.list ? convertList(value, type.scalar) : convert(value, type.scalar);
    if (result === undefined) throw misfit(column, type, value, places[index] as RowPlace);
    return result;
  });
  return vectorFromArray(converted, arrowType(type));
}

function convertList(value: unknown, scalar: KeptTypeName): unknown[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const items = value.map((item) => (item === null ? null : convert(item, scalar)));
  return items.includes(undefined) ? undefined : items;
}

/** `value` as the type wants it, or undefined where it does not fit. Text from CSV is read as the type that was asked for. */
function convert(value: unknown, type: KeptTypeName): unknown {
  if (type === 'json') return stringify(value) ?? 'null';
  if (type === 'string') return typeof value === 'string' ? value.toWellFormed() : typeof value === 'object' ? undefined : String(value);
  if (type === 'bool') return toBool(value);
  return type === 'int64' ? toInt64(value) : toFloat64(value);
}

function toBool(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  return value === 'true' ? true : value === 'false' ? false : undefined;
}

function toInt64(value: unknown): bigint | undefined {
  const isWhole = typeof value === 'bigint' || Number.isSafeInteger(value) || (typeof value === 'string' && /^-?\d+$/.test(value));
  if (!isWhole) return undefined;
  const whole = BigInt(value as bigint | number | string);
  return whole >= INT64_MIN && whole <= INT64_MAX ? whole : undefined;
}

function toFloat64(value: unknown): number | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value);
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  return Number.isNaN(number) ? undefined : number;
}

function misfit(column: KeepColumn, type: KeptType, value: unknown, place: RowPlace): EmbedkitError {
  const wanted = type.list ? `list of ${type.scalar}` : type.scalar;
  const got = Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `${typeof value} ${String(value).slice(0, 40)}`;
  const found = `${place.source}, ${place.unit} ${place.number}: kept column "${column.name}" is ${wanted} by its first rows, but here ${got}`;
  return new EmbedkitError('bad-row', found, { hint: `name its type: --keep ${column.name}:json (or ${KEPT_TYPES.join(', ')})` });
}
