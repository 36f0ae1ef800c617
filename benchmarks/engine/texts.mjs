// Batches of real token ids: each row is a line of a text file, cut to exactly `width` tokens, special tokens included.
import { readFileSync } from 'node:fs';
import { createTokenizer } from '../../dist/tokens/tokenizer.js';

const LONGEST = 512;

/** width -> { rows, width, ids } with about `tokens` tokens; the same for everyone with the same file. */
export function batchesOf(textsFile, tokenizerFile, widths, tokens) {
  const tokenizer = createTokenizer(JSON.parse(readFileSync(tokenizerFile, 'utf8')));
  const lines = readFileSync(textsFile, 'utf8').split('\n', 2000).filter(Boolean);
  const encoded = lines.map((line) => tokenizer.encode(line, LONGEST).ids);
  return new Map(widths.map((width) => [width, batchOf(encoded, width, Math.max(1, Math.round(tokens / width)))]));
}

function batchOf(encoded, width, rows) {
  const long = encoded.filter((ids) => ids.length >= width).slice(0, rows);
  if (long.length < rows) throw new Error(`only ${long.length} of the first 2,000 lines have ${width} tokens; ${rows} are needed`);
  return { rows, width, ids: long.flatMap((ids) => [...ids.slice(0, width - 1), ids.at(-1)]) };
}
