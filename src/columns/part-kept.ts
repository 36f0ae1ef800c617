// The kept columns of a part: plain values as JSON text, Arrow cells as Arrow columns, and back.
import { type Data, Field, type RecordBatch, Utf8, type Vector } from 'apache-arrow';
import { parse, stringify } from 'lossless-json';
import { KeptColumn } from './kept.js';
import { otherType } from './kept-errors.js';
import type { KeepColumn, KeptCells, OutputRow } from './row.js';
import { utf8Column } from './utf8.js';

const VALUES = 'kept_values';

/** Plain values as JSON that keeps every digit and tells null from absent; Arrow cells as Arrow columns. */
export function encodeKept(rows: readonly OutputRow[], keep: readonly KeepColumn[]): [Field, Data][] {
  if (rows[0]?.kept.kind === 'values')
    return [[new Field(VALUES, new Utf8(), false), utf8Column(rows.map((row) => valuesJson(row, keep)))]];
  return keep.map((one, index) => {
    const kept = new KeptColumn(one, index);
    const data = kept.vector(rows).data[0] as Data;
    return [new Field(`kept_${index}`, data.type, true), data];
  });
}

function valuesJson({ kept, place }: OutputRow, keep: readonly KeepColumn[]): string {
  if (kept.kind !== 'values') throw otherType(keep[0] as KeepColumn, place);
  return (
    stringify(Object.fromEntries(kept.values.map((value, index) => [index, value]).filter(([, value]) => value !== undefined))) ?? '{}'
  );
}

export function decodeKept(batch: RecordBatch, keep: readonly KeepColumn[]): (row: number) => KeptCells {
  const values = batch.getChild(VALUES);
  if (values !== null) return (row) => ({ kind: 'values', values: parseValues(values.get(row), keep.length) });
  if (keep.length === 0) return () => ({ kind: 'values', values: [] });
  const columns = keep.map((_, index) => batch.getChild(`kept_${index}`) as Vector);
  return (row) => ({ kind: 'arrow', columns, row });
}

function parseValues(json: string, length: number): unknown[] {
  const held = parse(json, null, exactNumber) as Record<string, unknown>;
  return Array.from({ length }, (_, index) => held[index]);
}

/** As the JSON lines reader has numbers: a whole one too long for a double as a bigint. */
function exactNumber(digits: string): number | bigint {
  const value = Number(digits);
  return /^-?\d+$/.test(digits) && !Number.isSafeInteger(value) ? BigInt(digits) : value;
}
