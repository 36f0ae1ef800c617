// The texts that are embedded: some of exactly so many tokens, made of a text's words, and an even sample of a corpus. Real words, since tokenizing is part of what is timed.
import { readFile } from 'node:fs/promises';
import { EmbedkitError } from '../errors.js';
import { DEFAULT_MAX_LINE_BYTES } from '../job/config.js';
import { isBad } from '../records/bad-rows.js';
import { readRecords, resolveInputs } from '../records/read.js';
import type { TextTokenizer } from '../tokens/tokenizer.js';
import { LIMITS } from './options.js';

/** Words of one token in every vocabulary of English. */
const FILLERS = ['a', 'the', 'of', 'and', 'to', 'in'];
/** Words that are passed over before fillers end a text. */
const PATIENCE = 20;

/** The words of a text file, in their order. */
export async function readWords(path: string): Promise<string[]> {
  return (await readFile(path, 'utf8')).split(/\s+/).filter((word) => /^[A-Za-z]{1,12}[,.]?$/.test(word));
}

/**
 * Texts of exactly `tokens` tokens each, special ones included, no two beginning with the same word of the file.
 * @throws EmbedkitError `model-unsupported` where the tokenizer splits words by what stands beside them, so that no such text comes about
 */
export function textsOfLength(words: readonly string[], tokenizer: TextTokenizer, tokens: number, count: number): string[] {
  const lengthOf = (text: string): number => tokenizer.encode(text, 2 * tokens + 16).ids.length;
  const special = lengthOf('');
  // Words are counted alone, once each: texts of hundreds of words would else be tokenized hundreds of times.
  const known = new Map<string, number>();
  const lengthIn = (word: string): number => {
    const length = known.get(word) ?? lengthOf(word) - special;
    known.set(word, length);
    return length;
  };
  return Array.from({ length: count }, (_, at) => {
    const text = filled(words, Math.floor((at * words.length) / count), tokens - special, lengthIn);
    if (lengthOf(text) === tokens) return text;
    const found = `no text of ${tokens} tokens could be made: ${lengthOf(text)} came out`;
    throw new EmbedkitError('model-unsupported', found, { hint: 'measure with another --tokens' });
  });
}

function filled(words: readonly string[], first: number, room: number, lengthIn: (word: string) => number): string {
  const chosen: string[] = [];
  let left = room;
  let passed = 0;
  for (let at = first; left > 0 && passed < PATIENCE; at++) {
    const word = words[at % words.length] as string;
    const length = lengthIn(word);
    if (length > left || length === 0) {
      passed++;
      continue;
    }
    chosen.push(word);
    left -= length;
  }
  for (let at = 0; left > 0; at++, left--) chosen.push(FILLERS[at % FILLERS.length] as string);
  return chosen.join(' ');
}

export interface CorpusSample {
  readonly path: string;
  /** Rows with a text among the first LIMITS.corpusRows. */
  readonly rows: number;
  readonly texts: readonly string[];
  /** Tokens of each text, cut at the model's limit. */
  readonly tokens: readonly number[];
}

/**
 * An even sample of the first rows of a corpus, of about `tokens` tokens together and at least `least` texts where there are as many.
 * Throws what reading throws, and `bad-row` where no row holds a text.
 */
export async function sampleCorpus(
  path: string,
  textField: string | undefined,
  tokenizer: TextTokenizer,
  limits: { readonly maxTokens: number; readonly tokens: number; readonly least: number },
): Promise<CorpusSample> {
  const all = await readTexts(path, textField);
  if (all.length === 0) {
    throw new EmbedkitError('bad-row', `${path}: no row holds a text`, { hint: 'name a corpus of texts, or its --text-field' });
  }
  const lengthOf = (text: string): number => tokenizer.encode(text, limits.maxTokens).ids.length;
  const looked = spread(all, limits.least);
  const mean = looked.reduce((sum, text) => sum + lengthOf(text), 0) / looked.length;
  const texts = spread(all, Math.max(limits.least, Math.round(limits.tokens / mean)));
  return { path, rows: all.length, texts, tokens: texts.map(lengthOf) };
}

async function readTexts(path: string, textField = 'text'): Promise<string[]> {
  const inputs = await resolveInputs([path], { from: undefined, stdin: undefined });
  const selection = { textField, template: undefined, idField: undefined, keep: [] };
  const options = { selection, limits: { maxLineBytes: DEFAULT_MAX_LINE_BYTES } };
  const texts: string[] = [];
  for await (const items of readRecords(inputs, options, { bytesDone: 0 })) {
    for (const item of items) if (!isBad(item)) texts.push(item.text);
    if (texts.length >= LIMITS.corpusRows) break;
  }
  return texts.slice(0, LIMITS.corpusRows);
}

/** At most `count` of the values, evenly spread, in their order. */
function spread<T>(values: readonly T[], count: number): T[] {
  if (count >= values.length) return [...values];
  return Array.from({ length: count }, (_, at) => values[Math.floor((at * values.length) / count)] as T);
}
