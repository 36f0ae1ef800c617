// Makes text that goes into @huggingface/tokenizers come out with the ids of the Rust library, for BERT normalizers.
// Not a normalizer itself: it touches only characters on which the two differ.
import { ISOLATED, STRIP } from './bert-classes.js';

export interface BertNormalizerConfig {
  readonly lowercase: boolean;
  /** Whether combining marks are removed; in tokenizer.json null means "as lowercase". */
  readonly stripAccents: boolean;
}

// A letter that no BERT vocabulary holds: it makes its word unknown, as the Rust library does for a code point that its
// (Unicode 8) tables take for a letter and newer tables for a mark or punctuation.
const INERT_LETTER = '\u{A000}';

const ASCII_ONLY = /^[\u0000-\u007f]*$/;

const strip = characterClass(STRIP);
const isolated = characterClass(ISOLATED);
const differsByRuntime = '(?![\\u0000-\\u007f])[\\p{Mn}\\p{P}\\p{Cf}\\p{Co}]';
const suspects = new RegExp(`${strip.source}|${isolated.source}|${differsByRuntime}`, 'gu');
const removedByRuntime = /^[\p{Mn}\p{Cc}\p{Cf}\p{Co}]$/u;

/**
 * Rewrites `text` so that the JS library's ids equal those of PyPI `tokenizers`. Lone surrogates become U+FFFD, as in
 * any UTF-8 encoding. Source: the classes in bert-classes.ts, asked of that library for every code point.
 */
export function bertNormalize(text: string, config: BertNormalizerConfig): string {
  if (ASCII_ONLY.test(text)) return text;
  const whole = text.toWellFormed();
  // String.toLowerCase knows the final sigma, Rust's char-by-char lower-casing does not.
  const lowered = config.lowercase ? whole.replaceAll('Σ', 'σ') : whole;
  return lowered.replace(suspects, (character) => rewrite(character, config));
}

function rewrite(character: string, config: BertNormalizerConfig): string {
  const isMark = /\p{Mn}/u.test(character);
  if (isolated.test(character)) return isMark ? ` ${INERT_LETTER} ` : ` ${character} `;
  if (isMark && !config.stripAccents) return character;
  if (strip.test(character)) return removedByRuntime.test(character) || config.stripAccents ? '' : character;
  return INERT_LETTER;
}

function characterClass(ranges: string): RegExp {
  const escaped = ranges
    .trim()
    .split(' ')
    .map((range) => range.replace(/[0-9a-f]+/g, (hex) => `\\u{${hex}}`));
  return new RegExp(`[${escaped.join('')}]`, 'u');
}
