// A long text becomes pieces that the model can take whole, cut at the end of a sentence or else of a word, nothing of it lost.

/** Positions in the text in UTF-16 code units, end exclusive. */
export interface Chunk {
  readonly start: number;
  readonly end: number;
}

export interface ChunkLimits {
  /** Most tokens a chunk, as `count` counts them. */
  readonly tokens: number;
  /** Tokens of the end of a chunk that the next begins with, at most; at most half of `tokens`. */
  readonly overlap: number;
}

interface Word extends Chunk {
  readonly tokens: number;
  readonly endsSentence: boolean;
}

// A chunk may end at a sentence when that leaves it this full; otherwise at a word.
const LEAST_FILL = 0.5;

/**
 * Cuts a text into chunks. Every character that is not white space is in one of them at least.
 * @param count tokens of a stretch of text without special tokens; of two words together at most the sum of both, which holds for
 *   tokenizers that split at white space
 */
export function chunkText(text: string, limits: ChunkLimits, count: (text: string) => number): Chunk[] {
  const words = wordsOf(text, limits.tokens, count);
  const chunks: Chunk[] = [];
  for (let first = 0, done = 0; done < words.length; ) {
    const end = cutAfter(words, first, done, limits.tokens);
    chunks.push({ start: (words[first] as Word).start, end: (words[end - 1] as Word).end });
    done = end;
    if (end < words.length) first = Math.max(first + 1, overlapFrom(words, end, limits));
  }
  return chunks;
}

/** The word before which a chunk that begins with word `first` ends; the words before `done` are in chunks already, and it goes on from there. */
function cutAfter(words: readonly Word[], first: number, done: number, budget: number): number {
  let tokens = 0;
  let end = first;
  let sentenceEnd = -1;
  for (; end < words.length && tokens + (words[end] as Word).tokens <= budget; end++) {
    tokens += (words[end] as Word).tokens;
    if (end >= done && (words[end] as Word).endsSentence && tokens >= budget * LEAST_FILL) sentenceEnd = end + 1;
  }
  return end === words.length || sentenceEnd === -1 ? Math.max(end, done + 1) : sentenceEnd;
}

/** The first of the words before `end` that fit into the overlap, and leave room for the word that is to follow. */
function overlapFrom(words: readonly Word[], end: number, limits: ChunkLimits): number {
  const room = Math.min(limits.overlap, limits.tokens - (words[end] as Word).tokens);
  let first = end;
  for (let tokens = 0; first > 0; first--) {
    tokens += (words[first - 1] as Word).tokens;
    if (tokens > room) break;
  }
  return first;
}

const sentences = new Intl.Segmenter('und', { granularity: 'sentence' });
const WORD = /\S+/gu;

function wordsOf(text: string, budget: number, count: (text: string) => number): Word[] {
  const words: Word[] = [];
  for (const { segment, index } of sentences.segment(text)) {
    const found = [...segment.matchAll(WORD)];
    found.forEach((match, at) => {
      const start = index + match.index;
      words.push(...fitting(text, { start, end: start + match[0].length }, budget, count, at === found.length - 1));
    });
  }
  return words;
}

/** A word, or its halves where it has more tokens than a chunk holds. */
function fitting(text: string, { start, end }: Chunk, budget: number, count: (text: string) => number, endsSentence: boolean): Word[] {
  const tokens = count(text.slice(start, end));
  const middle = middleOf(text, start, end);
  if (tokens <= budget || middle === start) return [{ start, end, tokens, endsSentence }];
  return [
    ...fitting(text, { start, end: middle }, budget, count, false),
    ...fitting(text, { start: middle, end }, budget, count, endsSentence),
  ];
}

/** A place to cut that is in no surrogate pair; `start` where there is none. */
function middleOf(text: string, start: number, end: number): number {
  const middle = start + ((end - start) >> 1);
  const code = text.charCodeAt(middle);
  return code >= 0xdc00 && code <= 0xdfff ? middle - 1 : middle;
}
