// `--dry-run`: reads and tokenizes everything, embeds a small sample to learn the speed, and says what a run would meet.
import type { OutputFormatName } from '../columns/formats.js';
import type { VectorDtype } from '../columns/row.js';
import { embedTokens } from '../embedder/embed.js';
import { startModel } from '../embedder/open.js';
import { readRecords } from '../records/read.js';
import type { TokenizedTexts } from '../tokens/tokenize.js';
import { createTokenizer } from '../tokens/tokenizer.js';
import { untilAborted } from './abort.js';
import type { JobConfig } from './config.js';
import { DuplicateCounter } from './duplicates.js';
import { type JobPlan, planJob } from './plan.js';
import { plannedItems, runItems } from './run-items.js';
import { cutWindows, type Window } from './windows.js';

export interface Prediction {
  readonly rows: number;
  /** Rows that cannot be embedded, and what is wrong with the first few. */
  readonly badRows: number;
  readonly badRowExamples: readonly string[];
  readonly tokens: number;
  readonly truncatedTexts: number;
  readonly lostTokens: number;
  readonly duplicateIds: number;
  readonly duplicateTexts: number;
  /** Tokens a second on the sample. */
  readonly tokensPerSecond: number;
  readonly sampledTokens: number;
  /** Predicted wall clock of the run. */
  readonly seconds: number;
  /** Predicted peak memory. */
  readonly memoryBytes: number;
  readonly outputBytes: number;
}

/** Bytes that a value of a vector takes, and the rest of a row without kept columns. Measured on this project's examples. */
const OUTPUT_BYTES: Record<OutputFormatName, Record<VectorDtype | 'row', number>> = {
  parquet: { float32: 3.7, float16: 1.8, int8: 1, binary: 1 / 8, row: 40 },
  arrow: { float32: 4, float16: 2, int8: 1, binary: 1 / 8, row: 64 },
  'arrow-stream': { float32: 4, float16: 2, int8: 1, binary: 1 / 8, row: 64 },
  jsonl: { float32: 12, float16: 12, int8: 3.7, binary: 0.45, row: 150 },
};

const SAMPLE_TOKENS = 8192;
const BAD_ROW_EXAMPLES = 5;

/**
 * Predicts a run without writing anything. The time comes from a sample of the corpus' own texts, embedded now on this
 * machine; the memory from this process after the sample, plus what windows of this corpus take.
 */
export async function predictJob(config: JobConfig): Promise<Prediction> {
  config.signal?.throwIfAborted();
  const plan = await planJob(config);
  try {
    const survey = new Survey(plan, plan.dtype);
    await untilAborted(surveyAll(config, plan, survey), config.signal);
    return survey.predict(await measure(config, plan, survey.sample()));
  } catch (error) {
    for (const { source } of plan.inputs) source.stream?.destroy();
    throw error;
  }
}

interface Speed {
  readonly tokens: number;
  readonly tokensPerSecond: number;
  readonly loadSeconds: number;
}

/** How fast a sample goes through the model here and now. */
async function measure(config: JobConfig, plan: JobPlan, sample: TokenizedTexts): Promise<Speed> {
  const started = performance.now();
  const model = startModel(plan.folder, { ...config.model, threads: plan.threads, maxTokens: plan.maxTokens });
  try {
    await untilAborted(model.pool.ready(), config.signal);
    const loaded = performance.now();
    await untilAborted(embedTokens(sample, model.pool, model.batches, { dims: plan.dims, normalize: false }), config.signal);
    const seconds = Math.max((performance.now() - loaded) / 1000, 1e-3);
    return { tokens: sample.ids.length, tokensPerSecond: sample.ids.length / seconds, loadSeconds: (loaded - started) / 1000 };
  } finally {
    await model.close();
  }
}

