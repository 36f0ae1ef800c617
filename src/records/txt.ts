// Plain text: a text a line. Lines that are empty or only white space are not rows.
import { type OnBadRow, recordsOf } from './bad-rows.js';
import { type Line, type LineLimits, lineText, readLines } from './lines.js';
import type { TextRecord } from './record.js';

export async function* readTxt(
  chunks: AsyncIterable<Buffer>,
  source: string,
  limits: LineLimits,
  onBadRow: OnBadRow,
): AsyncGenerator<TextRecord[]> {
  for await (const lines of readLines(chunks, source, limits)) yield recordsOf(lines, toRecord, onBadRow);
}

function toRecord(line: Line): TextRecord | undefined {
  const text = lineText(line);
  if (text.trim() === '') return undefined;
  return { id: undefined, text, kept: { kind: 'values', values: [] }, place: line.place };
}
