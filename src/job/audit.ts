// The audit of a run: some of its texts, chosen by their content hash, are embedded again in full precision, and the vectors of the
// output held against that. Reads what the run writes; changes nothing of it.
import { embedTokens } from '../embedder/embed.js';
import type { startModel } from '../embedder/open.js';
import { messageOf } from '../errors.js';
import type { ModelFolder } from '../model/folder.js';
import { isBad } from '../records/bad-rows.js';
import type { TokenizedTexts } from '../tokens/tokenize.js';
import type { TextTokenizer } from '../tokens/tokenizer.js';
import { cosine, type Matrix, rowOf } from '../vectors/matrix.js';
import { untilAborted } from './abort.js';
import type { AuditResult } from './config.js';
import type { RunItem } from './items.js';

export interface AuditPlan {
  /** Of the different texts of the run, above 0 and at most 1. */
  readonly share: number;
  /** The same model in full precision. */
  readonly folder: ModelFolder;
}

/** Most texts of an audit, about 4 KiB each while the run lasts; of more those with the least hashes. */
export const MOST_AUDITED = 1024;

interface Chosen {
  /** Place of the hash between 0 and 1. */
  readonly key: number;
  readonly id: string;
  readonly ids: Int32Array;
  vector: Float32Array | undefined;
}

/** The texts chosen so far, as tokens, with the vectors that the output has for them. The same whatever windows, threads, resume or reuse. */
export class AuditSample {
  private readonly chosen = new Map<string, Chosen>();
  private bound: number;

  constructor(
    readonly plan: AuditPlan,
    private readonly maxTokens: number,
  ) {
    this.bound = plan.share;
  }

  /** Passes items on, and keeps those that are chosen. */
  async *watch(chunks: AsyncIterable<RunItem[]>, tokenizer: TextTokenizer): AsyncGenerator<RunItem[]> {
    for await (const items of chunks) {
      for (const item of items) {
        if (isBad(item) || keyOf(item.contentHash) >= this.bound || this.chosen.has(item.contentHash)) continue;
        const ids = Int32Array.from(tokenizer.encode(item.fullText, this.maxTokens).ids);
        this.chosen.set(item.contentHash, { key: keyOf(item.contentHash), id: item.id, ids, vector: undefined });
        if (this.chosen.size > MOST_AUDITED) this.dropGreatest();
      }
      yield items;
    }
  }

  /** The vector that the output has for a text; it is asked for where the text was chosen. */
  see(contentHash: string, vectorOf: () => Float32Array): void {
    const found = this.chosen.get(contentHash);
    if (found !== undefined) found.vector ??= vectorOf().slice();
  }

  /** Whether the vector of a chosen text was not seen yet. */
  get isWaiting(): boolean {
    return [...this.chosen.values()].some(({ vector }) => vector === undefined);
  }

  /** Those whose vectors were seen: a text that was put aside has none. */
  seen(): readonly (Chosen & { readonly vector: Float32Array })[] {
    return [...this.chosen.values()].filter((one): one is Chosen & { vector: Float32Array } => one.vector !== undefined);
  }

  private dropGreatest(): void {
    let [last, bound] = ['', -1];
    for (const [hash, { key }] of this.chosen) if (key > bound) [last, bound] = [hash, key];
    this.chosen.delete(last);
    this.bound = bound;
  }
}

/** Other digits than those that decide the shard: an audit of a shard is one of its share. */
function keyOf(contentHash: string): number {
  return Number.parseInt(contentHash.slice(16, 28), 16) / 2 ** 48;
}

export interface AuditOptions {
  /** Length of the vectors, in values. */
  readonly dims: number;
  readonly maxTokens: number;
  readonly startModel: typeof startModel;
  readonly signal: AbortSignal | undefined;
  readonly onWarning: (message: string) => void;
}

/**
 * Embeds the sample in full precision, in one engine. A failure of the engine is a warning, for the vectors of the run are there;
 * throws the reason of `signal`.
 */
export async function auditVectors(sample: AuditSample, options: AuditOptions): Promise<AuditResult> {
  const started = performance.now();
  const chosen = sample.seen();
  const { share } = sample.plan;
  const secondsNow = (): number => (performance.now() - started) / 1000;
  const none = { share, texts: 0, mean: null, minimum: null, least: null };
  if (chosen.length === 0) {
    options.onWarning(`--audit ${share * 100}% chose no text of this run: take a larger share`);
    return { ...none, seconds: secondsNow() };
  }
  try {
    const full = await embedFull(sample.plan.folder, textsOf(chosen), options);
    const cosines = chosen.map(({ vector }, row) => cosine(vector, rowOf(full, row)));
    const minimum = cosines.reduce((least, value) => Math.min(least, value));
    const mean = cosines.reduce((sum, value) => sum + value, 0) / cosines.length;
    warnOfDrift(sample.plan, mean, cosines.length, options.onWarning);
    const least = chosen[cosines.indexOf(minimum)]?.id ?? null;
    return { share, texts: cosines.length, mean, minimum, least, seconds: secondsNow() };
  } catch (error) {
    options.signal?.throwIfAborted();
    options.onWarning(`the audit failed, the vectors are not touched by that: ${messageOf(error)}`);
    return { ...none, seconds: secondsNow() };
  }
}

async function embedFull(folder: ModelFolder, texts: TokenizedTexts, options: AuditOptions): Promise<Matrix> {
  const { dims, maxTokens, signal } = options;
  const model = options.startModel(folder, { threads: 1, maxTokens });
  try {
    await untilAborted(model.pool.ready(), signal);
    return await untilAborted(embedTokens(texts, model.pool, model.batches, { dims, normalize: folder.manifest.normalize }), signal);
  } finally {
    await model.close();
  }
}

function textsOf(chosen: readonly Chosen[]): TokenizedTexts {
  const offsets = new Int32Array(chosen.length + 1);
  chosen.forEach(({ ids }, row) => {
    offsets[row + 1] = (offsets[row] as number) + ids.length;
  });
  const ids = new Int32Array(offsets[chosen.length] as number);
  chosen.forEach((one, row) => {
    ids.set(one.ids, offsets[row]);
  });
  return { ids, offsets, lost: new Int32Array(chosen.length), lostIsExact: true };
}

/** Of fewer texts the mean says little. */
const TEXTS_FOR_A_VERDICT = 20;
/** How many times further from full precision than on the text that the model was judged on. */
const TOO_FAR = 2;

function warnOfDrift({ folder }: AuditPlan, mean: number, texts: number, onWarning: (message: string) => void): void {
  const made = folder.manifest.int8?.quantization.gate.cosine.mean;
  if (made === undefined || texts < TEXTS_FOR_A_VERDICT || 1 - mean <= TOO_FAR * (1 - made)) return;
  const figures = `INT8 vectors have a mean cosine of ${mean.toFixed(5)} to fp32, and had ${made.toFixed(5)} when the model was quantized`;
  onWarning(`the calibration does not fit this corpus: ${figures}; quantize it on this corpus (embedkit quantize --calib)`);
}
