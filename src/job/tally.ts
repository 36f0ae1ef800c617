// The books of a run: what was read, computed and kept, and how long it took.
import type { EmbeddingModel } from '../embedder/open.js';
import { EmbedkitError } from '../errors.js';
import { countOf } from '../format.js';
import { isBad } from '../records/bad-rows.js';
import type { ReadProgress } from '../records/source.js';
import type { AuditResult, JobBooks, JobConfig, JobSummary, MaxErrors } from './config.js';
import { DuplicateCounter } from './duplicates.js';
import type { RunItem } from './items.js';
import type { FinishedWindow } from './journal.js';
import type { JobPlan } from './plan.js';
import type { EmbeddedWindow } from './store.js';
import type { Window } from './windows.js';

// A share of a handful of rows says nothing yet.
const ROWS_FOR_A_SHARE = 100;

export class Tally {
  keepSeconds = 0;
  assembleSeconds = 0;
  /** Rows of earlier outputs that no row of the input has any more. */
  removed = 0;
  readonly reading: ReadProgress = { bytesDone: 0 };
  private rows = 0;
  private reused = 0;
  private quarantined = 0;
  private resumed = 0;
  private rowsRead = 0;
  private tokens = 0;
  /** Texts that came out of the engine and whose windows are not kept yet. */
  private texts = 0;
  private tokensRead = 0;
  private truncated = 0;
  private lost = 0;
  private lostIsExact = true;
  private firstBad: EmbedkitError | undefined;
  private loadedAt: number | undefined;
  private readonly ids: DuplicateCounter;
  private readonly bytesTotal: number;

  constructor(
    private readonly plan: JobPlan,
    private readonly config: JobConfig,
    private readonly started: number,
  ) {
    this.ids = new DuplicateCounter(plan.mostIds);
    this.bytesTotal = plan.inputs.reduce((sum, input) => sum + input.source.bytes, 0);
  }

  loaded(): void {
    this.loadedAt = performance.now();
  }

  /** A window that an earlier run had finished came by again. */
  resumedWindow(window: FinishedWindow, items: readonly RunItem[]): void {
    for (const item of items) if (!isBad(item)) this.ids.add(item.id);
    this.rowsRead += window.items;
    this.resumed += window.items;
    this.truncated += window.truncated;
    this.count(window, window.quarantined, window.rows);
  }

  /** A window was read and tokenized. */
  read(window: Window): void {
    this.rowsRead += window.items;
    this.tokensRead += window.tokens.ids.length;
    for (const row of window.rows) this.ids.add(row.id);
    this.report();
  }

  /** A batch came out of the engine. */
  computed(tokens: number, texts: number): void {
    this.tokens += tokens;
    this.texts += texts;
    this.report();
  }

  wrote(window: EmbeddedWindow): void {
    this.texts -= window.texts;
    this.truncated += window.rows.filter((row) => row.truncated).length;
    this.firstBad ??= window.bad[0]?.error;
    this.count(window, window.bad.length, window.rows.length);
  }

  /** Whether the input had nothing at all. */
  get isEmpty(): boolean {
    return this.rows === 0 && this.quarantined === 0;
  }

  /** Whether the output has rows, or the input none. */
  get hasRows(): boolean {
    return this.rows > 0 || this.quarantined === 0;
  }

  /** Throws `too-many-errors` where there were rows and none could be embedded: that is no output, but a wrong command. */
  checkAnyRow(quarantine: string): void {
    if (this.hasRows) return;
    const first = this.firstBad === undefined ? '' : `; the first: ${this.firstBad.message}`;
    const hint = [this.firstBad?.hint, `all of them are in ${quarantine}`].filter(Boolean).join('; ');
    throw new EmbedkitError('too-many-errors', `none of ${countOf(this.quarantined, 'row')} could be embedded${first}`, { hint });
  }

  /** Throws `too-many-errors` where the quarantined rows pass what is allowed; a share counts from 100 rows on, and at the end. */
  checkErrors(most: MaxErrors | undefined, atEnd = false): void {
    if (most === undefined) return;
    const read = this.rows + this.quarantined;
    const isTooMany =
      'rows' in most ? this.quarantined > most.rows : (atEnd || read >= ROWS_FOR_A_SHARE) && this.quarantined > most.share * read;
    if (!isTooMany) return;
    const allowed = 'rows' in most ? most.rows : `${most.share * 100}%`;
    throw new EmbedkitError(
      'too-many-errors',
      `${this.quarantined} of ${read} rows could not be embedded, more than --max-errors ${allowed}`,
      {
        hint: 'see what is wrong with the input (--dry-run names the first rows); what was finished is kept',
      },
    );
  }

  books(): JobBooks {
    return {
      rowsIn: this.rows + this.quarantined,
      embedded: this.rows - this.reused,
      reused: this.reused,
      quarantined: this.quarantined,
      tokens: this.tokens,
      seconds: (performance.now() - this.started) / 1000,
    };
  }

  summary(
    model: EmbeddingModel,
    output: {
      readonly bytes: number;
      readonly name: string;
      readonly quarantine: string | undefined;
      readonly audit: AuditResult | undefined;
    },
  ): JobSummary {
    const seconds = (performance.now() - this.started) / 1000;
    const loadSeconds = ((this.loadedAt ?? performance.now()) - this.started) / 1000;
    return {
      rowsIn: this.rowsRead,
      rows: this.rows,
      embedded: this.rows - this.reused,
      reused: this.reused,
      quarantined: this.quarantined,
      resumed: this.resumed,
      removed: this.removed,
      quarantine: this.quarantined > 0 ? output.quarantine : undefined,
      tokens: this.tokens,
      truncatedTexts: this.truncated,
      lostTokens: this.lost,
      lostTokensIsExact: this.lostIsExact,
      duplicateIds: this.ids.duplicates,
      duplicateIdsIsExact: this.ids.isExact,
      seconds,
      tokensPerSecond: this.tokens / Math.max(seconds - (output.audit?.seconds ?? 0), 1e-3),
      engineSeconds: model.pool.busySeconds / model.threads,
      keepSeconds: this.keepSeconds,
      assembleSeconds: this.assembleSeconds,
      loadSeconds,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
      outputBytes: output.bytes,
      output: output.name,
      threads: model.threads,
      fingerprint: model.fingerprint,
      audit: output.audit,
      clampedValues: this.plan.clamped.values,
    };
  }

  private count(window: { reused: number; lost: number; lostIsExact: boolean }, quarantined: number, rows: number): void {
    this.rows += rows;
    this.quarantined += quarantined;
    this.reused += window.reused;
    this.lost += window.lost;
    this.lostIsExact &&= window.lostIsExact;
    this.report();
  }

  private report(): void {
    this.config.onProgress?.({
      rows: this.rows + Math.max(0, this.texts),
      tokens: this.tokens,
      rowsRead: this.rowsRead,
      tokensRead: this.tokensRead,
      bytesRead: this.reading.bytesDone,
      bytesTotal: this.bytesTotal,
    });
  }
}
