// `--on-overflow chunk`: a document that the model cannot take whole becomes several rows, each with its place in the document.
import { contentHash } from '../model/settings.js';
import { isBad } from '../records/bad-rows.js';
import { chunkText } from '../tokens/chunk.js';
import type { TextTokenizer } from '../tokens/tokenizer.js';
import type { ChunkPlan } from './config.js';
import type { ItemOptions, Row, RunItem } from './items.js';

export interface ChunkOptions extends ChunkPlan, Pick<ItemOptions, 'prompt' | 'fingerprint'> {
  readonly tokenizer: TextTokenizer;
}

/** Every row with its place in its document: itself where it fits, else `id#0`, `id#1`... Bad rows pass by. */
export async function* inChunks(chunks: AsyncIterable<RunItem[]>, options: ChunkOptions): AsyncGenerator<RunItem[]> {
  for await (const items of chunks) {
    for (const item of items) yield isBad(item) ? [item] : chunksOf(item, options);
  }
}

// Counted without a limit, text by text: chunkText hands over words and short texts.
const UNLIMITED = Number.MAX_SAFE_INTEGER;

function chunksOf(row: Row, { tokens, overlap, tokenizer, prompt, fingerprint }: ChunkOptions): Row[] {
  const whole = { ...row, chunk: { parentId: row.id, start: 0, end: codePoints(row.text) } };
  if (tokenizer.encode(row.fullText, tokens).lost === 0) return [whole];
  const added = tokenizer.encode(prompt, UNLIMITED).ids.length;
  const specials = tokenizer.encode('', UNLIMITED).ids.length;
  const count = (text: string): number => tokenizer.encode(text, UNLIMITED).ids.length - specials;
  const places = chunkText(row.text, { tokens: Math.max(1, tokens - added), overlap }, count);
  let at = 0;
  let passed = 0;
  return places.map(({ start, end }, index) => {
    passed += codePoints(row.text.slice(at, start));
    at = start;
    const text = row.text.slice(start, end);
    const fullText = prompt + text;
    const chunk = { parentId: row.id, start: passed, end: passed + codePoints(text) };
    return { ...row, id: `${row.id}#${index}`, text, fullText, contentHash: contentHash(fingerprint, fullText), chunk };
  });
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
