// What a terminal shows of a benchmark: the verdict on the run, the table, what must be known to read it.
import { notesOf } from '../bench/notes.js';
import type { BenchResult } from '../bench/result.js';
import { columnsOf, rowsOf, verdictOf } from '../bench/rows.js';
import { printable } from '../format.js';

/** Lines without a line feed at the end. */
export function benchTable(result: BenchResult): string {
  const head = ['', ...columnsOf(result)];
  const body = rowsOf(result).map(({ title, cells }) => [title, ...cells]);
  const notes = notesOf(result).map((note) => `- ${printable(note)}`);
  return [printable(verdictOf(result)), '', ...aligned([head, ...body]), '', ...notes].join('\n');
}

/** Columns as wide as their widest cell, two spaces between; those after the first `words` stand to the right. */
export function aligned(rows: readonly (readonly string[])[], words = 1): string[] {
  const cells = rows.map((row) => row.map(printable));
  const widths = (cells[0] ?? []).map((_, at) => Math.max(...cells.map((row) => (row[at] ?? '').length)));
  const pad = (cell: string, at: number): string => (at < words ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0));
  return cells.map((row) => row.map(pad).join('  ').trimEnd());
}
