// What an embed run is told: one object, checked before anything is read or written.
import type { Readable, Writable } from 'node:stream';
import type { OutputFormatName } from '../columns/formats.js';
import type { KeepColumn, VectorDtype } from '../columns/row.js';
import type { Precision } from '../model/names.js';
import type { FormatName } from '../records/formats.js';

export interface JobInput {
  /** Files, globs, folders; "-" is `stdin`. */
  readonly paths: readonly string[];
  readonly from?: FormatName | undefined;
  readonly stdin?: Readable | undefined;
  readonly textField?: string | undefined;
  readonly template?: string | undefined;
  readonly idField?: string | undefined;
  readonly keep?: readonly KeepColumn[] | undefined;
  /** Stop after this many rows. */
  readonly limit?: number | undefined;
  readonly maxLineBytes?: number | undefined;
}

export interface JobOutput {
  /** A file; "-" is `stdout`. */
  readonly path: string;
  readonly to?: OutputFormatName | undefined;
  readonly stdout?: Writable | undefined;
  readonly dtype?: VectorDtype | undefined;
  readonly dims?: number | undefined;
}

export interface JobModel {
  /** Folder or shipped name. */
  readonly model?: string | undefined;
  /** Default: INT8 where the model has it. */
  readonly precision?: Precision | undefined;
  readonly prompt?: string | undefined;
  readonly maxTokens?: number | undefined;
  readonly onOverflow?: 'truncate' | 'fail' | undefined;
  readonly threads?: number | undefined;
  readonly batchTokens?: number | undefined;
  readonly batchSize?: number | undefined;
}

/** How much is held at a time. None of these changes a byte of the output. */
export interface WindowLimits {
  readonly rows: number;
  /** UTF-8 bytes of text, roughly. */
  readonly bytes: number;
  readonly tokens: number;
}

export interface JobConfig {
  readonly input: JobInput;
  readonly output: JobOutput;
  readonly model?: JobModel;
  readonly window?: Partial<WindowLimits>;
  /** Ends the run early; its reason is thrown. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: JobProgress) => void;
  readonly onWarning?: (message: string) => void;
}

export const DEFAULT_WINDOW: WindowLimits = { rows: 4096, bytes: 32 * 2 ** 20, tokens: 1_000_000 };
export const DEFAULT_MAX_LINE_BYTES = 32 * 2 ** 20;

export interface JobProgress {
  /** Rows and tokens that went through the model. */
  readonly rows: number;
  readonly tokens: number;
  /** Rows and tokens read so far. */
  readonly rowsRead: number;
  readonly tokensRead: number;
  /** Bytes read and, for files, in all. */
  readonly bytesRead: number;
  readonly bytesTotal: number;
}

export interface JobSummary {
  readonly rows: number;
  readonly tokens: number;
  readonly truncatedTexts: number;
  /** Tokens that truncation dropped; exact unless `lostTokensIsExact` is false, then at least so many. */
  readonly lostTokens: number;
  readonly lostTokensIsExact: boolean;
  readonly duplicateIds: number;
  /** False where there were too many ids to count all their duplicates. */
  readonly duplicateIdsIsExact: boolean;
  /** Wall clock from start to finished file. */
  readonly seconds: number;
  readonly tokensPerSecond: number;
  /** Mean time that a worker spent inside the engine; the rest of `seconds` is everything around it. */
  readonly engineSeconds: number;
  /** Until the first model was loaded. */
  readonly loadSeconds: number;
  readonly peakMemoryBytes: number;
  readonly outputBytes: number;
  readonly output: string;
  readonly threads: number;
  readonly fingerprint: string;
}
