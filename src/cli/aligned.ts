// Cells of text in columns for a terminal.

/** Columns as wide as their widest cell, two spaces between; all but the first `words` and the last stand to the right. */
export function aligned(rows: readonly (readonly string[])[], words: number): string[] {
  const last = (rows[0]?.length ?? 0) - 1;
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => lengthOf(row[at] ?? '')))) ?? [];
  const pad = (cell: string, at: number): string => {
    const space = ' '.repeat((widths[at] ?? 0) - lengthOf(cell));
    return at < words || at === last ? cell + space : space + cell;
  };
  return rows.map((row) => row.map(pad).join('  ').trimEnd());
}

/** Code points: a wide character of East Asian scripts counts as one. */
export function lengthOf(text: string): number {
  return [...text].length;
}
