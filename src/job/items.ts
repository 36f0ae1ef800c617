// Items as a run knows them: numbered over all inputs, with the hash of the final text, and a digest by which a resumed run knows them again.
import { createHash, type Hash } from 'node:crypto';
import type { Data, Vector } from 'apache-arrow';
import { stringify } from 'lossless-json';
import { cellJson } from '../columns/arrow-json.js';
import type { RowChunk } from '../columns/row.js';
import { contentHash } from '../model/settings.js';
import { isBad } from '../records/bad-rows.js';
import type { BadRow, Item, KeptRow, TextRecord } from '../records/record.js';

/** A record with its place in the whole input; the id is the row number where the input gives none. */
export interface Row extends TextRecord {
  readonly id: string;
  /** SHA-256 of fingerprint, prompt and text; see contentHash. */
  readonly contentHash: string;
  /** Prompt and text. */
  readonly fullText: string;
  readonly chunk?: RowChunk;
}

export type RunItem = Row | BadRow;

/** One of `of` parts of the rows, from 0. */
export interface Shard {
  readonly index: number;
  readonly of: number;
}

export interface ItemOptions {
  readonly prompt: string;
  readonly fingerprint: string;
  /** Most items in all. */
  readonly limit: number;
  /** Told once, where some rows have ids and others are numbered. */
  readonly onMixedIds?: (() => void) | undefined;
}

/** Numbers items and hashes their texts, some at a time, up to the limit. */
export async function* identify(chunks: AsyncIterable<Item[]>, options: ItemOptions): AsyncGenerator<RunItem[]> {
  let next = 0;
  const mixed = mixedIds(options.onMixedIds);
  if (options.limit === 0) return;
  for await (const items of chunks) {
    const taken = items.slice(0, options.limit - next);
    mixed(taken);
    yield taken.map((item, index) => identified(item, next + index, options));
    next += taken.length;
    if (next >= options.limit) return;
  }
}

function mixedIds(tell: (() => void) | undefined): (items: readonly Item[]) => void {
  const seen = new Set<boolean>();
  return (items) => {
    if (tell === undefined || seen.size === 2) return;
    for (const item of items) if (!isBad(item)) seen.add(item.id === undefined);
    if (seen.size === 2) tell();
  };
}

function identified(item: Item, number: number, { prompt, fingerprint }: ItemOptions): RunItem {
  if (isBad(item)) return item;
  const { id = String(number), text, kept, place } = item;
  const fullText = prompt + text;
  return { id, text, kept, place, fullText, contentHash: contentHash(fingerprint, fullText) };
}

/**
 * The items of one shard. Which one a row belongs to depends on its text, the model and the prompt alone: a changed corpus moves the
 * changed rows, and n shards are disjoint and together the whole. A bad row has its place for want of a text.
 */
export async function* inShard(chunks: AsyncIterable<RunItem[]>, shard: Shard | undefined): AsyncGenerator<RunItem[]> {
  for await (const items of chunks) yield shard === undefined ? items : items.filter((item) => shardOf(item, shard.of) === shard.index);
}

function shardOf(item: RunItem, of: number): number {
  return isBad(item) ? item.place.number % of : Number.parseInt(item.contentHash.slice(0, 12), 16) % of;
}

/** Adds up items; two equal digests mean equal rows, from whatever file and in whatever window they come. */
export class ItemDigest {
  private readonly hash: Hash = createHash('sha256');
  private waiting: string[] = [];

  add(item: RunItem): void {
    this.waiting.push(JSON.stringify(isBad(item) ? badKey(item) : [item.id, item.contentHash, keptKey(item.kept)]));
    // One call for many: each costs more than what it hashes.
    if (this.waiting.length >= ITEMS_A_CALL) this.flush();
  }

  finish(): string {
    this.flush();
    return this.hash.digest('hex').slice(0, 32);
  }

  private flush(): void {
    this.hash.update(this.waiting.join(''));
    this.waiting = [];
  }
}

const ITEMS_A_CALL = 256;

function badKey({ error, raw, id, place }: BadRow): unknown[] {
  const content = raw === undefined ? error.message : createHash('sha256').update(raw).digest('hex');
  return ['bad', error.code, id ?? null, place.number, content];
}

function keptKey(kept: KeptRow): unknown {
  if (kept.kind === 'values') return kept.values.length === 0 ? 0 : kept.values.map((value) => stringify(value) ?? null);
  return kept.columns.map((column) => stringify(cellJson((column as Vector).data[0] as Data, kept.row)) ?? null);
}
