// Plain text: a text a line. Lines that are empty or only white space are not rows.
import { itemsOf } from './bad-rows.js';
import { type Line, type LineLimits, lineOrigin, lineText, readLines } from './lines.js';
import type { Item, TextRecord } from './record.js';

export async function* readTxt(chunks: AsyncIterable<Buffer>, source: string, limits: LineLimits): AsyncGenerator<Item[]> {
  for await (const lines of readLines(chunks, source, limits)) yield itemsOf(lines, toRecord, lineOrigin);
}

function toRecord(line: Line): TextRecord | undefined {
  const text = lineText(line);
  if (text.trim() === '') return undefined;
  return { id: undefined, text, kept: { kind: 'values', values: [] }, place: line.place };
}
