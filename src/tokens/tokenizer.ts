// Text becomes token ids: the tokenizer library behind one small contract. Long texts are read in pieces.
import { Tokenizer } from '@huggingface/tokenizers';
import { type PreTokenizer, withCuts } from './metaspace.js';
import { type NormalizerJson, splitNormalizer } from './normalizer.js';

/** Token ids of one text, special tokens included. */
export interface Encoded {
  readonly ids: readonly number[];
  /** Tokens that did not fit and are not in `ids`. */
  readonly lost: number;
  /** False where the text was too long to count: then at least `lost` tokens were lost. */
  readonly lostIsExact: boolean;
}

export interface TextTokenizer {
  /** Encodes a text to at most `maxTokens` ids; the special tokens before and after it are kept. */
  encode(text: string, maxTokens: number): Encoded;
}

// Long enough that cutting costs nothing, short enough that no text makes the library build huge arrays.
const PIECE_CHARACTERS = 8192;
// A "word" longer than this is cut inside; anything up to it gets the ids of the whole text.
const LONGEST_WORD_CHARACTERS = 1 << 20;
// Beyond this many characters, what a text loses to truncation is no longer counted (but room that is left is still filled).
const COUNTED_CHARACTERS = 1 << 20;

/** The parsed content of a tokenizer.json. */
export type TokenizerJson = {
  readonly model?: { readonly vocab?: unknown } | null;
  readonly added_tokens?: readonly { readonly id: number }[];
  readonly pre_tokenizer?: PreTokenizer | null;
  readonly normalizer?: NormalizerJson | null;
};

/** A tokenizer from the parsed tokenizer.json of a model. Truncation and padding written there are ignored. Throws `model-invalid`, `model-unsupported`. */
export function createTokenizer(json: TokenizerJson): TextTokenizer {
  const { pre_tokenizer } = json;
  const { prepare, rest } = splitNormalizer(json.normalizer ?? null);
  const own = pre_tokenizer ? { pre_tokenizer: withCuts(pre_tokenizer) } : {};
  const tokenizer: TokenizerLibrary = new Tokenizer({ ...json, ...own, normalizer: rest }, {});
  const { prefix, suffix } = specialTokens(tokenizer);
  const idsOf = (text: string): number[] => tokenizer.encode(prepare(text), { add_special_tokens: false }).ids;
  return {
    encode(text, maxTokens) {
      const room = Math.max(0, maxTokens - prefix.length - suffix.length);
      const { ids, lost, lostIsExact } = encodePieces(text, room, idsOf);
      return { ids: [...prefix, ...ids, ...suffix], lost, lostIsExact };
    },
  };
}

/** The part of the library that is used here; its own types do not resolve under Node's module rules. */
interface TokenizerLibrary {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] };
}

/** What the post-processor puts around a text, found by encoding one with and without it. */
function specialTokens(tokenizer: TokenizerLibrary): { prefix: number[]; suffix: number[] } {
  const bare = tokenizer.encode('a', { add_special_tokens: false }).ids;
  const whole = tokenizer.encode('a', { add_special_tokens: true }).ids;
  const start = whole.findIndex((_, at) => bare.every((id, index) => whole[at + index] === id));
  return { prefix: whole.slice(0, start), suffix: whole.slice(start + bare.length) };
}

function encodePieces(text: string, room: number, idsOf: (text: string) => number[]): Encoded {
  if (text.length <= PIECE_CHARACTERS) return cut(idsOf(text), room);
  const ids: number[] = [];
  let lost = 0;
  let start = 0;
  while (start < text.length && (start < COUNTED_CHARACTERS || ids.length < room)) {
    const end = pieceEnd(text, start);
    const piece = cut(idsOf(text.slice(start, end)), room - ids.length);
    // Not push(...ids): a piece may hold more ids than a call takes arguments.
    for (const id of piece.ids) ids.push(id);
    lost += piece.lost;
    start = end;
  }
  // Only blanks can be left uncounted without a loss.
  const lostIsExact = start >= text.length || text.slice(start).trim() === '';
  return { ids, lost: lostIsExact ? lost : Math.max(lost, 1), lostIsExact };
}

function cut(ids: readonly number[], room: number): Encoded {
  const lost = Math.max(0, ids.length - room);
  return { ids: lost === 0 ? ids : ids.slice(0, room), lost, lostIsExact: true };
}

/**
 * Where the piece that starts at `start` ends: before white space, so that no word is cut, wherever there is any; at the
 * first of several blanks, which byte-level tokenizers take together; and rather at a space than at another blank, before which
 * Metaspace would put a mark of its own.
 */
function pieceEnd(text: string, start: number): number {
  const goal = start + PIECE_CHARACTERS;
  if (goal >= text.length) return text.length;
  for (const isEnd of [isFirstSpace, isFirstBlank]) {
    for (let at = goal; at > start + 1; at--) if (isEnd(text, at)) return at;
  }
  const last = Math.min(text.length, start + LONGEST_WORD_CHARACTERS);
  for (let at = goal; at < last; at++) if (isFirstBlank(text, at)) return at;
  return isLowSurrogate(text, last) ? last - 1 : last;
}

function isFirstSpace(text: string, at: number): boolean {
  return text.charCodeAt(at) === 0x20 && isFirstBlank(text, at);
}

function isFirstBlank(text: string, at: number): boolean {
  return isBlank(text, at) && !isBlank(text, at - 1);
}

function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

function isLowSurrogate(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff;
}
