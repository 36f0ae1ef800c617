// A cell of an Arrow array as JSON has it: times as ISO text, decimals as text, bytes as base64, every digit kept.
import { type Data, DataType, DateUnit, Vector } from 'apache-arrow';
import { plainParts } from './plain-types.js';

/** Row `row` of `data` as what JSON can hold, whole numbers beyond 2^53 as bigint; null where there is none. */
export function cellJson(data: Data, row: number): unknown {
  const { type } = data;
  if (!data.getValid(row)) return null;
  if (DataType.isDictionary(type)) return cellJson(plainParts(data.slice(row, 1))[0] as Data, 0);
  if (DataType.isTimestamp(type)) return isoText(BigInt(data.values[row]), type.unit, type.timezone ? 'Z' : '');
  if (DataType.isDate(type)) return dateText(BigInt(data.values[row]), type.unit);
  if (DataType.isTime(type)) return isoText(BigInt(data.values[row]), type.unit, '').slice(11);
  if (DataType.isDecimal(type)) return decimalText(valuesOf(data, row) as Uint32Array, type.scale);
  if (DataType.isInterval(type)) return Array.from(valuesOf(data, row) as Int32Array);
  if (DataType.isStruct(type))
    return Object.fromEntries(type.children.map(({ name }, index) => [name, cellJson(childOf(data, index), row)]));
  if (DataType.isMap(type)) return mapJson(data, row);
  if (type.children?.length === 1) return listJson(data, row);
  const value: unknown = new Vector([data]).get(row);
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
}

function childOf(data: Data, index: number): Data {
  return data.children[index] as Data;
}

function valuesOf(data: Data, row: number): unknown {
  return data.values.subarray(row * data.stride, (row + 1) * data.stride);
}

/** A list of any kind: with offsets, or of a fixed size. */
function listJson(data: Data, row: number): unknown[] {
  const start = Number(data.valueOffsets?.[row] ?? row * data.stride);
  const end = Number(data.valueOffsets?.[row + 1] ?? start + data.stride);
  return Array.from({ length: end - start }, (_, index) => cellJson(childOf(data, 0), start + index));
}

/** Keys become text, as JSON wants them. */
function mapJson(data: Data, row: number): object {
  const [keys, values] = childOf(data, 0).children as [Data, Data];
  const start = Number(data.valueOffsets[row]);
  const entries = Array.from({ length: Number(data.valueOffsets[row + 1]) - start }, (_, index) => start + index);
  return Object.fromEntries(entries.map((entry) => [String(cellJson(keys, entry)), cellJson(values, entry)]));
}

const MAX_DATE_SECONDS = 8_640_000_000_000n;

/** `units` of 10^-(3 x unit) seconds since 1970 as ISO 8601; as a number where the year has more than six digits. */
function isoText(units: bigint, unit: number, zone: string): string {
  const digits = 3 * unit;
  const scale = 10n ** BigInt(digits);
  const fraction = ((units % scale) + scale) % scale;
  const seconds = (units - fraction) / scale;
  if (seconds > MAX_DATE_SECONDS || seconds < -MAX_DATE_SECONDS) return String(units);
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, -'.000Z'.length);
  return `${whole}${digits === 0 ? '' : `.${String(fraction).padStart(digits, '0')}`}${zone}`;
}

function dateText(value: bigint, unit: DateUnit): string {
  const days = unit === DateUnit.DAY ? value : value / 86_400_000n;
  const text = isoText(days * 86_400n, 0, '');
  return text.split('T')[0] as string;
}

/** Source: Arrow's Decimal128/256: a two's complement integer, lowest word first, to be divided by 10^scale. */
function decimalText(words: Uint32Array, scale: number): string {
  const unsigned = words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n);
  const integer = BigInt.asIntN(32 * words.length, unsigned);
  const digits = String(integer < 0n ? -integer : integer);
  const sign = integer < 0n ? '-' : '';
  if (scale <= 0) return `${sign}${digits}${integer === 0n ? '' : '0'.repeat(-scale)}`;
  const padded = digits.padStart(scale + 1, '0');
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}
