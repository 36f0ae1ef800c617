// A list of texts becomes flat typed arrays of ids, with what truncation took counted.
import type { TextTokenizer } from './tokenizer.js';

/** Token ids of n texts: text i has ids[offsets[i] .. offsets[i+1]). */
export interface TokenizedTexts {
  /** All ids, one text after the other. */
  readonly ids: Int32Array;
  /** n + 1 positions in `ids`. */
  readonly offsets: Int32Array;
  /** n counts of tokens lost to truncation; 0 where the text is whole. */
  readonly lost: Int32Array;
  /** False when some text was so long that its lost tokens were only partly counted. */
  readonly lostIsExact: boolean;
}

/** Tokenizes `texts`, each to at most `maxTokens` ids. */
export function tokenize(texts: readonly string[], tokenizer: TextTokenizer, maxTokens: number): TokenizedTexts {
  const builder = new TokensBuilder(tokenizer, maxTokens);
  for (const text of texts) builder.add(text);
  return builder.finish();
}

/** Some of the texts, in the order of `rows`. */
export function selectTexts({ ids, offsets, lost, lostIsExact }: TokenizedTexts, rows: readonly number[]): TokenizedTexts {
  const ranges = rows.map((row) => ids.subarray(offsets[row], offsets[row + 1]));
  const selected = new Int32Array(ranges.reduce((sum, range) => sum + range.length, 0));
  const ends = new Int32Array(rows.length + 1);
  ranges.forEach((range, index) => {
    selected.set(range, ends[index]);
    ends[index + 1] = (ends[index] as number) + range.length;
  });
  return { ids: selected, offsets: ends, lost: Int32Array.from(rows, (row) => lost[row] as number), lostIsExact };
}

const START_IDS = 1 << 14;
const START_TEXTS = 1 << 9;

/** Tokenizes text after text into growing typed arrays. */
export class TokensBuilder {
  private ids = new Int32Array(START_IDS);
  private offsets = new Int32Array(START_TEXTS);
  private lost = new Int32Array(START_TEXTS);
  private rows = 0;
  private lostIsExact = true;

  constructor(
    private readonly tokenizer: TextTokenizer,
    private readonly maxTokens: number,
  ) {}

  /** Tokens collected so far. */
  get tokens(): number {
    return this.offsets[this.rows] ?? 0;
  }

  /** Adds a text; returns the number of tokens it lost to truncation. */
  add(text: string): number {
    const encoded = this.tokenizer.encode(text, this.maxTokens);
    const start = this.tokens;
    const end = start + encoded.ids.length;
    this.ids = grown(this.ids, end);
    this.offsets = grown(this.offsets, this.rows + 2);
    this.lost = grown(this.lost, this.rows + 1);
    this.ids.set(encoded.ids, start);
    this.offsets[this.rows + 1] = end;
    this.lost[this.rows] = encoded.lost;
    this.lostIsExact &&= encoded.lostIsExact;
    this.rows++;
    return encoded.lost;
  }

  /** Takes the text that was added last away again. */
  dropLast(): void {
    this.rows--;
  }

  finish(): TokenizedTexts {
    return {
      ids: this.ids.subarray(0, this.tokens),
      offsets: this.offsets.subarray(0, this.rows + 1),
      lost: this.lost.subarray(0, this.rows),
      lostIsExact: this.lostIsExact,
    };
  }
}

function grown(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  if (length <= array.length) return array;
  const larger = new Int32Array(Math.max(length, array.length * 2));
  larger.set(array);
  return larger;
}
