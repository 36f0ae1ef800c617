// Rows of cells as aligned lines of plain text.
import { printable } from '../format.js';

/** Names of sets and texts are strangers': cut where they would push the figures off the screen. */
const CELL_WIDTH = 60;

/** Columns as wide as their widest cell, two spaces between; the first `words` stand to the left, the others to the right. */
export function alignedRows(rows: readonly (readonly string[])[], words: number): string[] {
  const cells = rows.map((row) => row.map(shortened));
  const widths = cells[0]?.map((_, at) => Math.max(...cells.map((row) => lengthOf(row[at] ?? '')))) ?? [];
  const pad = (cell: string, at: number): string => {
    const space = ' '.repeat((widths[at] ?? 0) - lengthOf(cell));
    return at < words ? cell + space : space + cell;
  };
  return cells.map((row) => row.map(pad).join('  ').trimEnd());
}

/** Code points: a wide character of East Asian scripts counts as one. */
function lengthOf(text: string): number {
  return [...text].length;
}

function shortened(text: string): string {
  const points = [...printable(text)];
  return points.length <= CELL_WIDTH ? points.join('') : `${points.slice(0, CELL_WIDTH - 1).join('')}…`;
}
