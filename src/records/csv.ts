// CSV and TSV by RFC 4180 with a header line. Every value is text.
import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { EmbedkitError } from '../errors.js';
import { type OnBadRow, recordsOf } from './bad-rows.js';
import type { LineLimits } from './lines.js';
import type { Place, TextRecord } from './record.js';
import { badRow, type RowAccess, type RowReader } from './select.js';
import { decodeUtf8 } from './utf8.js';

interface Row {
  readonly record: string[];
  readonly info: { readonly lines: number };
}

const ROWS_A_CHUNK = 256;

export async function* readCsv(
  chunks: AsyncIterable<Buffer>,
  source: string,
  limits: LineLimits,
  toRecord: RowReader,
  delimiter: ',' | '\t',
  onBadRow: OnBadRow,
): AsyncGenerator<TextRecord[]> {
  const place = (row: Row): Place => ({ source, unit: 'line', number: row.info.lines });
  let header: ReadonlyMap<string, number> | undefined;
  let rows: Row[] = [];
  const records = (): TextRecord[] => recordsOf(rows, (row) => toRecord(csvRow(header ?? new Map(), row.record), place(row)), onBadRow);
  for await (const row of parseRows(chunks, source, limits, delimiter)) {
    if (header === undefined) {
      header = readHeader(row, place(row));
      continue;
    }
    rows.push(row);
    if (rows.length === ROWS_A_CHUNK) {
      yield records();
      rows = [];
    }
  }
  yield records();
}

async function* parseRows(chunks: AsyncIterable<Buffer>, source: string, limits: LineLimits, delimiter: string): AsyncGenerator<Row> {
  const parser = parse({ delimiter, info: true, skip_empty_lines: true, max_record_size: limits.maxLineBytes });
  const text = Readable.from(decodeUtf8(chunks, source, limits));
  text.on('error', (error) => parser.destroy(error));
  try {
    for await (const row of text.pipe(parser)) yield row as Row;
  } catch (error) {
    throw describeCsvError(error, source);
  }
}

function describeCsvError(error: unknown, source: string): unknown {
  if (!(error instanceof CsvError)) return error;
  const found = `${source}, line ${error.lines ?? '?'}: ${error.message}`;
  const tooLong = error.code === 'CSV_MAX_RECORD_SIZE';
  const hint = tooLong ? 'split it, or raise --max-line-bytes' : 'correct the quoting or the number of columns there';
  return new EmbedkitError(tooLong ? 'text-too-long' : 'bad-row', found, { hint, cause: error });
}

function readHeader(row: Row, place: Place): ReadonlyMap<string, number> {
  const header = new Map(row.record.map((name, index) => [name, index]));
  if (header.size < row.record.length) {
    throw badRow(place, 'the header names a column twice', 'rename one of them');
  }
  return header;
}

function csvRow(header: ReadonlyMap<string, number>, values: readonly string[]): RowAccess {
  return {
    get: (name) => {
      const index = header.get(name);
      return index === undefined ? undefined : values[index];
    },
    names: () => [...header.keys()],
  };
}
