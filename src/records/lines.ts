// Bytes become lines: cut at 0x0A only, bounded in length; and a line becomes text if it is UTF-8.
import { isUtf8 } from 'node:buffer';
import { EmbedkitError } from '../errors.js';
import { RowError, type RowOrigin } from './bad-rows.js';
import { describePlace, type Place } from './record.js';
import { badRow } from './select.js';

/** The bytes of a line without its line end, not yet decoded: that can fail, and then concerns this line alone. */
export interface Line {
  readonly bytes: Buffer;
  readonly place: Place;
  /** Set for a line beyond the limit, of which only the first bytes were kept. */
  readonly tooLong?: EmbedkitError;
}

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const UTF8_BOM = Buffer.from([0xef, 0xbb, 0xbf]);

export interface LineLimits {
  /** Longest line in bytes, its line end not counted. */
  readonly maxLineBytes: number;
}

// Of a line beyond the limit so much is kept, to recognise it by.
const KEPT_BYTES = 1 << 12;

/**
 * The lines of a byte stream, some at a time, without their line ends (LF or CRLF) and without a byte order mark.
 * A line beyond the limit is handed out, marked, as soon as it is: the rest of it is read past without being held.
 */
export async function* readLines(chunks: AsyncIterable<Buffer>, source: string, limits: LineLimits): AsyncGenerator<Line[]> {
  const cutter = new LineCutter(source, limits);
  for await (const chunk of withoutBom(chunks, source)) {
    const lines = cutter.cut(chunk);
    if (lines.length > 0) yield lines;
  }
  const last = cutter.rest();
  if (last !== undefined) yield [last];
}

class LineCutter {
  private number = 0;
  /** The line that has begun, in pieces. */
  private pieces: Buffer[] = [];
  private bytes = 0;
  /** Whether that line was handed out already, as too long. */
  private passing = false;

  constructor(
    private readonly source: string,
    private readonly limits: LineLimits,
  ) {}

  cut(chunk: Buffer): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.take(chunk.subarray(start, end), lines);
      if (!this.passing) lines.push(this.line(joined(this.pieces)));
      this.begin(false);
      start = end + 1;
    }
    this.take(chunk.subarray(start), lines);
    return lines;
  }

  /** What stands after the last line end; undefined where nothing does. */
  rest(): Line | undefined {
    return this.bytes > 0 ? this.line(joined(this.pieces)) : undefined;
  }

  private take(piece: Buffer, lines: Line[]): void {
    if (this.passing) return;
    this.pieces.push(piece);
    this.bytes += piece.length;
    if (this.bytes <= this.limits.maxLineBytes) return;
    const place = this.nextPlace();
    const bytes = Buffer.from(Buffer.concat(this.pieces).subarray(0, KEPT_BYTES));
    lines.push({ bytes, place, tooLong: lineTooLong(place, this.limits) });
    this.begin(true);
  }

  private begin(passing: boolean): void {
    this.pieces = [];
    this.bytes = 0;
    this.passing = passing;
  }

  private line(bytes: Buffer): Line {
    return { bytes: withoutReturn(bytes), place: this.nextPlace() };
  }

  private nextPlace(): Place {
    return { source: this.source, unit: 'line', number: ++this.number };
  }
}

function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
}

function lineTooLong(place: Place, limits: LineLimits): RowError {
  const found = `${describePlace(place)}: longer than ${limits.maxLineBytes} bytes`;
  return new RowError('text-too-long', found, { hint: 'split it, or raise --max-line-bytes' });
}

export function lineOrigin({ place, bytes }: Line): RowOrigin {
  return { place, raw: bytes };
}

function withoutReturn(line: Buffer): Buffer {
  return line[line.length - 1] === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
}

/** The stream without the UTF-8 byte order mark that some programs put first. Throws `input-unreadable` for that of UTF-16. */
export async function* withoutBom(chunks: AsyncIterable<Buffer>, source = 'the input'): AsyncGenerator<Buffer> {
  let start: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (start === undefined) {
      yield chunk;
      continue;
    }
    start = Buffer.concat([start, chunk]);
    if (start.length < UTF8_BOM.length) continue;
    if (isUtf16(start)) throw utf16(source);
    yield start.subarray(0, UTF8_BOM.length).equals(UTF8_BOM) ? start.subarray(UTF8_BOM.length) : start;
    start = undefined;
  }
  if (start !== undefined) yield start;
}

/** The text of a line. Throws `bad-row` where it is not UTF-8, `text-too-long` where it is beyond the limit. */
export function lineText(line: Line): string {
  if (line.tooLong !== undefined) throw line.tooLong;
  if (!isUtf8(line.bytes)) throw notUtf8(line.bytes, line.place);
  return line.bytes.toString('utf8');
}

/** The sentence for bytes of a line, or of a value in it, that are not UTF-8. */
export function notUtf8(bytes: Buffer, place: Place): EmbedkitError {
  const found = `not UTF-8 (after ${goodBytes(bytes)} bytes that are)`;
  return badRow(place, found, TO_UTF8);
}

const TO_UTF8 = 'convert the file to UTF-8, for example with iconv';

function isUtf16(bytes: Buffer): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
}

function utf16(source: string): EmbedkitError {
  return new EmbedkitError('input-unreadable', `${source}: UTF-16 text, not UTF-8`, { hint: TO_UTF8 });
}

function goodBytes(bytes: Buffer): number {
  const readable = Buffer.from(bytes.toString('utf8'));
  let count = 0;
  while (count < bytes.length && bytes[count] === readable[count]) count++;
  return count;
}
