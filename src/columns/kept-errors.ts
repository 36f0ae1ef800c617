// What can be wrong with a kept column, each as one sentence with its remedy.
import { EmbedkitError } from '../errors.js';
import { KEPT_TYPES, type KeepColumn, type RowPlace } from './row.js';

/** No row had the field. */
export function neverSeen(column: KeepColumn, rows: number): EmbedkitError {
  const found = `--keep ${column.name}: no field of that name in the first ${rows} rows`;
  const [, type] = /:(\w+)$/.exec(column.name) ?? [];
  const hint =
    type === undefined
      ? 'correct the name or leave it out'
      : `"${type}" is no type: write one of ${KEPT_TYPES.join(', ')}, or correct the name`;
  return new EmbedkitError('usage', found, { hint });
}

/** A type was named for a column whose input has types. */
export function typeOfItsOwn(column: KeepColumn): EmbedkitError {
  const found = `--keep ${column.name}:${column.type}: this input's columns have types of their own`;
  return new EmbedkitError('usage', found, { hint: `write --keep ${column.name}` });
}

/** One input has the column with another type than those before it. */
export function otherType(column: KeepColumn, place: RowPlace): EmbedkitError {
  const found = `${place.source}: kept column "${column.name}" is of another type than in the inputs before it`;
  return new EmbedkitError('bad-row', found, { hint: 'embed the files apart, or convert one of them' });
}

/** A value that its column's type does not hold; `wider` is a type that would. */
export function misfit(column: KeepColumn, type: string, wider: string, value: unknown, place: RowPlace): EmbedkitError {
  const why = column.type === undefined ? ` (by the first rows)` : '';
  const found = `${place.source}, ${place.unit} ${place.number}: kept column "${column.name}" is ${type}${why}, but here is ${described(value)}`;
  return new EmbedkitError('bad-row', found, { hint: `correct the row, or name a wider type: --keep ${column.name}:${wider}` });
}

/** Whether a message is a misfit's: its row has a good text, and is missing for a kept value alone. */
export function isMisfit(message: string): boolean {
  return /: kept column "/.test(message);
}

function described(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string') return `the text "${value.slice(0, 40)}"`;
  return `the ${typeof value === 'boolean' ? 'boolean' : 'number'} ${value}`;
}
