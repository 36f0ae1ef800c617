// Records become windows: a bounded number of rows, tokenized, ready to embed. Texts are let go once tokenized.
import type { OutputRow } from '../columns/row.js';
import { EmbedkitError } from '../errors.js';
import { contentHash } from '../model/settings.js';
import { describePlace, type TextRecord } from '../records/record.js';
import { type TokenizedTexts, TokensBuilder } from '../tokens/tokenize.js';
import type { TextTokenizer } from '../tokens/tokenizer.js';
import type { WindowLimits } from './config.js';

export interface Window {
  readonly rows: readonly OutputRow[];
  readonly tokens: TokenizedTexts;
}

export interface WindowOptions {
  readonly tokenizer: TextTokenizer;
  readonly maxTokens: number;
  readonly prompt: string;
  readonly fingerprint: string;
  readonly onOverflow: 'truncate' | 'fail';
  readonly limits: WindowLimits;
  /** Most rows in all. */
  readonly limit: number;
}

/** Tokenizes records and cuts them into windows. Throws `text-too-long` where overflow is to fail. */
export async function* cutWindows(chunks: AsyncIterable<TextRecord[]>, options: WindowOptions): AsyncGenerator<Window> {
  let next = new WindowBuilder(options);
  let rows = 0;
  if (options.limit === 0) return;
  for await (const records of chunks) {
    for (const record of records) {
      next.add(record, rows++);
      if (next.isFull() || rows === options.limit) {
        yield next.finish();
        next = new WindowBuilder(options);
      }
      if (rows === options.limit) return;
    }
  }
  if (!next.isEmpty()) yield next.finish();
}

class WindowBuilder {
  private readonly rows: Omit<OutputRow, 'tokenCount'>[] = [];
  private readonly tokens: TokensBuilder;
  private bytes = 0;

  constructor(private readonly options: WindowOptions) {
    this.tokens = new TokensBuilder(options.tokenizer, options.maxTokens);
  }

  isEmpty(): boolean {
    return this.rows.length === 0;
  }

  isFull(): boolean {
    const { limits } = this.options;
    return this.rows.length >= limits.rows || this.bytes >= limits.bytes || this.tokens.tokens >= limits.tokens;
  }

  add(record: TextRecord, row: number): void {
    const text = this.options.prompt + record.text;
    const lost = this.tokens.add(text);
    if (lost > 0 && this.options.onOverflow === 'fail') throw overflow(record, lost, this.options.maxTokens);
    this.bytes += text.length;
    this.rows.push({
      id: record.id ?? String(row),
      kept: record.kept,
      place: record.place,
      truncated: lost > 0,
      contentHash: contentHash(this.options.fingerprint, text),
    });
  }

  finish(): Window {
    const tokens = this.tokens.finish();
    const rows = this.rows.map((row, index) => ({
      ...row,
      tokenCount: (tokens.offsets[index + 1] ?? 0) - (tokens.offsets[index] ?? 0),
    }));
    return { rows, tokens };
  }
}

function overflow(record: TextRecord, lost: number, maxTokens: number): EmbedkitError {
  const found = `${describePlace(record.place)}: the text has ${lost} tokens more than the model's ${maxTokens}`;
  return new EmbedkitError('text-too-long', found, { hint: 'shorten it, or say --on-overflow truncate' });
}
