// Metaspace as the Rust library has it: it also cuts before every mark, which the JS library leaves out. Uncut, a text is split
// in another way wherever two splits of a word score alike ("000" as "00 0" or "0 00").

/** A pre_tokenizer of a tokenizer.json. */
export interface PreTokenizer {
  readonly type?: string;
  readonly replacement?: string;
  readonly split?: boolean;
  readonly pretokenizers?: readonly PreTokenizer[];
}

const MARK = '\u2581';

/** The pre-tokenizer with every Metaspace that cuts followed by the cut. Source: huggingface/tokenizers, pre_tokenizers/metaspace.rs. */
export function withCuts(one: PreTokenizer): PreTokenizer {
  if (one.pretokenizers !== undefined) return { ...one, pretokenizers: one.pretokenizers.map(withCuts) };
  if (one.type !== 'Metaspace' || one.split === false) return one;
  return { type: 'Sequence', pretokenizers: [one, cutBefore(one.replacement ?? MARK)] };
}

/** In the JS library an inverted Split gives what matches. */
function cutBefore(mark: string): PreTokenizer {
  const escaped = `\\x{${(mark.codePointAt(0) as number).toString(16)}}`;
  const split = { type: 'Split', pattern: { Regex: `${escaped}?[^${escaped}]+|${escaped}` }, behavior: 'Isolated', invert: true };
  return split;
}
