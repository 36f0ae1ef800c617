// Items become windows: a bounded number of them, tokenized, ready to embed. Texts are let go once tokenized.
import type { OutputRow } from '../columns/row.js';
import { EmbedkitError } from '../errors.js';
import type { EndedBatch } from '../records/arrow-pipe.js';
import { isBad } from '../records/bad-rows.js';
import { type BadRow, describePlace } from '../records/record.js';
import { type TokenizedTexts, TokensBuilder } from '../tokens/tokenize.js';
import type { TextTokenizer } from '../tokens/tokenizer.js';
import type { OnOverflow, WindowLimits } from './config.js';
import { ItemDigest, type Row, type RunItem } from './items.js';
import { PAUSED, withPauses } from './pauses.js';
import type { KnownVector } from './vector-index.js';

/** Where the vector of a row comes from: a text of this window that is to be computed, one of the window before, or one that is known. */
export type VectorSource = { readonly text: number } | { readonly before: number } | KnownVector;

/** The texts of a window that are computed for it, by their content hash. */
type Texts = ReadonlyMap<string, { readonly text: number; readonly tokenCount: number; readonly truncated: boolean }>;

export interface Window {
  readonly rows: readonly OutputRow[];
  /** One a row. */
  readonly sources: readonly VectorSource[];
  /** The texts to compute, each once. */
  readonly tokens: TokenizedTexts;
  /** Their content hashes. */
  readonly hashes: readonly string[];
  readonly bad: readonly BadRow[];
  /** Rows and bad rows. */
  readonly items: number;
  readonly digest: string;
  /** Of a pipe: the record batches whose last row is in this window or came before it. */
  readonly ended: readonly EndedBatch[];
}

/** An input that waits for its answers. */
export interface Pipe {
  /** Batches all of whose rows have come; taken from here by the window that they end with. */
  readonly ended: EndedBatch[];
  /** Settles when no window is in the engine or being written. */
  idle(): Promise<void>;
}

export interface WindowOptions {
  readonly tokenizer: TextTokenizer;
  readonly maxTokens: number;
  readonly onOverflow: OnOverflow;
  readonly limits: WindowLimits;
  /** A vector made before from the same text, by its content hash. */
  readonly known: (contentHash: string) => KnownVector | undefined;
  /** Where set, a window is cut also where the input pauses. */
  readonly pipe?: Pipe;
}

/** Tokenizes items and cuts them into windows. Throws `text-too-long` where overflow is to fail. */
export async function* cutWindows(chunks: AsyncIterable<RunItem[]>, options: WindowOptions): AsyncGenerator<Window> {
  const { pipe } = options;
  const ended = pipe?.ended ?? [];
  let next = new WindowBuilder(options, new Map());
  for await (const items of pipe === undefined ? chunks : withPauses(chunks, () => pipe.idle())) {
    if (items === PAUSED) {
      if (next.isEmpty() && ended.length === 0) continue;
      yield next.finish(ended.splice(0));
      next = new WindowBuilder(options, next.seen);
      continue;
    }
    for (const item of items) {
      next.add(item);
      if (!next.isFull()) continue;
      yield next.finish(endedWith(item, ended));
      next = new WindowBuilder(options, next.seen);
    }
  }
  if (!next.isEmpty() || ended.length > 0) yield next.finish(ended.splice(0));
}

/** Takes the batches that have no row after this one. */
function endedWith({ place }: RunItem, ended: EndedBatch[]): EndedBatch[] {
  const open = ended.findIndex(({ start, batch }) => start + batch.numRows > place.number + 1);
  return ended.splice(0, open === -1 ? ended.length : open);
}

class WindowBuilder {
  private readonly rows: OutputRow[] = [];
  private readonly sources: VectorSource[] = [];
  private readonly bad: BadRow[] = [];
  private readonly digest = new ItemDigest();
  private readonly tokens: TokensBuilder;
  readonly seen = new Map<string, { text: number; tokenCount: number; truncated: boolean }>();
  private items = 0;
  private bytes = 0;

  constructor(
    private readonly options: WindowOptions,
    /** The window before is still in the engine while this one is read: its texts are not known yet, but will be. */
    private readonly before: Texts,
  ) {
    this.tokens = new TokensBuilder(options.tokenizer, options.maxTokens);
  }

  isEmpty(): boolean {
    return this.items === 0;
  }

  isFull(): boolean {
    const { limits } = this.options;
    return this.items >= limits.rows || this.bytes >= limits.bytes || this.tokens.tokens >= limits.tokens;
  }

  add(item: RunItem): void {
    this.items++;
    this.digest.add(item);
    if (isBad(item)) this.bad.push(item);
    else this.addRow(item);
  }

  finish(ended: readonly EndedBatch[]): Window {
    const { rows, sources, bad, items } = this;
    const hashes = [...this.seen.keys()];
    return { rows, sources, bad, items, ended, hashes, digest: this.digest.finish(), tokens: this.tokens.finish() };
  }

  private addRow(row: Row): void {
    this.bytes += row.fullText.length;
    const { contentHash: hash } = row;
    const source = this.options.known(hash) ?? this.seen.get(hash) ?? this.inBefore(hash) ?? this.tokenize(row);
    if (source === undefined) return;
    const { id, kept, place, contentHash, chunk } = row;
    const part = chunk === undefined ? {} : { chunk };
    this.rows.push({ id, kept, place, contentHash, tokenCount: source.tokenCount, truncated: source.truncated, ...part });
    this.sources.push(source);
  }

  private inBefore(hash: string): { before: number; tokenCount: number; truncated: boolean } | undefined {
    const found = this.before.get(hash);
    return found && { before: found.text, tokenCount: found.tokenCount, truncated: found.truncated };
  }

  private tokenize(row: Row): { text: number; tokenCount: number; truncated: boolean } | undefined {
    const { maxTokens, onOverflow } = this.options;
    const before = this.tokens.tokens;
    const lost = this.tokens.add(row.fullText);
    if (lost > 0 && onOverflow === 'fail') throw overflow(row, lost, maxTokens);
    // A chunk that is still too long has a tokenizer that counts words otherwise when they stand together.
    if (lost > 0 && onOverflow !== 'truncate') {
      this.tokens.dropLast();
      this.bad.push({ error: overflow(row, lost, maxTokens), id: row.id, place: row.place, raw: Buffer.from(row.text) });
      return undefined;
    }
    const found = { text: this.seen.size, tokenCount: this.tokens.tokens - before, truncated: lost > 0 };
    this.seen.set(row.contentHash, found);
    return found;
  }
}

function overflow(row: Row, lost: number, maxTokens: number): EmbedkitError {
  const found = `${describePlace(row.place)}: the text has ${lost} tokens more than the model's ${maxTokens}`;
  return new EmbedkitError('text-too-long', found, { hint: 'shorten it, or say --on-overflow truncate' });
}
