// What an embed run is told: one object, checked before anything is read or written.
import type { Readable, Writable } from 'node:stream';
import type { OutputFormatName } from '../columns/formats.js';
import type { KeepColumn, VectorDtype } from '../columns/row.js';
import type { Precision } from '../model/names.js';
import type { FormatName } from '../records/formats.js';
import type { Shard } from './items.js';

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
  /** Only these rows; undefined: all. */
  readonly shard?: Shard | undefined;
}

export interface JobOutput {
  /** A file; "-" is `stdout`. */
  readonly path: string;
  readonly to?: OutputFormatName | undefined;
  readonly stdout?: Writable | undefined;
  /** Whether a folder with something in it may be written to: files of embedkit's names in it are replaced. */
  readonly overwrite?: boolean | undefined;
  readonly dtype?: VectorDtype | undefined;
  readonly dims?: number | undefined;
}

/** What becomes of a text that the model cannot take whole. */
export const ON_OVERFLOW = ['truncate', 'chunk', 'quarantine', 'fail'] as const;
export type OnOverflow = (typeof ON_OVERFLOW)[number];

/** How long documents are cut; see chunkText. */
export interface ChunkPlan {
  readonly tokens: number;
  readonly overlap: number;
}

/** What becomes of a row that cannot be embedded. */
export const ON_ERROR = ['quarantine', 'fail'] as const;
export type OnError = (typeof ON_ERROR)[number];

/** What becomes of a run of the same output that did not end. */
export const RESUME = ['auto', 'require', 'never'] as const;
export type Resume = (typeof RESUME)[number];

/** More bad rows than this end the run: a number of rows, or a share of the rows read. */
export type MaxErrors = { readonly rows: number } | { readonly share: number };

export interface JobModel {
  /** Folder or shipped name. */
  readonly model?: string | undefined;
  /** Default: INT8 where the model has it. */
  readonly precision?: Precision | undefined;
  readonly prompt?: string | undefined;
  readonly maxTokens?: number | undefined;
  readonly onOverflow?: OnOverflow | undefined;
  /** For `chunk`: most tokens a chunk, special tokens and prompt included (default: the limit), and tokens that two share (default 0). */
  readonly chunkTokens?: number | undefined;
  readonly chunkOverlap?: number | undefined;
  readonly threads?: number | undefined;
  /** Threads that each engine computes with; default 1. */
  readonly threadsPerWorker?: number | undefined;
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
  /** Default: `quarantine`; `fail` where the output is a stream. */
  readonly onError?: OnError | undefined;
  /** Where the bad rows of a run into a stream go, which has no place beside it; undefined: the first one ends it. */
  readonly quarantine?: string | undefined;
  /** Peak resident memory in bytes that the run is to keep to; undefined: no bound is asked for. */
  readonly maxMemory?: number | undefined;
  readonly maxErrors?: MaxErrors | undefined;
  /** Default: `auto`. */
  readonly resume?: Resume | undefined;
  /** Outputs of earlier runs whose vectors are taken where text and model are the same: files and folders. */
  readonly reuse?: readonly string[] | undefined;
  /** Share of the texts to embed again in full precision, above 0 and at most 1; undefined: none. */
  readonly audit?: number | undefined;
  /** Ends the run early; its reason is thrown. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: JobProgress) => void;
  /** Called after each window that is kept; the run waits for it. */
  readonly onWindow?: (books: JobBooks) => Promise<void>;
  readonly onWarning?: (message: string) => void;
  /** Told what a user may want to know at once. */
  readonly onNotice?: (message: string) => void;
}

export const DEFAULT_WINDOW: WindowLimits = { rows: 4096, bytes: 32 * 2 ** 20, tokens: 65_536 };
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

/** How a run stands after a window. */
export interface JobBooks {
  readonly rowsIn: number;
  readonly embedded: number;
  readonly reused: number;
  readonly quarantined: number;
  readonly tokens: number;
  readonly seconds: number;
}

/** INT8 vectors of the output held against full precision. */
export interface AuditResult {
  /** Share of the texts that was asked for. */
  readonly share: number;
  /** Texts that were compared. */
  readonly texts: number;
  /** Cosines of the vectors to those in full precision; null where none was compared. */
  readonly mean: number | null;
  readonly minimum: number | null;
  /** The id of the row with the least. */
  readonly least: string | null;
  /** Wall clock of the comparison. */
  readonly seconds: number;
}

export interface JobSummary {
  /** Rows of the input: embedded + reused + quarantined. */
  readonly rowsIn: number;
  /** Rows of the output. */
  readonly rows: number;
  /** Rows whose vectors were computed, in this run or in one that it goes on with. */
  readonly embedded: number;
  /** Rows whose vectors stood in an earlier output, or at an equal text of this one. */
  readonly reused: number;
  readonly quarantined: number;
  /** Rows of the input that an earlier, unfinished run had done. */
  readonly resumed: number;
  /** Rows of the outputs given for reuse that no row of the input has any more. */
  readonly removed: number;
  /** The file of the quarantined rows; undefined where there are none. */
  readonly quarantine: string | undefined;
  /** Tokens that went through the model in this run. */
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
  /** Spent on making finished windows durable, much of it beside the engine, and on putting the output together from them. */
  readonly keepSeconds: number;
  readonly assembleSeconds: number;
  /** Until the first model was loaded. */
  readonly loadSeconds: number;
  readonly peakMemoryBytes: number;
  readonly outputBytes: number;
  readonly output: string;
  readonly threads: number;
  readonly fingerprint: string;
  /** Undefined where none was asked for. */
  readonly audit: AuditResult | undefined;
  /** Of int8: values of the output that were outside the range of their dimension. */
  readonly clampedValues: number;
}
