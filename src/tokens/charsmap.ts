// The normalizer that SentencePiece compiles into a model (`Precompiled` in tokenizer.json): a table from byte strings to their replacements,
// read as the Rust library reads it. Source: google/sentencepiece, normalizer.cc; the trie is a Darts-clone double array.
import { EmbedkitError } from '../errors.js';

/** A longer grapheme is looked up character by character only. */
const LONGEST_GRAPHEME_BYTES = 5;
const PRINTABLE_ASCII = /^[ -~]*$/;
/** Replacements held: those of all characters that a corpus of a few languages has. */
const HELD = 1 << 14;

const ENCODER = new TextEncoder();

/**
 * @param base64 as tokenizer.json has it: the trie's length, the trie, then the replacements, each ended by a zero byte
 * @throws EmbedkitError `model-invalid` where it is not that
 */
export function charsmapNormalizer(base64: string): (text: string) => string {
  const replacement = replacementsIn(Buffer.from(base64, 'base64'));
  const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });
  const held = new Map<string, string>();
  const normalized = (grapheme: string): string => {
    const known = held.get(grapheme);
    if (known !== undefined) return known;
    const made = normalizeGrapheme(grapheme, replacement);
    if (held.size < HELD) held.set(grapheme, made);
    return made;
  };
  const isAsciiKept = Array.from({ length: 95 }, (_, at) => String.fromCharCode(0x20 + at)).every((one) => normalized(one) === one);
  return (text) => {
    if (isAsciiKept && PRINTABLE_ASCII.test(text)) return text;
    let out = '';
    for (const { segment } of graphemes.segment(text)) out += normalized(segment);
    return out;
  };
}

/** The whole grapheme where the table has a prefix of it, else each of its characters. */
function normalizeGrapheme(grapheme: string, replacement: (bytes: Uint8Array) => string | undefined): string {
  const bytes = ENCODER.encode(grapheme);
  const whole = bytes.length <= LONGEST_GRAPHEME_BYTES ? replacement(bytes) : undefined;
  if (whole !== undefined) return whole;
  return Array.from(grapheme, (character) => replacement(ENCODER.encode(character)) ?? character).join('');
}

/** Looks up the shortest prefix of some bytes that the table has. */
function replacementsIn(map: Buffer): (bytes: Uint8Array) => string | undefined {
  const trieBytes = map.length < 4 ? Number.NaN : map.readUInt32LE(0);
  if (!(trieBytes > 0 && trieBytes % 4 === 0 && 4 + trieBytes <= map.length)) throw invalid();
  const units = Uint32Array.from({ length: trieBytes / 4 }, (_, at) => map.readUInt32LE(4 + 4 * at));
  const texts = map.subarray(4 + trieBytes);
  return (bytes) => {
    const at = shortestPrefix(units, bytes);
    if (at === undefined) return undefined;
    const end = texts.indexOf(0, at);
    return texts.toString('utf8', at, end === -1 ? texts.length : end);
  };
}

// A unit of the double array: bit 31 marks a leaf, which holds a value; else the low byte is the label, bit 8 says that a leaf follows,
// and the bits from 10 on are the offset of the children, by 256 where bit 9 is set.
const isLabelled = (unit: number, byte: number): boolean => (unit & 0x800000ff) >>> 0 === byte;
const hasLeaf = (unit: number): boolean => ((unit >>> 8) & 1) === 1;
const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);
const leafValue = (unit: number): number => unit & 0x7fffffff;

function shortestPrefix(units: Uint32Array, bytes: Uint8Array): number | undefined {
  let node = offsetOf(unitAt(units, 0));
  for (const byte of bytes) {
    if (byte === 0) return undefined;
    node ^= byte;
    // Outside the array there is no such child.
    if (node >= units.length) return undefined;
    const unit = unitAt(units, node);
    if (!isLabelled(unit, byte)) return undefined;
    node ^= offsetOf(unit);
    if (hasLeaf(unit)) return leafValue(unitAt(units, node));
  }
  return undefined;
}

function unitAt(units: Uint32Array, at: number): number {
  const unit = units[at];
  if (unit === undefined) throw invalid();
  return unit;
}

function invalid(): EmbedkitError {
  return new EmbedkitError('model-invalid', 'tokenizer.json: its precompiled_charsmap is no table of SentencePiece', {
    hint: 'fetch the model again',
  });
}
