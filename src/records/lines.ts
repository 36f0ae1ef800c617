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
  const toLine = (bytes: Buffer): Line => trimEnds(bytes, { source, unit: 'line', number: ++number });
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of chunks) {
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

export function checkLineLength(bytes: number, limits: LineLimits, source: string, number: number): void {
  if (bytes <= limits.maxLineBytes) return;
  const found = `${source}, line ${number}: longer than ${limits.maxLineBytes} bytes`;
  throw new EmbedkitError('text-too-long', found, { hint: 'split it, or raise --max-line-bytes' });
}

function trimEnds(raw: Buffer, place: Place): Line {
  const start = place.number === 1 && raw.subarray(0, 3).equals(UTF8_BOM) ? 3 : 0;
  const end = raw.length > start && raw[raw.length - 1] === CARRIAGE_RETURN ? raw.length - 1 : raw.length;
  return { bytes: raw.subarray(start, end), place };
}

/** The text of a line. Throws `bad-row` where it is not UTF-8. */
export function lineText(line: Line): string {
  if (!isUtf8(line.bytes)) throw notUtf8(line.bytes, line.place);
  return line.bytes.toString('utf8');
}

/** The sentence for bytes that are not UTF-8; `bytes` are those of the line. */
export function notUtf8(bytes: Buffer, place: Place): EmbedkitError {
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  const found = utf16 ? 'UTF-16 text, not UTF-8' : `not UTF-8 (byte ${firstBadByte(bytes)} of the line)`;
  return badRow(place, found, 'convert the file to UTF-8, for example with iconv');
}

function firstBadByte(bytes: Buffer): number {
  let low = 0;
  let high = bytes.length;
  const decodes = (end: number): boolean => {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, end), { stream: true });
      return true;
    } catch {
      return false;
    }
  };
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (decodes(middle)) low = middle;
    else high = middle;
  }
  return low + 1;
}
