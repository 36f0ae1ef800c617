// The books of a run: what was read, computed and written, and how long it took.
import type { EmbeddingModel } from '../embedder/open.js';
import type { ReadProgress } from '../records/source.js';
import type { JobConfig, JobSummary } from './config.js';
import { DuplicateCounter } from './duplicates.js';
import type { JobPlan } from './plan.js';
import type { Window } from './windows.js';

export class Tally {
  rows = 0;
  readonly reading: ReadProgress = { bytesDone: 0 };
  private tokens = 0;
  private rowsRead = 0;
  private tokensRead = 0;
  private truncated = 0;
  private lost = 0;
  private lostIsExact = true;
  private loadedAt: number | undefined;
  private readonly ids = new DuplicateCounter();
  private readonly bytesTotal: number;

  constructor(
    plan: JobPlan,
    private readonly config: JobConfig,
    private readonly started: number,
  ) {
    this.bytesTotal = plan.inputs.reduce((sum, input) => sum + input.source.bytes, 0);
  }

  loaded(): void {
    this.loadedAt = performance.now();
  }

  /** A window was read and tokenized. */
  read(window: Window): void {
    this.rowsRead += window.rows.length;
    this.tokensRead += window.tokens.ids.length;
    for (const row of window.rows) this.ids.add(row.id);
    for (const lost of window.tokens.lost) {
      if (lost === 0) continue;
      this.truncated++;
      this.lost += lost;
    }
    this.lostIsExact &&= window.tokens.lostIsExact;
    this.report();
  }

  /** A batch came out of the engine. */
  computed(tokens: number): void {
    this.tokens += tokens;
    this.report();
  }

  wrote(window: Window): void {
    this.rows += window.rows.length;
    this.report();
  }

  summary(model: EmbeddingModel, outputBytes: number, output: string): JobSummary {
    const seconds = (performance.now() - this.started) / 1000;
    const loadSeconds = ((this.loadedAt ?? performance.now()) - this.started) / 1000;
    return {
      rows: this.rows,
      tokens: this.tokens,
      truncatedTexts: this.truncated,
      lostTokens: this.lost,
      lostTokensIsExact: this.lostIsExact,
      duplicateIds: this.ids.duplicates,
      duplicateIdsIsExact: this.ids.isExact,
      seconds,
      tokensPerSecond: this.tokens / seconds,
      engineSeconds: model.pool.busySeconds / model.threads,
      loadSeconds,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
      outputBytes,
      output,
      threads: model.threads,
      fingerprint: model.fingerprint,
    };
  }

  private report(): void {
    this.config.onProgress?.({
      rows: this.rows,
      tokens: this.tokens,
      rowsRead: this.rowsRead,
      tokensRead: this.tokensRead,
      bytesRead: this.reading.bytesDone,
      bytesTotal: this.bytesTotal,
    });
  }
}
