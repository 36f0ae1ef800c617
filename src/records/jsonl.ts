// JSON lines: an object a line. Blank lines are not rows. Whole numbers too long for a double keep every digit.
import { parse as parseLossless } from 'lossless-json';
import { messageOf } from '../errors.js';
import { itemsOf } from './bad-rows.js';
import { type Line, type LineLimits, lineOrigin, lineText, readLines } from './lines.js';
import { valueAt } from './path.js';
import type { Item, Place, TextRecord } from './record.js';
import { badRow, describeValue, type RowAccess, type RowReader } from './select.js';

// JSON.parse is several times faster, but rounds whole numbers from 16 digits on.
const LONG_NUMBER = /\d{16}/;
const WHOLE_NUMBER = /^-?\d+$/;

export async function* readJsonl(
  chunks: AsyncIterable<Buffer>,
  source: string,
  limits: LineLimits,
  toRecord: RowReader,
): AsyncGenerator<Item[]> {
  const parse = (line: Line): TextRecord | undefined => {
    const text = lineText(line);
    return text.trim() === '' ? undefined : toRecord(objectRow(parseObject(text, line.place)), line.place);
  };
  for await (const lines of readLines(chunks, source, limits)) yield itemsOf(lines, parse, lineOrigin);
}

function parseObject(text: string, place: Place): Record<string, unknown> {
  const value = parseJson(text, place);
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw badRow(place, `${describeValue(value)}, not an object`, 'write one JSON object a line, or use --from txt for plain text');
}

function parseJson(text: string, place: Place): unknown {
  try {
    const fast = JSON.parse(text);
    return LONG_NUMBER.test(text) ? parseLossless(text, null, AS_JSON_PARSE) : fast;
  } catch (error) {
    throw badRow(place, `not JSON (${messageOf(error)})`, 'write one JSON object a line, or use --from txt for plain text', error);
  }
}

// Of a key that stands twice the last value counts, as everywhere in JavaScript.
const AS_JSON_PARSE = { parseNumber: exactNumber, onDuplicateKey: ({ newValue }: { newValue: unknown }) => newValue };

/** The digits of a JSON number as a double where that is exact for whole numbers, else as a bigint. */
function exactNumber(digits: string): number | bigint {
  const value = Number(digits);
  return WHOLE_NUMBER.test(digits) && !Number.isSafeInteger(value) ? BigInt(digits) : value;
}

function objectRow(value: Record<string, unknown>): RowAccess {
  return { get: (path) => valueAt(value, path), names: () => Object.keys(value) };
}
