// CSV and TSV by RFC 4180 with a header line. Every value is text; bytes are decoded where a value is asked for.
import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import { CsvError, type Info, type Parser, parse } from 'csv-parse';
import { EmbedkitError } from '../errors.js';
import { countOf } from '../format.js';
import { itemsOf } from './bad-rows.js';
import { type LineLimits, notUtf8, withoutBom } from './lines.js';
import type { Item, Place } from './record.js';
import { badRow, type RowAccess, type RowReader } from './select.js';

interface Row {
  readonly values: readonly Buffer[];
  /** Where it starts: a quoted value may run over several lines. */
  readonly place: Place;
}

type Header = ReadonlyMap<string, number>;

const ROWS_A_CHUNK = 256;
const NEWLINE = 0x0a;

export async function* readCsv(
  chunks: AsyncIterable<Buffer>,
  source: string,
  limits: LineLimits,
  toRecord: RowReader,
  delimiter: ',' | '\t',
): AsyncGenerator<Item[]> {
  const comma = Buffer.from(delimiter);
  let header: Header | undefined;
  let rows: Row[] = [];
  const toItem = (row: Row) => toRecord(csvRow(header ?? new Map(), row), row.place);
  const originOf = ({ place, values }: Row) => ({ place, raw: Buffer.concat(values.flatMap((value) => [value, comma]).slice(0, -1)) });
  const items = (): Item[] => itemsOf(rows, toItem, originOf);
  for await (const row of parseRows(chunks, source, limits, delimiter)) {
    if (header === undefined) {
      header = readHeader(row);
      continue;
    }
    rows.push(row);
    if (rows.length === ROWS_A_CHUNK) {
      yield items();
      rows = [];
    }
  }
  yield items();
}

async function* parseRows(chunks: AsyncIterable<Buffer>, source: string, limits: LineLimits, delimiter: string): AsyncGenerator<Row> {
  // The parser's own count of lines takes a CRLF inside quotes for two.
  let line = 1;
  const onRecord = (values: Buffer[], info: Info): Row => {
    const place: Place = { source, unit: 'line', number: line + info.empty_lines };
    line += 1 + values.reduce((sum, value) => sum + countNewlines(value), 0);
    return { values, place };
  };
  const parser = createParser(delimiter, limits, onRecord);
  const bytes = Readable.from(withoutBom(chunks, source), { objectMode: false });
  bytes.on('error', (error) => parser.destroy(error));
  try {
    for await (const row of bytes.pipe(parser)) yield row as Row;
  } catch (error) {
    throw describeCsvError(error, source, line);
  } finally {
    bytes.destroy();
  }
}

function createParser(delimiter: string, limits: LineLimits, onRecord: (values: Buffer[], info: Info) => Row): Parser {
  return parse({
    delimiter,
    encoding: null,
    record_delimiter: ['\r\n', '\n'],
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: limits.maxLineBytes,
    on_record: onRecord as never,
  });
}

const QUOTING = 'put the whole value in quotes, and write a quote inside it twice';
const CSV_ERRORS: Readonly<Record<string, readonly [found: string, hint: string]>> = {
  CSV_QUOTE_NOT_CLOSED: ['a value opens with a quote that is never closed', 'close it'],
  CSV_INVALID_CLOSING_QUOTE: ['a quoted value goes on after its closing quote', QUOTING],
  INVALID_OPENING_QUOTE: ['a quote inside a value without quotes', QUOTING],
};

function describeCsvError(error: unknown, source: string, line: number): unknown {
  if (!(error instanceof CsvError)) return error;
  const place: Place = { source, unit: 'line', number: line + Number(error['empty_lines'] ?? 0) };
  if (error.code === 'CSV_MAX_RECORD_SIZE') {
    const found = `${source}, line ${place.number}: the row is longer than --max-line-bytes allows`;
    return new EmbedkitError('text-too-long', found, { hint: 'close a quote that is open there, or raise --max-line-bytes', cause: error });
  }
  const [found, hint] = CSV_ERRORS[error.code] ?? [error.message, 'correct it'];
  return badRow(place, found, hint, error);
}

function readHeader({ values, place }: Row): Header {
  const names = values.map((value) => decode(value, place));
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw badRow(place, `the header names the column "${twice}" twice`, 'rename one of them');
  return new Map(names.map((name, index) => [name, index]));
}

function csvRow(header: Header, { values, place }: Row): RowAccess {
  if (values.length !== header.size) {
    const found = `${countOf(values.length, 'value')}, but the header names ${countOf(header.size, 'column')}`;
    throw badRow(place, found, 'correct the row, or quote values that hold the delimiter');
  }
  return {
    get: (name) => {
      const value = values[header.get(name) ?? -1];
      return value === undefined ? undefined : decode(value, place);
    },
    names: () => [...header.keys()],
  };
}

function decode(value: Buffer, place: Place): string {
  if (!isUtf8(value)) throw notUtf8(value, place);
  return value.toString('utf8');
}

function countNewlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}
