// Bytes become text in pieces, with the line named where they are not UTF-8. For parsers that find the rows themselves.
import { checkLineLength, type LineLimits, notUtf8 } from './lines.js';

const NEWLINE = 0x0a;

/** The text of a byte stream without a byte order mark. Throws `bad-row` that names the line. */
export async function* decodeUtf8(chunks: AsyncIterable<Buffer>, source: string, limits: LineLimits): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let lines = 1;
  let tail: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = tail.length === 0 ? chunk : Buffer.concat([tail, chunk]);
    // Only whole lines are decoded, so that a bad byte is found in the line that holds it; a line without end is kept.
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    tail = bytes.subarray(end);
    yield decodeWhole(decoder, bytes.subarray(0, end), source, lines, true);
    lines += countNewlines(bytes.subarray(0, end));
    checkLineLength(tail.length, limits, source, lines);
  }
  yield decodeWhole(decoder, tail, source, lines, false);
}

function decodeWhole(decoder: InstanceType<typeof TextDecoder>, bytes: Buffer, source: string, firstLine: number, more: boolean): string {
  try {
    return decoder.decode(bytes, { stream: more });
  } catch {
    throw locate(bytes, source, firstLine);
  }
}

function locate(bytes: Buffer, source: string, firstLine: number): Error {
  let start = 0;
  for (let number = firstLine; ; number++) {
    const found = bytes.indexOf(NEWLINE, start);
    const line = bytes.subarray(start, found === -1 ? bytes.length : found);
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(line);
    } catch {
      return notUtf8(line, { source, unit: 'line', number });
    }
    start += line.length + 1;
  }
}

function countNewlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}
