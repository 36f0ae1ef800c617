// `embedkit search`: reads the arguments, searches, prints the hits as text for people or as one JSON object.
import { countOf, printable } from '../format.js';
import type { SearchResult } from '../search/search.js';
import { asksForJson } from './inspect.js';
import type { SearchArguments } from './search-flags.js';
import { abortOnSignals } from './signals.js';

/** Runs `search`; throws EmbedkitError. */
export async function search(path: string, query: string, given: SearchArguments): Promise<void> {
  const signals = abortOnSignals();
  try {
    const { searchOutput } = await import('../search/search.js');
    const { hits: k, model, precision, prompt, dtype, show } = given;
    const result = await searchOutput(path, query, { k, model, precision, prompt, dtype, show, signal: signals.signal });
    process.stdout.write(`${asksForJson(given) ? JSON.stringify(result) : searchText(result)}\n`);
  } finally {
    signals.release();
  }
}

/** Characters of a text that are shown. */
const SHOWN = 100;

export function searchText({ file, rows, model, precision, prompt, checked, hits }: SearchResult): string {
  const before = prompt === '' ? 'no prompt' : `prompt ${JSON.stringify(prompt)}`;
  const trust = checked ? '' : '; the file does not say which model made it';
  const width = Math.max(0, ...hits.map(({ id }) => printable(id).length));
  return [
    `${printable(file)}: ${countOf(rows, 'row')}, query by ${printable(model)} (${precision}), ${printable(before)}${trust}`,
    ...hits.map(({ id, score, text }) => `  ${score.toFixed(4)}  ${printable(id).padEnd(width)}  ${oneLine(text)}`.trimEnd()),
  ].join('\n');
}

function oneLine(text: string): string {
  const points = [...printable(text.slice(0, SHOWN * 4).replace(/\s+/g, ' '))];
  return points.length <= SHOWN ? points.join('') : `${points.slice(0, SHOWN - 1).join('')}…`;
}
