// Bytes become lines: cut at 0x0A only, bounded in length; and a line becomes text if it is UTF-8.
import { isUtf8 } from 'node:buffer';
import { EmbedkitError } from '../errors.js';
import type { Place } from './record.js';
import { badRow } from './select.js';

/** The bytes of a line without its line end, not yet decoded: that can fail, and then concerns this line alone. */
export interface Line {
  readonly bytes: Buffer;
  readonly place: Place;
}

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const UTF8_BOM = Buffer.from([0xef, 0xbb, 0xbf]);

export interface LineLimits {
  /** Longest line in bytes, its line end not counted. */
  readonly maxLineBytes: number;
}

/**
 * The lines of a byte stream, some at a time, without their line ends (LF or CRLF) and without a byte order mark.
 * Throws `text-too-long` for a line beyond the limit.
 */
export async function* readLines(chunks: AsyncIterable<Buffer>, source: string, limits: LineLimits): AsyncGenerator<Line[]> {
  let number = 0;
  const toLine = (bytes: Buffer): Line => ({ bytes: withoutReturn(bytes), place: { source, unit: 'line', number: ++number } });
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of withoutBom(chunks)) {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      checkLineLength(restBytes + end - start, limits, source, number + 1);
      lines.push(toLine(joined(rest, chunk.subarray(start, end))));
      rest = [];
      restBytes = 0;
      start = end + 1;
    }
    if (start < chunk.length) rest.push(chunk.subarray(start));
    restBytes += chunk.length - start;
    checkLineLength(restBytes, limits, source, number + 1);
    if (lines.length > 0) yield lines;
  }
  if (restBytes > 0) yield [toLine(joined(rest, Buffer.alloc(0)))];
}

function joined(rest: readonly Buffer[], last: Buffer): Buffer {
  return rest.length === 0 ? last : Buffer.concat([...rest, last]);
}

function checkLineLength(bytes: number, limits: LineLimits, source: string, number: number): void {
  if (bytes <= limits.maxLineBytes) return;
  const found = `${source}, line ${number}: longer than ${limits.maxLineBytes} bytes`;
  throw new EmbedkitError('text-too-long', found, { hint: 'split it, or raise --max-line-bytes' });
}

function withoutReturn(line: Buffer): Buffer {
  return line[line.length - 1] === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
}

/** The stream without the UTF-8 byte order mark that some programs put first. */
export async function* withoutBom(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let start: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (start === undefined) {
      yield chunk;
      continue;
    }
    start = Buffer.concat([start, chunk]);
    if (start.length < UTF8_BOM.length) continue;
    yield start.subarray(0, UTF8_BOM.length).equals(UTF8_BOM) ? start.subarray(UTF8_BOM.length) : start;
    start = undefined;
  }
  if (start !== undefined) yield start;
}

/** The text of a line. Throws `bad-row` where it is not UTF-8. */
export function lineText(line: Line): string {
  if (!isUtf8(line.bytes)) throw notUtf8(line.bytes, line.place);
  return line.bytes.toString('utf8');
}

/** The sentence for bytes of a line, or of a value in it, that are not UTF-8. */
export function notUtf8(bytes: Buffer, place: Place): EmbedkitError {
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  const found = utf16 ? 'UTF-16 text, not UTF-8' : `not UTF-8 (after ${goodBytes(bytes)} bytes that are)`;
  return badRow(place, found, 'convert the file to UTF-8, for example with iconv');
}

function goodBytes(bytes: Buffer): number {
  const readable = Buffer.from(bytes.toString('utf8'));
  let count = 0;
  while (count < bytes.length && bytes[count] === readable[count]) count++;
  return count;
}
