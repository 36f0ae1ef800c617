// JSON lines: an object a row. Each float is written with the fewest digits that read back to the same float32.
import { DataType, type Vector } from 'apache-arrow';
import { stringify } from 'lossless-json';
import { EmbedkitError } from '../errors.js';
import type { ByteSink, ColumnsWriter, LayoutOptions, OutputRow, RowVectors } from './row.js';

const ROWS_A_WRITE = 64;

/** Writes JSON lines to a sink, as soon as rows come. */
export class JsonlWriter implements ColumnsWriter {
  private readonly seen: boolean[];
  private rows = 0;

  constructor(
    private readonly sink: ByteSink,
    private readonly layout: LayoutOptions,
  ) {
    this.seen = layout.keep.map(() => false);
  }

  async append(rows: readonly OutputRow[], vectors: RowVectors): Promise<void> {
    const { dim } = this.layout;
    for (let start = 0; start < rows.length; start += ROWS_A_WRITE) {
      const lines = rows.slice(start, start + ROWS_A_WRITE).map((row, index) => {
        const at = (start + index) * dim;
        return this.line(row, vectors.data.subarray(at, at + dim));
      });
      await this.sink.write(Buffer.from(lines.join('')));
    }
    this.rows += rows.length;
  }

  async finish(): Promise<void> {
    const never = this.layout.keep.find((_, index) => !this.seen[index]);
    if (this.rows === 0 || never === undefined) return;
    throw new EmbedkitError('bad-row', `--keep ${never.name}: no row has a field of that name`, {
      hint: 'correct the name or leave it out',
    });
  }

  private line(row: OutputRow, vector: Float32Array): string {
    const kept = this.layout.keep.map((column, index) => `${JSON.stringify(column.name)}:${this.keptJson(row, index)}`);
    const members = [
      `"id":${JSON.stringify(row.id)}`,
      ...kept,
      `"embedding":[${Array.from(vector, shortest).join(',')}]`,
      `"token_count":${row.tokenCount}`,
      `"truncated":${row.truncated}`,
      `"content_hash":"${row.contentHash}"`,
    ];
    return `{${members.join(',')}}\n`;
  }

  private keptJson(row: OutputRow, index: number): string {
    const { kept } = row;
    const value = kept.kind === 'values' ? kept.values[index] : arrowValue(kept.columns[index] as Vector, kept.row);
    if (value !== undefined) this.seen[index] = true;
    return stringify(value ?? null) ?? 'null';
  }
}

/** The shortest decimal that reads back (through a double) to the same float32. */
function shortest(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return String(text);
  }
  return String(Number(value.toPrecision(9)));
}

function arrowValue(column: Vector, row: number): unknown {
  return plain(column.get(row), column.type);
}

/** An Arrow value as JSON has it: times as ISO text, decimals as text, bytes as base64. */
function plain(value: unknown, type: DataType): unknown {
  if (value === null || value === undefined) return null;
  if (DataType.isTimestamp(type) || DataType.isDate(type)) return new Date(Number(value)).toISOString();
  if (DataType.isDecimal(type)) return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (DataType.isDictionary(type)) return plain(value, type.dictionary);
  if (DataType.isStruct(type)) {
    return Object.fromEntries(
      type.children.map((field) => [field.name, plain((value as Record<string, unknown>)[field.name], field.type)]),
    );
  }
  if (DataType.isList(type) || DataType.isFixedSizeList(type)) {
    return Array.from(value as Vector, (item) => plain(item, type.children[0]?.type as DataType));
  }
  return typeof value === 'object' ? JSON.parse(JSON.stringify(value)) : value;
}
