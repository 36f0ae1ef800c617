// Some rows of an output are embedded again and compared bit for bit. The vector of a text depends on nothing else, so they must be equal.
import { isCoded } from '../columns/row.js';
import { embedTokens } from '../embedder/embed.js';
import type { EmbeddingModel } from '../embedder/open.js';
import { untilAborted } from '../job/abort.js';
import { encoderOf, type Storage } from '../job/storage.js';
import { type TokenizedTexts, tokenize } from '../tokens/tokenize.js';
import { roundToF16 } from '../vectors/f16.js';
import { type Matrix, rowOf } from '../vectors/matrix.js';
import { type Check, checkRow, rowCheck } from './check.js';
import type { FileRow } from './rows.js';

export interface SampledRow extends FileRow {
  /** Row of the output, from 0. */
  readonly row: number;
  /** Prompt and text. */
  readonly fullText: string;
  readonly vector: Float32Array;
}

export interface SampleOptions {
  readonly model: EmbeddingModel;
  /** Length of the vectors, in values. */
  readonly dims: number;
  readonly storage: Storage;
  readonly signal?: AbortSignal | undefined;
}

/** Rows and characters of text held before they are embedded. */
const HELD_ROWS = 256;
const HELD_CHARACTERS = 1 << 20;

/** Collects rows and compares them some at a time; `finish` compares the rest. */
export class SampleCheck {
  readonly check: Check = rowCheck('sample', 'embedded again: vector, token count and truncation equal to the bit');
  private held: SampledRow[] = [];
  private characters = 0;

  constructor(private readonly options: SampleOptions) {}

  async add(row: SampledRow): Promise<void> {
    this.held.push(row);
    this.characters += row.fullText.length;
    if (this.held.length >= HELD_ROWS || this.characters >= HELD_CHARACTERS) await this.finish();
  }

  async finish(): Promise<void> {
    const rows = this.held;
    this.held = [];
    this.characters = 0;
    if (rows.length === 0) return;
    const { model } = this.options;
    const texts = tokenize(
      rows.map(({ fullText }) => fullText),
      model.tokenizer,
      model.maxTokens,
    );
    const { vectors, failed } = await this.embed(texts);
    for (const [index, row] of rows.entries()) {
      const found = failed.get(index) ?? tokenFault(row, texts, index) ?? vectorFault(row.vector, rowOf(vectors, index));
      checkRow(this.check, row.row, row.id, found);
    }
  }

  private async embed(texts: TokenizedTexts): Promise<{ vectors: Matrix; failed: Map<number, string> }> {
    const { model, dims, storage, signal } = this.options;
    const failed = new Map<number, string>();
    const embedding = embedTokens(texts, model.pool, model.batches, {
      dims,
      normalize: model.folder.manifest.normalize,
      onFailedRow: (row, error) => void failed.set(row, `no vector now: ${error.message}`),
    });
    const vectors = await untilAborted(embedding, signal);
    if (storage.dtype === 'float16') roundToF16(vectors.data);
    return { vectors: isCoded(storage.dtype) ? codesOf(vectors, storage) : vectors, failed };
  }
}

/** As a file holds them, each a whole number. */
function codesOf({ rows, data }: Matrix, storage: Storage): Matrix {
  const codes = Float32Array.from(encoderOf(storage)(data));
  return { rows, dim: codes.length / rows, data: codes };
}

function tokenFault({ tokenCount, truncated }: FileRow, { offsets, lost }: TokenizedTexts, index: number): string | undefined {
  const tokens = (offsets[index + 1] as number) - (offsets[index] as number);
  if (tokens !== tokenCount) return `${tokenCount} tokens, now ${tokens}`;
  return (lost[index] as number) > 0 === truncated ? undefined : `truncated ${truncated}, now ${!truncated}`;
}

/** How two vectors differ; undefined where they are the same bits. */
export function vectorFault(stored: Float32Array, computed: Float32Array): string | undefined {
  const differing = [...stored.keys()].filter((index) => !Object.is(stored[index], computed[index]));
  if (differing.length === 0) return undefined;
  const largest = Math.max(...differing.map((index) => Math.abs((stored[index] as number) - (computed[index] as number))));
  return `${differing.length} of ${stored.length} values differ, by up to ${largest.toPrecision(2)}`;
}
