// JSON lines: an object a row. Each float is written with the fewest digits that read back to the same float32; codes as whole numbers.
import type { Data, Vector } from 'apache-arrow';
import { stringify } from 'lossless-json';
import { cellJson } from './arrow-json.js';
import { neverSeen, typeOfItsOwn } from './kept-errors.js';
import { namedValue } from './kept-values.js';
import {
  type ByteSink,
  CHUNK_COLUMNS,
  type ColumnsWriter,
  isCoded,
  type KeepColumn,
  type LayoutOptions,
  type OutputRow,
  type RowVectors,
} from './row.js';

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
    throw neverSeen(never, this.rows);
  }

  /** Holds nothing that outlives it. */
  async abort(): Promise<void> {}

  private line(row: OutputRow, vector: Float32Array): string {
    const kept = this.layout.keep.map((column, index) => `${JSON.stringify(column.name)}:${this.keptJson(row, index)}`);
    const members = [
      `"id":${JSON.stringify(row.id)}`,
      ...(this.layout.chunks ? chunkMembers(row) : []),
      ...kept,
      `"embedding":[${this.numbers(vector)}]`,
      `"token_count":${row.tokenCount}`,
      `"truncated":${row.truncated}`,
      `"content_hash":"${row.contentHash}"`,
    ];
    return `{${members.join(',')}}\n`;
  }

  private numbers(vector: Float32Array): string {
    const { dtype, encode } = this.layout;
    return isCoded(dtype) ? encode(vector).join(',') : Array.from(vector, shortest).join(',');
  }

  private keptJson(row: OutputRow, index: number): string {
    const value = this.keptValue(row, index);
    if (value !== undefined) this.seen[index] = true;
    return stringify(value ?? null) ?? 'null';
  }

  /** Undefined where the row lacks the field. */
  private keptValue({ kept, place }: OutputRow, index: number): unknown {
    const column = this.layout.keep[index] as KeepColumn;
    if (kept.kind === 'arrow') {
      if (column.type !== undefined) throw typeOfItsOwn(column);
      return cellJson((kept.columns[index] as Vector).data[0] as Data, kept.row);
    }
    const value = kept.values[index];
    if (value === undefined || column.type === undefined || column.type === 'json') return value;
    return namedValue(column, column.type, value, place);
  }
}

function chunkMembers({ id, chunk }: OutputRow): string[] {
  const values = [chunk?.parentId ?? id, chunk?.start ?? 0, chunk?.end ?? 0];
  return CHUNK_COLUMNS.map((name, index) => `"${name}":${JSON.stringify(values[index])}`);
}

/** The shortest decimal that reads back (through a double) to the same float32. */
function shortest(value: number): string {
  if (Object.is(value, -0)) return '-0.0';
  for (let digits = 6; digits < 9; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return String(text);
  }
  return String(Number(value.toPrecision(9)));
}