async function surveyAll(config: JobConfig, plan: JobPlan, survey: Survey): Promise<void> {
  const tokenizer = createTokenizer(plan.folder.tokenizer);
  const items = runItems(readRecords(plan.inputs, plan.read, { bytesDone: 0 }), plannedItems(plan, tokenizer));
  const windows = cutWindows(items, {
    tokenizer,
    maxTokens: plan.maxTokens,
    onOverflow: 'truncate',
    limits: { ...plan.window, rows: 256 },
    known: () => undefined,
  });
  for await (const window of windows) {
    config.signal?.throwIfAborted();
    for (const { error } of window.bad) survey.addBad(error.sentence);
    survey.add(window);
  }
}

/** Counts what passes by and keeps a sample of whole texts, spread evenly over the corpus, in bounded memory. */
class Survey {
  private rows = 0;
  private tokens = 0;
  private truncated = 0;
  private lost = 0;
  private readonly ids = new DuplicateCounter();
  private readonly texts = new DuplicateCounter();
  private sampled = 0;
  private kept: Int32Array[] = [];
  private keptTokens = 0;
  private stride = 1;

  private badRows = 0;
  private readonly badRowExamples: string[] = [];

  constructor(
    private readonly plan: JobPlan,
    private readonly dtype: VectorDtype,
  ) {}

  addBad(sentence: string): void {
    this.badRows++;
    if (this.badRowExamples.length < BAD_ROW_EXAMPLES) this.badRowExamples.push(sentence);
  }

  add({ rows, tokens }: Window): void {
    for (const row of rows) {
      this.ids.add(row.id);
      this.texts.add(row.contentHash);
      this.truncated += row.truncated ? 1 : 0;
    }
    tokens.lost.forEach((lost, text) => {
      this.keep(tokens.ids.slice(tokens.offsets[text], tokens.offsets[text + 1]));
      this.lost += lost;
    });
    this.rows += rows.length;
    this.tokens += tokens.ids.length;
  }

  private keep(ids: Int32Array): void {
    if (this.sampled++ % this.stride !== 0) return;
    this.kept.push(ids);
    this.keptTokens += ids.length;
    if (this.keptTokens <= SAMPLE_TOKENS * 2) return;
    this.kept = this.kept.filter((_, index) => index % 2 === 0);
    this.keptTokens = this.kept.reduce((sum, text) => sum + text.length, 0);
    this.stride *= 2;
  }

  sample(): TokenizedTexts {
    const ids = new Int32Array(this.keptTokens);
    const offsets = new Int32Array(this.kept.length + 1);
    this.kept.forEach((text, index) => {
      ids.set(text, offsets[index]);
      offsets[index + 1] = (offsets[index] ?? 0) + text.length;
    });
    return { ids, offsets, lost: new Int32Array(this.kept.length), lostIsExact: true };
  }

  predict({ tokens: sampledTokens, tokensPerSecond, loadSeconds }: Speed): Prediction {
    const windowRows = Math.min(this.rows, this.plan.window.rows);
    const vectorBytes = this.plan.dims * 4;
    // Three windows of vectors (computed, being written, in the row group) and of ids live at a time.
    const windows = 3 * windowRows * (vectorBytes + (this.tokens / Math.max(this.rows, 1)) * 4);
    return {
      rows: this.rows,
      badRows: this.badRows,
      badRowExamples: this.badRowExamples,
      tokens: this.tokens,
      truncatedTexts: this.truncated,
      lostTokens: this.lost,
      duplicateIds: this.ids.duplicates,
      duplicateTexts: this.texts.duplicates,
      tokensPerSecond,
      sampledTokens,
      seconds: loadSeconds + this.tokens / Math.max(tokensPerSecond, 1),
      memoryBytes: process.resourceUsage().maxRSS * 1024 + windows,
      outputBytes: Math.round(
        this.rows * (this.plan.dims * OUTPUT_BYTES[this.plan.format][this.dtype] + OUTPUT_BYTES[this.plan.format].row),
      ),
    };
  }
}
